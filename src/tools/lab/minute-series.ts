/** From the bins of a pod to its minutes in the form of a feature table. */

import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import { fillGaps } from '../../exporter/features/table-builder.js';
import { type Counts, count } from './counts.js';
import { MINUTES_OF_CHUNK, type MinuteBins } from './minute-bins.js';

/** Hours since 1970, first and last included. */
export interface HourRange {
  readonly first: number;
  readonly last: number;
}

/** Minutes of one pod in a row. */
export interface MinuteSeries {
  /** Minutes since 1970. */
  readonly firstMinute: number;
  /** minutes × features, `NaN` where there is no value. */
  readonly cells: Float64Array;
}

/** All minutes of a pod from its first value to its last within a range; `undefined` when there is no value. */
export function seriesOf(bins: MinuteBins, range: HourRange, width: number): MinuteSeries | undefined {
  let first = Infinity;
  let last = -Infinity;
  for (const hour of bins.hours()) {
    if (hour < range.first || hour > range.last) continue;
    first = Math.min(first, hour);
    last = Math.max(last, hour);
  }
  if (first > last) return undefined;
  const cellsOfHour = MINUTES_OF_CHUNK * width;
  const cells = new Float64Array((last - first + 1) * cellsOfHour).fill(Number.NaN);
  for (let hour = first; hour <= last; hour++) {
    const values = bins.valuesOf(hour);
    if (values !== undefined) cells.set(values, (hour - first) * cellsOfHour);
  }
  return trim({ firstMinute: first * MINUTES_OF_CHUNK, cells }, width);
}

/** Without the minutes at both ends that hold no value. */
function trim({ firstMinute, cells }: MinuteSeries, width: number): MinuteSeries | undefined {
  const firstCell = cells.findIndex((value) => !Number.isNaN(value));
  if (firstCell < 0) return undefined;
  const lastCell = cells.findLastIndex((value) => !Number.isNaN(value));
  const from = Math.floor(firstCell / width);
  const to = Math.floor(lastCell / width) + 1;
  return { firstMinute: firstMinute + from, cells: cells.slice(from * width, to * width) };
}

/**
 * A series as a `FeatureTableBuilder` would put it: each minute is complete or `NaN` in all its cells, and the gaps of
 * a feature that is not required are filled with the value before. Before its first value, a gauge reads as 0: more is
 * known from the future only. A counter reads as its first value, as only rises count.
 *
 * @returns from the first complete minute to the last; `undefined` when none is.
 */
export function completeSeries(
  series: MinuteSeries,
  features: readonly FeatureDefinition[],
): MinuteSeries | undefined {
  const cells = series.cells.slice();
  features.forEach(({ required, type }, column) => {
    if (required) return;
    if (type === 'gauge' && Number.isNaN(cells[column])) cells[column] = 0;
    fillGaps(cells, column, features.length);
  });
  for (let row = 0; row < cells.length; row += features.length) {
    const lacks = features.some(({ required }, column) => required && Number.isNaN(cells[row + column]));
    if (lacks) cells.fill(Number.NaN, row, row + features.length);
  }
  return trim({ firstMinute: series.firstMinute, cells }, features.length);
}

/**
 * Counts the minutes that have some of the required features but not all, by the first one that is missing
 * (`missing_cpu`).
 *
 * @param fromMinute minutes since 1970; what is before does not count.
 */
export function countIncomplete(
  { firstMinute, cells }: MinuteSeries,
  features: readonly FeatureDefinition[],
  fromMinute: number,
): Counts {
  const incomplete = new Map<string, number>();
  const width = features.length;
  for (let row = Math.max(0, fromMinute - firstMinute) * width; row < cells.length; row += width) {
    const missing = features.filter(({ required }, column) => required && Number.isNaN(cells[row + column]));
    const present = features.some(({ required }, column) => required && !Number.isNaN(cells[row + column]));
    if (present && missing[0] !== undefined) count(incomplete, `missing_${missing[0].name}`);
  }
  return incomplete;
}
