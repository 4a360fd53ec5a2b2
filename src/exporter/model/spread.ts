/** Centre and spread of one feature of one pod. */

import { type LocationScale, quantileInPlace, robustLocationScale } from '../../lib/statistics.js';
import type { FeatureDefinition } from '../features/catalog.js';

/** What the spread is at least, and how far a value may be from the centre to count as usual. */
export interface SpreadOptions extends Pick<FeatureDefinition, 'spreadFloor' | 'relativeSpreadFloor'> {
  /** Spreads. */
  readonly sensitivity: number;
}

/** An earlier slice of time counts as half of the window, however many samples it has. */
const SLICE_WEIGHT = 0.5;

/** A slice with less than half of its samples says too little. */
const MINIMUM_SLICE_COVERAGE = 0.5;

/** Instants of the running median: a burst that is shorter than half of them leaves no trace in it. */
const RUNNING_MEDIAN_INSTANTS = 5;

/** The share of instants whose bursts must fit into the spread. */
const BURST_QUANTILE = 0.9;

/**
 * Median and spread of a pod's samples. The spread is the largest of three: the scaled median absolute deviation; the
 * floors; and what bursts of one or two instants leave above a running median. Plateaus of three instants and more,
 * as faults and changes of level are, leave nothing there, so that repeated faults do not widen the spread.
 *
 * @param window one value for each instant of the window, `NaN` where it is missing; at least one value.
 * @param slices the same for earlier slices of time. They keep an incident from becoming the usual level before it
 *   has lasted for about a whole window.
 * @param scratch room to work in, `scratchLength` numbers; of use where this is called for many pods.
 */
export function fitLocationScale(
  window: Float64Array,
  slices: readonly Float64Array[],
  options: SpreadOptions,
  scratch: Float64Array = new Float64Array(scratchLength(window, slices)),
): LocationScale {
  let count = 0;
  for (let instant = 0; instant < window.length; instant++) {
    const value = window[instant] as number;
    if (!Number.isNaN(value)) scratch[count++] = value;
  }
  for (const slice of slices) count = resample(slice, sliceShare(window), scratch, count);
  const { location, scale } = robustLocationScale(scratch, count);
  const floor = Math.max(scale, options.relativeSpreadFloor * Math.abs(location), options.spreadFloor);
  const bursts = burstSpread(window, location, options.sensitivity * floor, scratch);
  return { location, scale: Math.max(floor, bursts) };
}

/** How many numbers `fitLocationScale` takes room for. */
export function scratchLength(window: Float64Array, slices: readonly Float64Array[]): number {
  const longest = slices.reduce((length, slice) => Math.max(length, slice.length), 0);
  return window.length + slices.length * sliceShare(window) + longest;
}

/** Values that stand for a slice. */
function sliceShare(window: Float64Array): number {
  return Math.round(SLICE_WEIGHT * window.length);
}

/**
 * Writes `count` values that are spread evenly over the present values of a slice; none where too few are present.
 *
 * @param into has room for them and the slice, from `start` on.
 * @returns the end of what was written.
 */
function resample(slice: Float64Array, count: number, into: Float64Array, start: number): number {
  const presentStart = start + count;
  let present = 0;
  for (let instant = 0; instant < slice.length; instant++) {
    const value = slice[instant] as number;
    if (!Number.isNaN(value)) into[presentStart + present++] = value;
  }
  if (present === 0 || present < MINIMUM_SLICE_COVERAGE * slice.length) return start;
  for (let index = 0; index < count; index++) {
    into[start + index] = into[presentStart + Math.floor((index * present) / count)] as number;
  }
  return start + count;
}

/**
 * The quantile of the distances from the running median, over the instants at which that median is near the usual
 * level: an incident's own noise must not widen the spread.
 *
 * @param distances has room for as many numbers as the window.
 */
function burstSpread(window: Float64Array, location: number, reach: number, distances: Float64Array): number {
  const half = (RUNNING_MEDIAN_INSTANTS - 1) / 2;
  let count = 0;
  for (let instant = half; instant < window.length - half; instant++) {
    const value = window[instant] as number;
    if (Number.isNaN(value)) continue;
    const level = medianAround(window, instant - half, instant + half);
    if (Math.abs(level - location) <= reach) distances[count++] = Math.abs(value - level);
  }
  return count === 0 ? 0 : quantileInPlace(distances, count, BURST_QUANTILE);
}

const around = new Float64Array(RUNNING_MEDIAN_INSTANTS);

/** Median of the present values from `first` to `last`, of which there is one at least. */
function medianAround(values: Float64Array, first: number, last: number): number {
  let count = 0;
  for (let instant = first; instant <= last; instant++) {
    const value = values[instant] as number;
    if (Number.isNaN(value)) continue;
    // Insertion: for five values, nothing is faster.
    let place = count++;
    for (; place > 0 && (around[place - 1] as number) > value; place--) {
      around[place] = around[place - 1] as number;
    }
    around[place] = value;
  }
  const middle = (count - 1) >> 1;
  const lower = around[middle] as number;
  return count % 2 === 1 ? lower : lower + ((around[middle + 1] as number) - lower) * 0.5;
}
