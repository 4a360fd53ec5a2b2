/** What is remembered of an hour: a few numbers for each workload, whatever the number of its pods. */

import { groupBy } from '../../lib/group-by.js';
import { medianOfKnown } from '../../lib/statistics.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { heightAfter } from '../features/counter-height.js';
import { type FeatureTable, type PodIdentity, podKey } from '../features/table.js';
import { BIN_SECONDS, BINS_PER_HOUR, HISTORY_STEP_SECONDS, HOUR_SECONDS } from './grid.js';
import { levelOf } from './level.js';
import { lastRelease, revisionOf } from './release.js';
import { type Sustained, sustainedLong, sustainedShort } from './sustained.js';

/** What a half hour is remembered by. All are levels (`levelOf`), `NaN` where they are not known. */
export const BIN_FIELDS = [
  /** The median of all pods. */
  'level',
  /** The highest level that any pod stayed above, and the lowest that any stayed below, for the short and the long time. */
  'high',
  'low',
  'highLong',
  'lowLong',
] as const;

/** The largest deviations of any pod from its siblings at the same minute, for the short and the long time. */
export const SIBLING_FIELDS = ['siblingsUp', 'siblingsDown', 'siblingsLongUp', 'siblingsLongDown'] as const;

/** Pods of a workload that are there at an instant, so that the median of them says what is usual for one. */
export const LEAST_SIBLINGS = 3;

/** Rises of a counter are summed over this time, in seconds. */
export const RISE_SECONDS = 3600;

/** The summary of one hour. It depends on nothing but the samples of that hour and the one before. */
export interface HourSummary {
  /** Number of the hour since 1970 (`hourOf`). */
  readonly hour: number;
  /** Pods that were there at some time. */
  readonly pods: number;
  /** Keys of the workloads that had pods (`podKey`). */
  readonly workloads: readonly string[];
  /** Names of the features that are gauges, and of those that are counters. */
  readonly gauges: readonly string[];
  readonly counters: readonly string[];
  /** workloads × gauges × `BINS_PER_HOUR` × `BIN_FIELDS`. */
  readonly bins: Float32Array;
  /** workloads × gauges × `SIBLING_FIELDS`: differences of levels, `NaN` where no pod has siblings. */
  readonly siblings: Float32Array;
  /** workloads × counters: the largest rise of any pod within `RISE_SECONDS`. */
  readonly rises: Float32Array;
  /** workloads: the instant of the hour, from 1, at which another revision became that of most pods; 0 without a release. */
  readonly releases: Float32Array;
}

const LEVEL = 0;
/** Where the extremes begin: up and down for the short and then the long time. */
const EXTREMES = 1;

/**
 * Summarises an hour.
 *
 * @param table with the instants from an hour before on, `HISTORY_STEP_SECONDS` apart, at multiples of that; instants of
 *   other hours may be there as well.
 * @param features definitions of the columns of the table, in their order.
 */
export function summariseHour(table: FeatureTable, features: readonly FeatureDefinition[], hour: number): HourSummary {
  const gauges = features.filter(({ type }) => type === 'gauge');
  const counters = features.filter(({ type }) => type === 'counter');
  const end = Math.round(((hour + 1) * HOUR_SECONDS - (table.timestampsSeconds[0] ?? 0)) / HISTORY_STEP_SECONDS);
  const instants = { first: end - HOUR_SECONDS / HISTORY_STEP_SECONDS + 1, end };
  const members = groupPods(
    table,
    instants,
    counters.map((counter) => features.indexOf(counter)),
  );
  const workloads = [...members.keys()];
  // Those as well that were there in the hour before only: what they were says what has changed.
  const everyPod = groupBy(table.pods.keys(), (pod) => workloadKeyOf(table.pods[pod] as PodIdentity));
  const summary: HourSummary = {
    hour,
    pods: [...members.values()].reduce((sum, pods) => sum + pods.length, 0),
    workloads,
    gauges: gauges.map(({ name }) => name),
    counters: counters.map(({ name }) => name),
    bins: unknown(workloads.length * gauges.length * BINS_PER_HOUR * BIN_FIELDS.length),
    siblings: unknown(workloads.length * gauges.length * SIBLING_FIELDS.length),
    rises: unknown(workloads.length * counters.length),
    releases: new Float32Array(workloads.length),
  };
  let row = 0;
  for (const [key, pods] of members) {
    for (const [index, gauge] of gauges.entries()) {
      const cell = row * gauges.length + index;
      const group = new Levels(table, pods, gauge, features.indexOf(gauge));
      group.summarise(
        instants,
        summary.bins.subarray(cell * BINS_PER_HOUR * BIN_FIELDS.length),
        summary.siblings.subarray(cell * SIBLING_FIELDS.length),
      );
    }
    for (const [index, counter] of counters.entries()) {
      const column = features.indexOf(counter);
      summary.rises[row * counters.length + index] = largestRise(table, pods, column, instants);
    }
    summary.releases[row] = releaseOf(table, everyPod.get(key) ?? pods, instants);
    row++;
  }
  return summary;
}

/** Positions of instants in a table; both are included. */
interface Instants {
  readonly first: number;
  readonly end: number;
}

const workloadKeyOf = ({ namespace, workload }: PodIdentity) => podKey(namespace, workload);

const unknown = (length: number) => new Float32Array(length).fill(Number.NaN);

/** The pods that were there in an hour, or of which a counter rose, by workload, in the order of their keys. */
function groupPods(table: FeatureTable, { first, end }: Instants, counters: readonly number[]): Map<string, number[]> {
  const members = new Map<string, number[]>();
  for (const [pod, identity] of table.pods.entries()) {
    let instant = Math.max(0, first);
    while (instant <= end && !table.isPresent(pod, instant)) instant++;
    // A pod that has ended keeps its counters; one that restarts all the time may have nothing else.
    if (instant > end && !counters.some((column) => largestRise(table, [pod], column, { first, end }) > 0)) continue;
    const key = workloadKeyOf(identity);
    const pods = members.get(key);
    if (pods === undefined) members.set(key, [pod]);
    else pods.push(pod);
  }
  return members;
}

/** The levels of one feature of the pods of a workload. */
class Levels {
  readonly #instants: number;
  /** One array of instants for each pod. */
  readonly #pods: readonly Float64Array[];
  /** The median of the pods at each instant, where there are siblings. */
  readonly #middle: Float64Array;

  constructor(table: FeatureTable, pods: readonly number[], gauge: FeatureDefinition, column: number) {
    this.#instants = table.timestampsSeconds.length;
    this.#pods = pods.map((pod) => {
      const levels = new Float64Array(this.#instants);
      table.copyColumn(pod, column, levels);
      for (let instant = 0; instant < levels.length; instant++) {
        levels[instant] = levelOf(gauge, levels[instant] as number);
      }
      return levels;
    });
    const room = new Float64Array(pods.length);
    this.#middle = Float64Array.from({ length: this.#instants }, (_, instant) => {
      for (const [pod, levels] of this.#pods.entries()) room[pod] = levels[instant] as number;
      return medianOfKnown(room, LEAST_SIBLINGS);
    });
  }

  /** @param bins,siblings are written to: those of one workload and feature. */
  summarise({ first, end }: Instants, bins: Float32Array, siblings: Float32Array): void {
    const perBin = BIN_SECONDS / HISTORY_STEP_SECONDS;
    const bound: Sustained = { up: Number.NaN, down: Number.NaN };
    const difference = new Float64Array(this.#instants);
    for (const levels of this.#pods) {
      for (let instant = 0; instant <= end; instant++) {
        difference[instant] = (levels[instant] as number) - (this.#middle[instant] as number);
      }
      for (let instant = Math.max(0, first); instant <= end; instant++) {
        if (Number.isNaN(levels[instant] as number)) continue;
        const bin = bins.subarray(Math.floor((instant - first) / perBin) * BIN_FIELDS.length);
        widen(bin, levels, instant, bound);
        sustainedShort(difference, instant, HISTORY_STEP_SECONDS, bound);
        raise(siblings, 0, bound.up);
        raise(siblings, 1, -bound.down);
        sustainedLong(difference, instant, HISTORY_STEP_SECONDS, bound);
        raise(siblings, 2, bound.up);
        raise(siblings, 3, -bound.down);
      }
    }
    for (let bin = 0; bin < BINS_PER_HOUR; bin++) {
      const from = Math.max(0, first + bin * perBin);
      bins[bin * BIN_FIELDS.length + LEVEL] = this.#median(from, first + (bin + 1) * perBin);
    }
  }

  /** Of all pods from one instant to before another. */
  #median(from: number, to: number): number {
    const size = Math.max(0, to - from);
    const room = new Float64Array(this.#pods.length * size);
    for (const [pod, levels] of this.#pods.entries()) room.set(levels.subarray(from, from + size), pod * size);
    return medianOfKnown(room);
  }
}

/** Widens the extremes of a bin by what a series stayed above and below up to an instant. */
function widen(bin: Float32Array, series: Float64Array, instant: number, bound: Sustained): void {
  sustainedLong(series, instant, HISTORY_STEP_SECONDS, bound);
  raise(bin, EXTREMES + 2, bound.up);
  lower(bin, EXTREMES + 3, bound.down);
  sustainedShort(series, instant, HISTORY_STEP_SECONDS, bound);
  raise(bin, EXTREMES, bound.up);
  lower(bin, EXTREMES + 1, bound.down);
}

function raise(values: Float32Array, cell: number, value: number): void {
  if (!(value <= (values[cell] as number)) && !Number.isNaN(value)) values[cell] = value;
}

function lower(values: Float32Array, cell: number, value: number): void {
  if (!(value >= (values[cell] as number)) && !Number.isNaN(value)) values[cell] = value;
}

/** Of any pod, over the last `RISE_SECONDS` of any instant. */
function largestRise(table: FeatureTable, pods: readonly number[], column: number, { first, end }: Instants): number {
  const span = RISE_SECONDS / HISTORY_STEP_SECONDS;
  let largest = 0;
  const rises = new Float64Array(table.timestampsSeconds.length);
  for (const pod of pods) {
    table.copyColumn(pod, column, rises);
    let height = Number.NaN;
    let sum = 0;
    for (let instant = 0; instant <= end; instant++) {
      const value = rises[instant] as number;
      rises[instant] = value > height ? value - height : 0;
      height = heightAfter(height, value);
      sum += (rises[instant] as number) - (rises[instant - span] ?? 0);
      if (instant >= first) largest = Math.max(largest, sum);
    }
  }
  return largest;
}

/** The instant of the last release, counted from 1; 0 without one. */
function releaseOf(table: FeatureTable, pods: readonly number[], { first, end }: Instants): number {
  const revisions = pods.map((pod) => revisionOf(table.pods[pod] as PodIdentity));
  const isPresent = (position: number, instant: number) => table.isPresent(pods[position] as number, instant);
  const release = lastRelease(revisions, isPresent, { first, end, hour: HOUR_SECONDS / HISTORY_STEP_SECONDS });
  return release < 0 ? 0 : release - first + 1;
}
