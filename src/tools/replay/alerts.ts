/**
 * The alerts that the shipped rules (deploy/prometheus/rules.yaml) would have fired. Pure: flags in, alerts out.
 *
 * Rules are evaluated every half minute, so that each minute's flag is read twice, at its beginning and in its middle.
 */

import { podKey } from '../../exporter/features/table.js';
import { workloadFromName } from '../../exporter/features/workload.js';
import type { Runs } from './chunk-result.js';

/** A pod over the whole time. Minutes count from its start. */
export interface PodFlags {
  readonly namespace: string;
  readonly pod: string;
  /** As `anomaly_workload_pods_flagged` names it. */
  readonly workload: string;
  readonly scored: Runs;
  readonly flagged: Runs;
}

/** How the rules are read. */
export interface RuleOptions {
  /** How long a pod or a workload must misbehave; the shipped rules say `SHIPPED_FOR_SECONDS`. */
  readonly forSeconds: number;
  /** Prometheus 2 counts a sample at the beginning of a range as part of it, Prometheus 3 does not. */
  readonly closedRanges: boolean;
}

/** The pod must be flagged now and this long ago. */
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

const MINUTE_SECONDS = 60;
const READINGS_A_MINUTE = MINUTE_SECONDS / EVALUATION_SECONDS;

/** `keep_firing_for` of the rules. */
const KEEP_FIRING_SECONDS: Readonly<Record<AlertName, number>> = {
  PodAnomalous: 600,
  WorkloadAnomalous: 900,
  AnomalyMassFlagging: 1200,
};

const POD_SHARE = 0.8;
/** `sum_over_time(…[10m]) >= 6`: readings that are flagged, of those that a bad pod has in the time of `for`. */
const POD_READINGS_SHARE = 6 / 10;
const WORKLOAD_SHARE = 0.5;
const WORKLOAD_PODS = 2;
const MASS_SHARE = 0.2;
const MASS_PODS = 5;
const MASS_SECONDS = 180;
const MASS_READINGS = 6;

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
  ].sort((a, b) => a.startSeconds - b.startSeconds || compareText(alertKey(a), alertKey(b)));
}

function podAlerts(flags: PodFlags, minutes: number, options: RuleOptions): Alert[] {
  const { namespace, pod } = flags;
  const { forSeconds } = options;
  const identity = { name: 'PodAnomalous', namespace, pod, workload: workloadFromName(pod) } as const;
  return stretchesOf(flags.flagged, minutes, options).flatMap(([from, to]) => {
    const window = new ReadingWindows(readingsOf(flags, from, to), options.closedRanges);
    const enough = POD_READINGS_SHARE * (forSeconds / EVALUATION_SECONDS);
    return firing(identity, window.length, from * MINUTE_SECONDS, minutes * MINUTE_SECONDS, (reading) => {
      if (!(window.at(reading) > 0.5)) return false;
      return (
        window.average(reading, forSeconds + MINUTE_SECONDS) >= POD_SHARE &&
        window.sum(reading, forSeconds + SHIPPED_FOR_SECONDS) >= enough &&
        window.maximum(reading, SHIPPED_FOR_SECONDS, forSeconds) > 0.5
      );
    });
  });
}

function workloadAlerts(pods: readonly PodFlags[], minutes: number, options: RuleOptions): Alert[] {
  const members = new Map<string, PodFlags[]>();
  for (const pod of pods) {
    const key = podKey(pod.namespace, pod.workload);
    const known = members.get(key);
    if (known === undefined) members.set(key, [pod]);
    else known.push(pod);
  }
  const { forSeconds } = options;
  return [...members.values()].flatMap((ofWorkload) => {
    const [first] = ofWorkload;
    if (first === undefined || ofWorkload.length < WORKLOAD_PODS) return [];
    const flagged = countsOf(ofWorkload, minutes, (pod) => pod.flagged);
    if (!flagged.some((count) => count > 0)) return [];
    const scored = countsOf(ofWorkload, minutes, (pod) => pod.scored);
    const ratios = Float64Array.from(scored, (count, minute) =>
      count >= WORKLOAD_PODS ? (flagged[minute] as number) / count : Number.NaN,
    );
    const window = new ReadingWindows(twice(ratios), options.closedRanges);
    const identity = {
      name: 'WorkloadAnomalous',
      namespace: first.namespace,
      workload: first.workload,
      pod: '',
    } as const;
    return firing(identity, window.length, 0, minutes * MINUTE_SECONDS, (reading) => {
      if (!(window.at(reading) > WORKLOAD_SHARE)) return false;
      return (
        window.average(reading, forSeconds) > WORKLOAD_SHARE &&
        window.maximum(reading, SHIPPED_FOR_SECONDS, forSeconds) > WORKLOAD_SHARE
      );
    });
  });
}

function massAlerts(pods: readonly PodFlags[], minutes: number, options: RuleOptions): Alert[] {
  const flagged = countsOf(pods, minutes, (pod) => pod.flagged);
  const scored = countsOf(pods, minutes, (pod) => pod.scored);
  const ratios = Float64Array.from(scored, (count, minute) =>
    count > 0 ? (flagged[minute] as number) / count : Number.NaN,
  );
  const window = new ReadingWindows(twice(ratios), options.closedRanges);
  const identity = { name: 'AnomalyMassFlagging', namespace: '', workload: '', pod: '' } as const;
  return firing(identity, window.length, 0, minutes * MINUTE_SECONDS, (reading) => {
    if ((flagged[Math.floor(reading / READINGS_A_MINUTE)] as number) < MASS_PODS) return false;
    return (
      window.minimum(reading, MASS_SECONDS) > MASS_SHARE &&
      window.count(reading, MASS_SECONDS) >= MASS_READINGS
    );
  });
}

/** Which stretches of time have to be evaluated for a pod: around its flags. Minutes, from and to. */
function stretchesOf(flagged: Runs, minutes: number, { forSeconds }: RuleOptions): [number, number][] {
  const margin = MARGIN_MINUTES + Math.ceil((forSeconds + SHIPPED_FOR_SECONDS) / MINUTE_SECONDS);
  const keep = Math.ceil(KEEP_FIRING_SECONDS.PodAnomalous / MINUTE_SECONDS);
  const stretches: [number, number][] = [];
  for (let index = 0; index < flagged.length; index += 2) {
    const from = Math.max(0, (flagged[index] as number) - margin);
    const to = Math.min(minutes, (flagged[index + 1] as number) + margin + keep);
    const last = stretches[stretches.length - 1];
    if (last !== undefined && from <= last[1]) last[1] = to;
    else stretches.push([from, to]);
  }
  return stretches;
}

/** Readings of `anomaly_flag`, two a minute; `NaN` where the pod has none. */
function readingsOf({ scored, flagged }: PodFlags, from: number, to: number): Float64Array {
  const values = new Float64Array((to - from) * READINGS_A_MINUTE).fill(Number.NaN);
  const fill = (runs: Runs, value: number) => {
    for (let index = 0; index < runs.length; index += 2) {
      const first = Math.max(from, runs[index] as number);
      const end = Math.min(to, runs[index + 1] as number);
      if (first < end)
        values.fill(value, (first - from) * READINGS_A_MINUTE, (end - from) * READINGS_A_MINUTE);
    }
  };
  fill(scored, 0);
  fill(flagged, 1);
  return values;
}

function twice(minutes: Float64Array): Float64Array {
  return Float64Array.from(
    { length: minutes.length * READINGS_A_MINUTE },
    (_, reading) => minutes[Math.floor(reading / READINGS_A_MINUTE)] as number,
  );
}

/** How many pods are in a run at each minute. */
function countsOf(
  pods: readonly PodFlags[],
  minutes: number,
  runsOfPod: (pod: PodFlags) => Runs,
): Int32Array {
  const counts = new Int32Array(minutes + 1);
  for (const pod of pods) {
    const runs = runsOfPod(pod);
    for (let index = 0; index < runs.length; index++) {
      const minute = runs[index] as number;
      counts[minute] = (counts[minute] as number) + (index % 2 === 0 ? 1 : -1);
    }
  }
  for (let minute = 1; minute < counts.length; minute++) {
    counts[minute] = (counts[minute] as number) + (counts[minute - 1] as number);
  }
  return counts.subarray(0, minutes);
}

/** The functions over time of PromQL, on readings at equal distances; `NaN` where there is no reading. */
class ReadingWindows {
  readonly #values: Float64Array;
  /** A range that begins at a reading includes it. */
  readonly #closed: number;

  constructor(values: Float64Array, closedRanges: boolean) {
    this.#values = values;
    this.#closed = closedRanges ? 1 : 0;
  }

  get length(): number {
    return this.#values.length;
  }

  at(reading: number): number {
    return this.#values[reading] as number;
  }

  average(reading: number, seconds: number): number {
    return this.sum(reading, seconds) / this.count(reading, seconds);
  }

  sum(reading: number, seconds: number): number {
    return this.#fold(reading, seconds, 0, (sum, value) => sum + value, 0);
  }

  count(reading: number, seconds: number): number {
    return this.#fold(reading, seconds, 0, (count) => count + 1, 0);
  }

  minimum(reading: number, seconds: number): number {
    return this.#fold(
      reading,
      seconds,
      0,
      (least, value) => Math.min(least, value),
      Number.POSITIVE_INFINITY,
    );
  }

  maximum(reading: number, seconds: number, offsetSeconds: number): number {
    return this.#fold(
      reading,
      seconds,
      offsetSeconds,
      (most, value) => Math.max(most, value),
      Number.NEGATIVE_INFINITY,
    );
  }

  #fold(
    reading: number,
    seconds: number,
    offsetSeconds: number,
    add: (result: number, value: number) => number,
    initial: number,
  ): number {
    const last = reading - Math.round(offsetSeconds / EVALUATION_SECONDS);
    const first = last - Math.round(seconds / EVALUATION_SECONDS) + 1 - this.#closed;
    let result = initial;
    for (let index = Math.max(0, first); index <= last; index++) {
      const value = this.#values[index] as number;
      if (!Number.isNaN(value)) result = add(result, value);
    }
    return result;
  }
}

/** Goes through the evaluations of one alert: fires while the condition holds, and for a while after. */
function firing(
  identity: Pick<Alert, 'name' | 'namespace' | 'workload' | 'pod'>,
  readings: number,
  offsetSeconds: number,
  limitSeconds: number,
  holds: (reading: number) => boolean,
): Alert[] {
  const keep = KEEP_FIRING_SECONDS[identity.name] / EVALUATION_SECONDS;
  const alerts: Alert[] = [];
  const at = (reading: number) => offsetSeconds + reading * EVALUATION_SECONDS;
  let start: number | undefined;
  /** The first evaluation since the condition no longer holds. */
  let keptSince: number | undefined;
  const add = (end: number, open: boolean) => {
    if (start === undefined) return;
    const heldUntilSeconds = keptSince === undefined ? end : at(keptSince);
    alerts.push({ ...identity, startSeconds: at(start), heldUntilSeconds, endSeconds: end, open });
  };
  for (let reading = 0; reading < readings; reading++) {
    if (holds(reading)) {
      start ??= reading;
      keptSince = undefined;
    } else if (start !== undefined) {
      keptSince ??= reading;
      if (reading - keptSince < keep) continue;
      add(at(reading), false);
      start = undefined;
      keptSince = undefined;
    }
  }
  add(limitSeconds, true);
  return alerts;
}

/** Equal for alerts with equal labels. */
export function alertKey({ name, namespace, workload, pod }: Alert): string {
  return [name, namespace, workload, pod].join('\0');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
