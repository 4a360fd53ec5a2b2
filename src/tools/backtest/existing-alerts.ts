/** Alerts that were firing then, from Prometheus' own record of them, and which of ours they coincide with. */

import { workloadFromName } from '../../exporter/features/workload.js';
import type { Labels } from '../../exporter/prometheus/api.js';
import type { Alert } from '../replay/alerts.js';
import type { Slab } from '../replay/range-matrix.js';

/** What Prometheus writes while an alert fires. */
export const FIRING_ALERTS_QUERY = 'ALERTS{alertstate="firing"}';

/** An alert of somebody else's rules, while it fired. Unix times in seconds. */
export interface ExistingAlert {
  readonly alertname: string;
  readonly labels: Labels;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** Ours, and those that always fire to show that alerting works. */
const NOT_COUNTED =
  /^(?:(?:Pod|Workload|Node|Namespace)Anomalous|PodMemoryFull|Anomaly[A-Z].*|Watchdog|DeadMansSwitch|InfoInhibitor)$/;

/** A gap of a reading or two, as a restart of Prometheus leaves, does not end an alert. */
const LONGEST_GAP_SECONDS = 120;

/** Alerts from the answers to `FIRING_ALERTS_QUERY`, by start. */
export function existingAlerts(slabs: readonly Slab[]): ExistingAlert[] {
  const alerts: ExistingAlert[] = [];
  /** The newest one of each series. */
  const newest = new Map<string, { endSeconds: number }>();
  for (const { grid, labels, values } of slabs) {
    labels.forEach((own, series) => {
      const alertname = own.alertname ?? '';
      if (alertname === '' || NOT_COUNTED.test(alertname)) return;
      const key = JSON.stringify(Object.entries(own).sort());
      for (let instant = 0; instant < grid.instants; instant++) {
        if (Number.isNaN(values[series * grid.instants + instant])) continue;
        const startSeconds = grid.startSeconds + instant * grid.stepSeconds;
        const endSeconds = startSeconds + grid.stepSeconds;
        const known = newest.get(key);
        if (known !== undefined && startSeconds - known.endSeconds <= LONGEST_GAP_SECONDS) {
          known.endSeconds = endSeconds;
          continue;
        }
        const alert = { alertname, labels: own, startSeconds, endSeconds };
        newest.set(key, alert);
        alerts.push(alert);
      }
    });
  }
  return alerts.sort((a, b) => a.startSeconds - b.startSeconds);
}

/** By what two alerts are about the same: the closer, the surer. */
const MATCH_LEVELS = ['pod', 'workload', 'namespace'] as const;
export type MatchLevel = (typeof MATCH_LEVELS)[number];

/** Labels that name a pod, and labels that name what pods belong to, as the rules in use have them. */
const POD_LABELS = ['pod', 'pod_name', 'exported_pod'];
const NAMESPACE_LABELS = ['namespace', 'exported_namespace', 'kubernetes_namespace'];
const WORKLOAD_LABELS = [
  'workload',
  'deployment',
  'statefulset',
  'daemonset',
  'cronjob',
  'job_name',
  'replicaset',
  'horizontalpodautoscaler',
  'owner_name',
  'created_by_name',
  'app',
  'app_kubernetes_io_name',
  'service',
  'container',
];

/**
 * How an alert of ours and another one are about the same.
 *
 * @returns `undefined` where they are not: another namespace, or labels that name another pod or workload. The alert for
 *   the whole fleet names nothing and is about nothing in particular.
 */
export function matchLevel(
  { namespace, workload, pod }: Pick<Alert, 'namespace' | 'workload' | 'pod'>,
  labels: Labels,
): MatchLevel | undefined {
  if (namespace === '' || !NAMESPACE_LABELS.some((label) => labels[label] === namespace)) return undefined;
  const valuesOf = (names: readonly string[]) => names.flatMap((name) => labels[name] ?? []);
  const pods = valuesOf(POD_LABELS);
  if (pod !== '' && pods.includes(pod)) return 'pod';
  const workloads = [...valuesOf(WORKLOAD_LABELS), ...pods];
  if (workloads.some((name) => name === workload || workloadFromName(name) === workload)) return 'workload';
  return workloads.length === 0 ? 'namespace' : undefined;
}

/**
 * The existing alerts that fired while one of ours did, about the same; of several matches the closest level only.
 *
 * @param startSeconds Unix time from which the times of our alert count.
 * @returns of each, how much earlier ours fired, in seconds; negative where it fired later.
 */
export function overlapsOf(alert: Alert, existing: readonly ExistingAlert[], startSeconds: number) {
  const from = startSeconds + alert.startSeconds;
  const to = startSeconds + alert.endSeconds;
  const overlaps = existing.flatMap((other) => {
    if (other.startSeconds >= to || other.endSeconds <= from) return [];
    const level = matchLevel(alert, other.labels);
    return level === undefined ? [] : [{ existing: other, level, leadSeconds: other.startSeconds - from }];
  });
  const closest = MATCH_LEVELS.find((level) => overlaps.some((overlap) => overlap.level === level));
  return overlaps.filter(({ level }) => level === closest);
}
