/** Centre and spread of one feature of one pod. */

import { type LocationScale, quantileOfSorted, robustLocationScale } from './statistics.js';

/** What the spread is at least, and how far a value may be from the centre to count as usual. */
export interface SpreadOptions {
  /** In the feature's unit. */
  readonly spreadFloor: number;
  /** As a share of the centre. */
  readonly relativeSpreadFloor: number;
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
 * @param window one value for each instant of the window, `NaN` where there is none; at least one value.
 * @param slices the same for earlier slices of time. They keep an incident from becoming the usual level before it
 *   has lasted for about a whole window.
 */
export function fitLocationScale(
  window: Float64Array,
  slices: readonly Float64Array[],
  options: SpreadOptions,
): LocationScale {
  const recent = window.filter((value) => !Number.isNaN(value));
  const older = slices.map((slice) => resample(slice, Math.round(SLICE_WEIGHT * window.length)));
  const samples = new Float64Array(recent.length + older.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const part of [recent, ...older]) {
    samples.set(part, position);
    position += part.length;
  }
  const { location, scale } = robustLocationScale(samples);
  const floor = Math.max(scale, options.relativeSpreadFloor * Math.abs(location), options.spreadFloor);
  const bursts = burstSpread(window, location, options.sensitivity * floor);
  return { location, scale: Math.max(floor, bursts) };
}

/** `count` values that are spread evenly over the present values of a slice; none where too few are present. */
function resample(slice: Float64Array, count: number): Float64Array {
  const present = slice.filter((value) => !Number.isNaN(value));
  if (present.length === 0 || present.length < MINIMUM_SLICE_COVERAGE * slice.length)
    return new Float64Array(0);
  return Float64Array.from({ length: count }, (_, index) => {
    return present[Math.floor((index * present.length) / count)] as number;
  });
}

/**
 * The quantile of the distances from the running median, over the instants at which that median is near the usual
 * level: an incident's own noise must not widen the spread.
 */
function burstSpread(window: Float64Array, location: number, reach: number): number {
  const half = (RUNNING_MEDIAN_INSTANTS - 1) / 2;
  const distances = new Float64Array(window.length);
  const around = new Float64Array(RUNNING_MEDIAN_INSTANTS);
  let count = 0;
  for (let instant = half; instant < window.length - half; instant++) {
    const value = window[instant] as number;
    if (Number.isNaN(value)) continue;
    let present = 0;
    for (let neighbour = instant - half; neighbour <= instant + half; neighbour++) {
      if (!Number.isNaN(window[neighbour])) around[present++] = window[neighbour] as number;
    }
    const level = quantileOfSorted(around.subarray(0, present).sort(), 0.5);
    if (Math.abs(level - location) <= reach) distances[count++] = Math.abs(value - level);
  }
  return count === 0 ? 0 : quantileOfSorted(distances.subarray(0, count).sort(), BURST_QUANTILE);
}
