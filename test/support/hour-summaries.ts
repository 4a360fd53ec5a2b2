/** Summaries of hours with the numbers that a test needs. */

import { BINS_PER_HOUR } from '../../src/exporter/history/grid.js';
import { BIN_FIELDS, type HourSummary, SIBLING_FIELDS } from '../../src/exporter/history/hour-summary.js';

/** Levels of all fields of a bin. */
const FIELD_OFFSETS = [0, 0.5, -0.5, 0.25, -0.25];

/**
 * An hour of two features, of which each workload has one pod. Each number says which hour and workload it is of.
 *
 * @param workloads keys, and the level of the gauge.
 */
export function summaryOf(
  hour: number,
  workloads: Readonly<Record<string, number>>,
  { pods = Object.keys(workloads).length, rise = 1, siblings = true, release = 0 } = {},
): HourSummary {
  const levels = Object.values(workloads);
  return {
    hour,
    pods,
    workloads: Object.keys(workloads),
    gauges: ['cpu'],
    counters: ['restarts'],
    bins: Float32Array.from(
      levels.flatMap((level) =>
        Array.from({ length: BINS_PER_HOUR }, (_, half) =>
          BIN_FIELDS.map((__, field) => level + half + (FIELD_OFFSETS[field] as number)),
        ).flat(),
      ),
    ),
    siblings: Float32Array.from(
      levels.flatMap(() => SIBLING_FIELDS.map((_, field) => (siblings ? 0.1 * (field + 1) : Number.NaN))),
    ),
    rises: Float32Array.from(levels, () => rise),
    releases: Float32Array.from(levels, () => release),
  };
}

export const SUMMARY_FEATURES = { gauges: ['cpu'], counters: ['restarts'] };
