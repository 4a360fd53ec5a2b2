/** What came of the boundaries: which workloads exceeded them in hours that the boundaries do not rest on. */

import type { FeatureDefinition } from '../features/catalog.js';
import { BINS_PER_HOUR } from '../history/grid.js';
import { decodeLevel, type WorkloadHistory } from '../history/workload-history.js';
import { type Limits, SIBLING_VIEWS, VIEWS } from './limits.js';
import { SEASON_SLOTS, slotOfBin } from './season.js';

/**
 * Counts the workloads that exceed the boundary of any gauge and view in any of some hours.
 *
 * @param first, last numbers of the first and the last hour.
 */
export function countExceeding(
  history: WorkloadHistory,
  features: readonly FeatureDefinition[],
  { season, boundaries }: Pick<Limits, 'season' | 'boundaries'>,
  first: number,
  last: number,
): number {
  const hourly = new Float64Array(last - first + 1);
  const bins = new Float64Array(hourly.length * BINS_PER_HOUR);
  const slots = Array.from(bins, (_, bin) => slotOfBin(first * BINS_PER_HOUR + bin));
  const isBeyond = (row: number, column: number, gauge: number, view: number) => {
    const cell = row * features.length + column;
    const boundary = boundaries[cell * VIEWS.length + view] as number;
    if (Number.isNaN(boundary)) return false;
    if (view >= SIBLING_VIEWS) {
      history.copySiblings(row, gauge, view - SIBLING_VIEWS, first, hourly);
      return hourly.some((deviation) => deviation > boundary);
    }
    history.copyBins(row, gauge, view + 1, first, bins);
    const sign = view % 2 === 1 ? -1 : 1;
    return bins.some((level, bin) => {
      const expected = decodeLevel(season[cell * SEASON_SLOTS + (slots[bin] as number)] as number);
      return sign * (level - expected) > boundary;
    });
  };
  const gauges = features.flatMap(({ name }, column) => {
    const gauge = history.gauges.indexOf(name);
    return gauge < 0 ? [] : [{ gauge, column }];
  });
  let count = 0;
  for (let row = 0; row < history.workloads.length; row++) {
    if (gauges.some(({ gauge, column }) => VIEWS.some((_, view) => isBeyond(row, column, gauge, view)))) count++;
  }
  return count;
}
