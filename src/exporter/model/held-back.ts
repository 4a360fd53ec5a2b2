/** What came of the boundaries: which workloads exceeded them in hours that the boundaries do not rest on. */

import type { FeatureDefinition } from '../features/catalog.js';
import { BINS_PER_HOUR } from '../history/grid.js';
import { decodeLevel, type WorkloadHistory } from '../history/workload-history.js';
import { SEASON_SLOTS, slotOfBin } from './season.js';
import { isFall, SIBLING_VIEWS, VIEWS } from './view-list.js';

/** What was beyond its boundary stays flagged down to this share of it. */
export const HELD_SHARE = 0.5;

/** What deviations in hours of the history are judged by; see `Limits`. */
interface Judged {
  readonly season: Uint16Array;
  readonly range: Float32Array;
  readonly boundaries: Float32Array;
}

/** The deviations of a workload in some hours, with the boundary of each view that has one. */
function* deviationsOf(
  history: WorkloadHistory,
  features: readonly FeatureDefinition[],
  { season, range, boundaries }: Judged,
  first: number,
  last: number,
) {
  const hourly = new Float64Array(last - first + 1);
  const bins = new Float64Array(hourly.length * BINS_PER_HOUR);
  const slots = Array.from(bins, (_, bin) => slotOfBin(first * BINS_PER_HOUR + bin));
  const gauges = features.flatMap(({ name }, column) => {
    const gauge = history.gauges.indexOf(name);
    return gauge < 0 ? [] : [{ gauge, column }];
  });
  for (let row = 0; row < history.workloads.length; row++) {
    for (const { gauge, column } of gauges) {
      const cell = row * features.length + column;
      for (let view = 0; view < VIEWS.length; view++) {
        const boundary = boundaries[cell * VIEWS.length + view] as number;
        if (Number.isNaN(boundary)) continue;
        if (view >= SIBLING_VIEWS) {
          history.copySiblings(row, gauge, view - SIBLING_VIEWS, first, hourly);
          yield { row, cell: cell * VIEWS.length + view, boundary, deviations: hourly };
          continue;
        }
        history.copyBins(row, gauge, view + 1, first, bins);
        for (let bin = 0; bin < bins.length; bin++) {
          const deviation =
            (bins[bin] as number) - decodeLevel(season[cell * SEASON_SLOTS + (slots[bin] as number)] as number);
          bins[bin] = isFall(view)
            ? (range[2 * cell] as number) - deviation
            : deviation - (range[2 * cell + 1] as number);
        }
        yield { row, cell: cell * VIEWS.length + view, boundary, deviations: bins };
      }
    }
  }
}

/**
 * Counts the workloads that exceed the boundary of any gauge and view in any of some hours.
 *
 * @param first, last numbers of the first and the last hour.
 */
export function countExceeding(
  history: WorkloadHistory,
  features: readonly FeatureDefinition[],
  limits: Judged,
  first: number,
  last: number,
): number {
  const rows = new Set<number>();
  for (const { row, boundary, deviations } of deviationsOf(history, features, limits, first, last)) {
    if (!rows.has(row) && deviations.some((deviation) => deviation > boundary)) rows.add(row);
  }
  return rows.size;
}

/**
 * workloads × features × `VIEWS`: 1 where a workload is held: it was beyond a boundary in some hours, and since then never
 * below the share of it that holds.
 */
export function heldOf(
  history: WorkloadHistory,
  features: readonly FeatureDefinition[],
  limits: Judged,
  first: number,
  last: number,
): Uint8Array {
  const held = new Uint8Array(limits.boundaries.length);
  for (const { cell, boundary, deviations } of deviationsOf(history, features, limits, first, last)) {
    let isHeld = false;
    for (const deviation of deviations) {
      if (deviation > boundary) isHeld = true;
      else if (deviation < HELD_SHARE * boundary) isHeld = false;
    }
    if (isHeld) held[cell] = 1;
  }
  return held;
}
