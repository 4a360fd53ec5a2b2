/**
 * The messages that Alertmanager would have sent for alerts, with the inhibition and the grouping of the shipped example
 * (deploy/alertmanager/alertmanager.yaml). Pure: alerts in, messages out.
 */

import { podKey } from '../../exporter/features/table.js';
import { groupBy } from '../../lib/group-by.js';
import { type Alert, type AlertName, alertKey } from './alerts.js';

/** A message that reports at least one alert that its group has not reported as firing before. */
export interface Message {
  /** Seconds from the start of the time. */
  readonly sentSeconds: number;
  /** Empty for the whole fleet. */
  readonly namespace: string;
  /** Empty for a namespace and for the whole fleet. */
  readonly workload: string;
  /** The alerts that are new in it, by start; at least one. */
  readonly alerts: readonly Alert[];
}

export interface Notifications {
  /** By time. Reminders (`repeat_interval`) and messages that alerts are resolved are not among them. */
  readonly messages: readonly Message[];
  /** When on-call first learns of an alert; without an entry for those that are held back all the time. */
  readonly sentSeconds: ReadonlyMap<Alert, number>;
}

/** `group_wait` of the routes. */
const GROUP_WAIT_SECONDS: Readonly<Record<AlertName, number>> = {
  PodAnomalous: 45,
  WorkloadAnomalous: 45,
  NamespaceAnomalous: 30,
  AnomalyMassFlagging: 30,
};

/** `group_interval` of the routes; the default of Alertmanager where they set none. */
const GROUP_INTERVAL_SECONDS = 300;

/** Sends alerts as Alertmanager does. What still fires at the end of the time is sent as if it went on. */
export function notify(alerts: readonly Alert[]): Notifications {
  const sentSeconds = new Map<Alert, number>();
  const isHeldBack = inhibition(alerts);
  const endSeconds = alerts.reduce((latest, alert) => Math.max(latest, alert.endSeconds), 0);
  const ordered = [...alerts].sort((a, b) => a.startSeconds - b.startSeconds);
  // `group_by` of the routes: the fleet, a namespace, or a workload with its pods.
  const messages = [...groupBy(ordered, workloadOf).values()].flatMap((group) =>
    messagesOfGroup(group, endSeconds, isHeldBack, sentSeconds),
  );
  return { messages: messages.sort((a, b) => a.sentSeconds - b.sentSeconds), sentSeconds };
}

function workloadOf({ namespace, workload }: Alert): string {
  return podKey(namespace, workload);
}

/** Goes through the flushes of a group. @param alerts by start. @param sentSeconds is added to. */
function messagesOfGroup(
  alerts: readonly Alert[],
  endSeconds: number,
  isHeldBack: (alert: Alert, seconds: number) => boolean,
  sentSeconds: Map<Alert, number>,
): Message[] {
  const messages: Message[] = [];
  /** Alerts that a message reported as firing, and none as resolved. */
  const reported = new Map<string, Alert>();
  for (let next = alerts[0]; next !== undefined; ) {
    // A group begins with its first alert, and is forgotten once all of its alerts are resolved.
    let flush = next.startSeconds + GROUP_WAIT_SECONDS[next.name];
    for (;;) {
      const firing = alerts.filter((alert) => isFiring(alert, flush));
      const keys = new Set(firing.map(alertKey));
      for (const [key, alert] of reported) {
        // Nobody learns of the end of an alert that is held back: if it comes again, it counts as still reported.
        if (!keys.has(key) && !isHeldBack(alert, flush)) reported.delete(key);
      }
      if (firing.length === 0) break;
      const active = firing.filter((alert) => !isHeldBack(alert, flush));
      for (const alert of active) if (!sentSeconds.has(alert)) sentSeconds.set(alert, flush);
      const fresh = active.filter((alert) => !reported.has(alertKey(alert)));
      if (fresh.length > 0) {
        const { namespace, workload } = next;
        messages.push({ sentSeconds: flush, namespace, workload, alerts: fresh });
      }
      for (const alert of active) reported.set(alertKey(alert), alert);
      // After the last alert has begun or ended, nothing changes any more.
      if (flush >= endSeconds) break;
      flush += GROUP_INTERVAL_SECONDS;
    }
    next = alerts.find(({ startSeconds }) => startSeconds > flush);
  }
  return messages;
}

function isFiring({ startSeconds, endSeconds, open }: Alert, seconds: number): boolean {
  return startSeconds <= seconds && (open || seconds < endSeconds);
}

/** `inhibit_rules`: the alert of the fleet holds back the others, and the wider one each narrower one. */
function inhibition(alerts: readonly Alert[]): (alert: Alert, seconds: number) => boolean {
  const fleet = alerts.filter(({ name }) => name === 'AnomalyMassFlagging');
  const namespaces = groupBy(
    alerts.filter(({ name }) => name === 'NamespaceAnomalous'),
    ({ namespace }) => namespace,
  );
  const workloads = groupBy(
    alerts.filter(({ name }) => name === 'WorkloadAnomalous'),
    workloadOf,
  );
  return (alert, seconds) => {
    const fires = (sources: readonly Alert[] = []) => sources.some((source) => isFiring(source, seconds));
    switch (alert.name) {
      case 'AnomalyMassFlagging':
        return false;
      case 'NamespaceAnomalous':
        return fires(fleet);
      case 'WorkloadAnomalous':
        return fires(fleet) || fires(namespaces.get(alert.namespace));
      case 'PodAnomalous':
        return fires(fleet) || fires(namespaces.get(alert.namespace)) || fires(workloads.get(workloadOf(alert)));
    }
  };
}
