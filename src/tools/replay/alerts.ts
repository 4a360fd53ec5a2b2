/**
 * The alerts that the shipped rules (deploy/prometheus/rules.yaml) would have fired. Pure: lasting anomalies in, alerts out.
 *
 * Rules are evaluated every half minute, so that each minute is read twice, at its beginning and in its middle.
 */

import type { PodIdentity } from '../../exporter/features/table.js';
import { groupBy } from '../../lib/group-by.js';
import { type Runs, spansOf } from './chunk-result.js';
import { MINUTE_SECONDS } from './plan.js';

/** A pod over the whole time. Minutes count from its start. */
export interface PodRuns extends PodIdentity {
  readonly scored: Runs;
  /** The minutes in which it does not count in the shares. */
  readonly muted: Runs;
  /** The minutes in which it has a series of `anomaly_lasting`. */
  readonly lasting: Runs;
}

export interface RuleOptions {
  /** For how long an anomaly must be read as lasting; the shipped rules say `SHIPPED_FOR_SECONDS`. */
  readonly forSeconds: number;
  /** Prometheus 2 counts a sample at the beginning of a range as part of it, Prometheus 3 does not. */
  readonly closedRanges: boolean;
}

/**
 * Three readings within twice that time, some of which may be missing. In the shares of a workload and of the fleet, a pod
 * counts after half of them.
 */
export const SHIPPED_FOR_SECONDS = 90;

/** That of a node is not among them: a recording does not say on which node a pod ran. */
export type AlertName = 'PodAnomalous' | 'WorkloadAnomalous' | 'NamespaceAnomalous' | 'AnomalyMassFlagging';

/** One alert, from the evaluation that fires it to the one that resolves it. Seconds from the start of the time. */
export interface Alert {
  readonly name: AlertName;
  /** Empty for the whole fleet. */
  readonly namespace: string;
  /** Empty for a namespace and for the whole fleet. */
  readonly workload: string;
  /** Empty for all but a pod. */
  readonly pod: string;
  readonly startSeconds: number;
  /** The first evaluation after the last one with the anomaly: from then on the alert is only held. */
  readonly heldUntilSeconds: number;
  /** Exclusive; the end of the time where it still fires then. */
  readonly endSeconds: number;
  /** It still fires at the end of the time. */
  readonly open: boolean;
}

/** Seconds from one evaluation to the next (`interval` of the group). */
export const EVALUATION_SECONDS = 30;

const READINGS_A_MINUTE = MINUTE_SECONDS / EVALUATION_SECONDS;

/** The ranges of `last_over_time`, which hold an alert after its last reading. */
const HOLD_SECONDS: Readonly<Record<AlertName, number>> = {
  PodAnomalous: 600,
  WorkloadAnomalous: 900,
  NamespaceAnomalous: 1080,
  AnomalyMassFlagging: 1200,
};

const WORKLOAD_SHARE = 0.5;
const WORKLOAD_PODS = 2;
const NAMESPACE_SHARE = 0.5;
const NAMESPACE_WORKLOADS = 2;
const NAMESPACE_PODS = 3;
const MASS_SHARE = 0.2;
const MASS_PODS = 5;

/** A pod and the readings, two a minute, at which its anomaly has been read twice, so that it counts in the shares. */
interface CountedPod extends PodRuns {
  readonly counted: Runs;
}

/**
 * All alerts of a time, by start.
 *
 * @param pods all pods, also those without an anomaly: they count in the shares.
 * @param minutes length of the time.
 */
export function simulateAlerts(pods: readonly PodRuns[], minutes: number, options: RuleOptions): Alert[] {
  const enough = options.forSeconds / EVALUATION_SECONDS;
  const counted = pods.map((pod) => ({ ...pod, counted: repeatedOf(pod.lasting, Math.ceil(enough / 2), options) }));
  const namespaces = groupBy(counted, ({ namespace }) => namespace);
  const fire = (name: AlertName, identity: Partial<PodIdentity>, readings: Runs) =>
    firing({ name, namespace: '', workload: '', pod: '', ...identity }, readings, minutes, options);
  const ofNamespace = (pods: readonly [CountedPod, ...CountedPod[]]): Alert[] => {
    const [{ namespace }] = pods;
    const workloads = [...groupBy(pods, ({ workload }) => workload).values()];
    const ofWorkloads = workloads.map((own) => {
      const [{ workload }] = own;
      const readings = shareAbove(own, minutes, { share: WORKLOAD_SHARE, scored: WORKLOAD_PODS });
      const ofPods = own.flatMap(({ pod, lasting }) =>
        fire('PodAnomalous', { namespace, workload, pod }, repeatedOf(lasting, enough, options)),
      );
      const alerts = goOnWithPods(fire('WorkloadAnomalous', { namespace, workload }, readings), ofPods, options);
      return { alerts, ofPods };
    });
    const allPods = ofWorkloads.flatMap(({ ofPods }) => ofPods);
    const readings = mostOfNamespace(pods, workloads, minutes);
    return [
      ...goOnWithPods(fire('NamespaceAnomalous', { namespace }, readings), allPods, options),
      ...ofWorkloads.flatMap(({ alerts }) => alerts),
      ...allPods,
    ];
  };
  return [
    ...fire('AnomalyMassFlagging', {}, shareAbove(counted, minutes, { share: MASS_SHARE, least: MASS_PODS })),
    ...[...namespaces.values()].flatMap(ofNamespace),
  ].sort((a, b) => a.startSeconds - b.startSeconds || (alertKey(a) < alertKey(b) ? -1 : 1));
}

/** The readings at which most pods of a namespace count, and most pods of most of its workloads. */
function mostOfNamespace(
  pods: readonly CountedPod[],
  workloads: readonly (readonly CountedPod[])[],
  minutes: number,
): Runs {
  const ofPods = shareAbove(pods, minutes, { share: NAMESPACE_SHARE, least: NAMESPACE_PODS });
  if (ofPods.length === 0) return [];
  const bad = new Uint32Array(minutes * READINGS_A_MINUTE);
  const all = new Uint32Array(minutes);
  for (const own of workloads) {
    for (const reading of positionsOf(shareAbove(own, minutes, { share: WORKLOAD_SHARE })))
      bad[reading] = (bad[reading] as number) + 1;
    const scored = countsOf(own, minutes, (pod) => pod.scored);
    const muted = countsOf(own, minutes, (pod) => pod.muted);
    for (const [minute, count] of scored.entries())
      if (count > (muted[minute] as number)) all[minute] = (all[minute] as number) + 1;
  }
  return runsOfReadings(
    positionsOf(ofPods).filter((reading) => {
      const workloadsThen = all[Math.floor(reading / READINGS_A_MINUTE)] as number;
      const badThen = bad[reading] as number;
      return badThen >= NAMESPACE_WORKLOADS && badThen / workloadsThen > NAMESPACE_SHARE;
    }),
  );
}

/** How long ago a wider alert may have fired, so that it goes on with the alerts of its pods. */
const GOES_ON_SECONDS = 120;

/** The alerts of a workload or namespace, which go on, once they fire, while a pod of it has an alert. */
function goOnWithPods(alerts: readonly Alert[], ofPods: readonly Alert[], { closedRanges }: RuleOptions): Alert[] {
  // An alert does not fire any more at its end: the last time that it did was an evaluation before.
  const patience = GOES_ON_SECONDS - EVALUATION_SECONDS - (closedRanges ? 0 : EVALUATION_SECONDS);
  const goneOn: Alert[] = [];
  for (const alert of alerts) {
    const before = goneOn.at(-1);
    if (before !== undefined && alert.startSeconds <= before.endSeconds) {
      const { startSeconds } = before;
      const heldUntilSeconds = Math.max(before.heldUntilSeconds, alert.heldUntilSeconds);
      const [last] = [before, alert].sort((a, b) => b.endSeconds - a.endSeconds) as [Alert];
      goneOn[goneOn.length - 1] = { ...last, startSeconds, heldUntilSeconds };
    } else goneOn.push(alert);
    for (;;) {
      const own = goneOn.at(-1) as Alert;
      const later = ofPods
        .filter((pod) => pod.startSeconds <= own.endSeconds + patience && pod.endSeconds > own.endSeconds)
        .sort((a, b) => a.startSeconds - b.startSeconds);
      const [next] = later;
      if (next === undefined) break;
      const { heldUntilSeconds, endSeconds, open } = next;
      if (next.startSeconds > own.endSeconds) {
        goneOn.push({ ...own, startSeconds: next.startSeconds, heldUntilSeconds, endSeconds, open });
      } else {
        const held = Math.max(own.heldUntilSeconds, heldUntilSeconds);
        goneOn[goneOn.length - 1] = { ...own, heldUntilSeconds: held, endSeconds, open };
      }
    }
  }
  return goneOn;
}

/** The readings of an anomaly that are at least the `enough`-th ones in the range up to them. */
function repeatedOf(lasting: Runs, enough: number, { forSeconds, closedRanges }: RuleOptions): Runs {
  const window = (2 * forSeconds) / EVALUATION_SECONDS + (closedRanges ? 1 : 0);
  const readings = spansOf(lasting).flatMap(([from, to]) =>
    Array.from({ length: (to - from) * READINGS_A_MINUTE }, (_, index) => from * READINGS_A_MINUTE + index),
  );
  return runsOfReadings(
    readings.filter((reading, index) => reading - (readings[index + 1 - enough] ?? -Infinity) < window),
  );
}

/** The positions in runs, ascending. */
function positionsOf(runs: Runs): number[] {
  return spansOf(runs).flatMap(([from, to]) => Array.from({ length: to - from }, (_, index) => from + index));
}

/** Ascending readings as runs. */
function runsOfReadings(readings: readonly number[]): Runs {
  const runs: number[] = [];
  for (const reading of readings) {
    if (runs.at(-1) === reading) runs[runs.length - 1] = reading + 1;
    else runs.push(reading, reading + 1);
  }
  return runs;
}

/**
 * The readings at which the pods that count are more than a share of the scored ones.
 *
 * @param limits how many pods must be scored, and must count, at least.
 */
function shareAbove(
  pods: readonly CountedPod[],
  minutes: number,
  { share, scored: leastScored = 1, least = 1 }: { share: number; scored?: number; least?: number },
): Runs {
  if (pods.length < leastScored || pods.every(({ counted }) => counted.length === 0)) return [];
  const scored = countsOf(pods, minutes, (pod) => pod.scored);
  const muted = countsOf(pods, minutes, (pod) => pod.muted);
  const counted = countsOf(pods, minutes * READINGS_A_MINUTE, (pod) => pod.counted);
  const readings: number[] = [];
  for (const [reading, bad] of counted.entries()) {
    const minute = Math.floor(reading / READINGS_A_MINUTE);
    const all = (scored[minute] as number) - (muted[minute] as number);
    if (bad >= least && all >= leastScored && bad / all > share) readings.push(reading);
  }
  return runsOfReadings(readings);
}

/** How many pods are in a run at each position. */
function countsOf(pods: readonly CountedPod[], length: number, runsOfPod: (pod: CountedPod) => Runs): Int32Array {
  const counts = new Int32Array(length + 1);
  const add = (position: number, pods: number) => {
    counts[position] = (counts[position] as number) + pods;
  };
  for (const pod of pods) {
    for (const [index, position] of runsOfPod(pod).entries()) add(position, index % 2 === 0 ? 1 : -1);
  }
  for (let position = 1; position < length; position++) add(position, counts[position - 1] as number);
  return counts.subarray(0, length);
}

/** The alerts with an anomaly at these readings, and for a while after each. */
function firing(
  identity: Pick<Alert, 'name' | 'namespace' | 'workload' | 'pod'>,
  readings: Runs,
  minutes: number,
  { closedRanges }: RuleOptions,
): Alert[] {
  const limitSeconds = minutes * MINUTE_SECONDS;
  const holdSeconds = HOLD_SECONDS[identity.name] - (closedRanges ? 0 : EVALUATION_SECONDS);
  const alerts: Alert[] = [];
  for (const [from, to] of spansOf(readings)) {
    const startSeconds = from * EVALUATION_SECONDS;
    const heldUntilSeconds = to * EVALUATION_SECONDS;
    const untilSeconds = heldUntilSeconds + holdSeconds;
    const last = alerts.at(-1);
    const goesOn = last !== undefined && startSeconds <= last.endSeconds;
    if (goesOn) alerts.pop();
    alerts.push({
      ...identity,
      startSeconds: goesOn ? last.startSeconds : startSeconds,
      heldUntilSeconds,
      endSeconds: Math.min(limitSeconds, untilSeconds),
      open: untilSeconds >= limitSeconds,
    });
  }
  return alerts;
}

/** Equal for alerts with equal labels. */
export function alertKey({ name, namespace, workload, pod }: Alert): string {
  return [name, namespace, workload, pod].join('\0');
}
