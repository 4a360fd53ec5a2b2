/**
 * The alerts that the shipped rules (deploy/prometheus/rules.yaml) would have fired. Pure: flags in, alerts out.
 *
 * Rules are evaluated every half minute, so that each minute's flag is read twice, at its beginning and in its middle.
 */

import { type PodIdentity, podKey } from '../../exporter/features/table.js';
import { workloadFromName } from '../../exporter/features/workload.js';
import { groupBy } from '../../lib/group-by.js';
import { type Runs, spansOf } from './chunk-result.js';
import { MINUTE_SECONDS } from './plan.js';

/** A pod over the whole time, its workload as `anomaly_workload_pods_flagged` names it. Minutes count from its start. */
export interface PodFlags extends PodIdentity {
  readonly scored: Runs;
  readonly flagged: Runs;
}

export interface RuleOptions {
  /** How long a pod or a workload must misbehave; the shipped rules say `SHIPPED_FOR_SECONDS`. */
  readonly forSeconds: number;
  /** Prometheus 2 counts a sample at the beginning of a range as part of it, Prometheus 3 does not. */
  readonly closedRanges: boolean;
}

/** A pod that stays flagged has its alert after about this time. */
export const SHIPPED_FOR_SECONDS = 300;

export type AlertName = 'PodAnomalous' | 'WorkloadAnomalous' | 'AnomalyMassFlagging';

/** One alert, from the evaluation that fires it to the one that resolves it. Seconds from the start of the time. */
export interface Alert {
  readonly name: AlertName;
  /** Empty for the whole fleet. */
  readonly namespace: string;
  /** Empty for the whole fleet; of a pod as its name tells. */
  readonly workload: string;
  /** Empty for a workload and for the whole fleet. */
  readonly pod: string;
  readonly startSeconds: number;
  /** The first evaluation after the last one at which the expression held: `keep_firing_for` begins. */
  readonly heldUntilSeconds: number;
  /** Exclusive; the end of the time where it still fires then. */
  readonly endSeconds: number;
  /** It still fires at the end of the time. */
  readonly open: boolean;
}

/** Seconds from one evaluation to the next (`interval` of the group). */
export const EVALUATION_SECONDS = 30;

const READINGS_A_MINUTE = MINUTE_SECONDS / EVALUATION_SECONDS;

/** `keep_firing_for` of the rules. */
const KEEP_FIRING_SECONDS: Readonly<Record<AlertName, number>> = {
  PodAnomalous: 600,
  WorkloadAnomalous: 900,
  AnomalyMassFlagging: 1200,
};

const POD_SHARE = 0.8;
const WORKLOAD_SHARE = 0.5;
const WORKLOAD_PODS = 2;
const MASS_SHARE = 0.2;
const MASS_PODS = 5;
const MASS_SECONDS = 240;
const MASS_READINGS = 8;

/** Minutes around a flag in which the rules may fire because of it, besides their windows: the rest is not evaluated. */
const MARGIN_MINUTES = 5;

/**
 * All alerts of a time, by start.
 *
 * @param pods all pods, those that were never flagged as well: they count in the shares.
 * @param minutes length of the time.
 */
export function simulateAlerts(pods: readonly PodFlags[], minutes: number, options: RuleOptions): Alert[] {
  return [
    ...massAlerts(pods, minutes, options),
    ...workloadAlerts(pods, minutes, options),
    ...pods.flatMap((pod) => podAlerts(pod, minutes, options)),
  ].sort((a, b) => a.startSeconds - b.startSeconds || (alertKey(a) < alertKey(b) ? -1 : 1));
}

function podAlerts(flags: PodFlags, minutes: number, options: RuleOptions): Alert[] {
  const { namespace, pod } = flags;
  const { forSeconds } = options;
  const identity = { name: 'PodAnomalous', namespace, pod, workload: workloadFromName(pod) } as const;
  const enough = forSeconds / EVALUATION_SECONDS;
  return stretchesOf(flags.flagged, minutes, options).flatMap(([from, to]) => {
    const readings = readingsOf(flags, from, to);
    const window = windowsOf(readings, options);
    return firing(identity, readings.length, from * MINUTE_SECONDS, minutes * MINUTE_SECONDS, (reading) => {
      if (!((readings[reading] as number) > 0.5)) return false;
      const recent = window(reading, forSeconds + MINUTE_SECONDS);
      return (
        sumOf(recent) / recent.length >= POD_SHARE && sumOf(window(reading, forSeconds + SHIPPED_FOR_SECONDS)) >= enough
      );
    });
  });
}

function workloadAlerts(pods: readonly PodFlags[], minutes: number, options: RuleOptions): Alert[] {
  const { forSeconds } = options;
  const enough = forSeconds / EVALUATION_SECONDS;
  const workloads = groupBy(pods, (pod) => podKey(pod.namespace, pod.workload));
  return [...workloads.values()].flatMap((ofWorkload) => {
    const [{ namespace, workload }] = ofWorkload;
    if (ofWorkload.length < WORKLOAD_PODS || ofWorkload.every(({ flagged }) => flagged.length === 0)) return [];
    const { shares } = sharesOf(ofWorkload, minutes, WORKLOAD_PODS);
    const window = windowsOf(shares, options);
    const identity = { name: 'WorkloadAnomalous', namespace, workload, pod: '' } as const;
    return firing(identity, shares.length, 0, minutes * MINUTE_SECONDS, (reading) => {
      if (!((shares[reading] as number) > WORKLOAD_SHARE)) return false;
      const recent = window(reading, forSeconds);
      const flagged = window(reading, forSeconds + SHIPPED_FOR_SECONDS).filter((share) => share > WORKLOAD_SHARE);
      return sumOf(recent) / recent.length > WORKLOAD_SHARE && flagged.length >= enough;
    });
  });
}

function massAlerts(pods: readonly PodFlags[], minutes: number, options: RuleOptions): Alert[] {
  const { flagged, shares } = sharesOf(pods, minutes, 1);
  const window = windowsOf(shares, options);
  const identity = { name: 'AnomalyMassFlagging', namespace: '', workload: '', pod: '' } as const;
  return firing(identity, shares.length, 0, minutes * MINUTE_SECONDS, (reading) => {
    if ((flagged[Math.floor(reading / READINGS_A_MINUTE)] as number) < MASS_PODS) return false;
    const recent = window(reading, MASS_SECONDS);
    return Math.min(...recent) > MASS_SHARE && recent.length >= MASS_READINGS;
  });
}

/** Which stretches of time have to be evaluated for a pod: around its flags. Minutes, from and to. */
function stretchesOf(flagged: Runs, minutes: number, { forSeconds }: RuleOptions) {
  const margin = MARGIN_MINUTES + Math.ceil((forSeconds + SHIPPED_FOR_SECONDS) / MINUTE_SECONDS);
  const keep = Math.ceil(KEEP_FIRING_SECONDS.PodAnomalous / MINUTE_SECONDS);
  const stretches: [number, number][] = [];
  for (const [first, end] of spansOf(flagged)) {
    const from = Math.max(0, first - margin);
    const to = Math.min(minutes, end + margin + keep);
    const last = stretches.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else stretches.push([from, to]);
  }
  return stretches;
}

/** Readings of `anomaly_flag`, two a minute; `NaN` where the pod has none. */
function readingsOf({ scored, flagged }: PodFlags, from: number, to: number): Float64Array {
  const values = new Float64Array((to - from) * READINGS_A_MINUTE).fill(Number.NaN);
  for (const [value, runs] of [scored, flagged].entries()) {
    for (const [first, end] of spansOf(runs)) {
      // Positions below zero would count from the end.
      const [begin, until] = [first, end].map((minute) => Math.max(0, minute - from) * READINGS_A_MINUTE);
      values.fill(value, begin, until);
    }
  }
  return values;
}

/**
 * How many pods are flagged at each minute, and their share of those that are scored at each reading, two a minute; `NaN`
 * where fewer than `least` are scored.
 */
function sharesOf(pods: readonly PodFlags[], minutes: number, least: number) {
  const flagged = countsOf(pods, minutes, (pod) => pod.flagged);
  const scored = countsOf(pods, minutes, (pod) => pod.scored);
  const shares = Float64Array.from({ length: minutes * READINGS_A_MINUTE }, (_, reading) => {
    const minute = Math.floor(reading / READINGS_A_MINUTE);
    const all = scored[minute] as number;
    return all < least ? Number.NaN : (flagged[minute] as number) / all;
  });
  return { flagged, shares };
}

/** How many pods are in a run at each minute. */
function countsOf(pods: readonly PodFlags[], minutes: number, runsOfPod: (pod: PodFlags) => Runs): Int32Array {
  const counts = new Int32Array(minutes + 1);
  const add = (minute: number, pods: number) => {
    counts[minute] = (counts[minute] as number) + pods;
  };
  for (const pod of pods) {
    for (const [index, minute] of runsOfPod(pod).entries()) add(minute, index % 2 === 0 ? 1 : -1);
  }
  for (let minute = 1; minute < minutes; minute++) add(minute, counts[minute - 1] as number);
  return counts;
}

/**
 * A range of PromQL: from a time before an evaluation to that evaluation. The values are those that are there, of readings
 * at equal distances that are `NaN` where they are missing.
 */
function windowsOf(readings: Float64Array, { closedRanges }: RuleOptions) {
  return (reading: number, seconds: number): number[] => {
    const end = reading + 1;
    const first = end - Math.round(seconds / EVALUATION_SECONDS) - (closedRanges ? 1 : 0);
    const found: number[] = [];
    for (let index = Math.max(0, first); index < end; index++) {
      const value = readings[index] as number;
      if (!Number.isNaN(value)) found.push(value);
    }
    return found;
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Goes through the evaluations of one alert: fires while the condition holds, and for a while after. */
function firing(
  identity: Pick<Alert, 'name' | 'namespace' | 'workload' | 'pod'>,
  readings: number,
  offsetSeconds: number,
  limitSeconds: number,
  holds: (reading: number) => boolean,
): Alert[] {
  const alerts: Alert[] = [];
  /** Seconds at which the alert began to fire, and at which the condition first no longer held. */
  let start: number | undefined;
  let kept: number | undefined;
  const end = (endSeconds: number, open: boolean) => {
    if (start === undefined) return;
    alerts.push({ ...identity, startSeconds: start, heldUntilSeconds: kept ?? endSeconds, endSeconds, open });
    start = undefined;
  };
  for (let reading = 0; reading < readings; reading++) {
    const seconds = offsetSeconds + reading * EVALUATION_SECONDS;
    if (holds(reading)) {
      start ??= seconds;
      kept = undefined;
    } else {
      kept ??= seconds;
      if (seconds - kept >= KEEP_FIRING_SECONDS[identity.name]) end(seconds, false);
    }
  }
  end(limitSeconds, true);
  return alerts;
}

/** Equal for alerts with equal labels. */
export function alertKey({ name, namespace, workload, pod }: Alert): string {
  return [name, namespace, workload, pod].join('\0');
}
