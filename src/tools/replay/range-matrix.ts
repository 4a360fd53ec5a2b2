/** Answers of Prometheus on a grid of instants: small in memory, and cheap to send to a thread. */

import { SAME_INSTANT_SECONDS } from '../../exporter/prometheus/answer/asked-instants.js';
import type { Labels, SeriesSet } from '../../exporter/prometheus/api.js';
import type { Instants } from '../../exporter/prometheus/range.js';

export type Grid = Instants;

/** What one query answered at each instant of a grid. */
export interface Slab {
  readonly grid: Grid;
  readonly labels: readonly Labels[];
  /**
   * Series × instants. `NaN` where there is no sample; a sample that is no finite number stands as infinity, which the
   * tables refuse like any other such value.
   */
  readonly values: Float64Array;
}

/** The grid from one instant to another, both included. */
export function gridBetween(startSeconds: number, endSeconds: number, stepSeconds: number): Grid {
  const instants = Math.floor((endSeconds - startSeconds) / stepSeconds + 1e-9) + 1;
  return { startSeconds, stepSeconds, instants: Math.max(0, instants) };
}

/** The last instant of a grid, Unix time in seconds. */
export function lastOf({ startSeconds, stepSeconds, instants }: Grid): number {
  return startSeconds + (instants - 1) * stepSeconds;
}

/** Puts an answer on its grid. Samples that are not on it are left out. */
export function toSlab(answer: SeriesSet, grid: Grid): Slab {
  const values = new Float64Array(answer.labels.length * grid.instants).fill(Number.NaN);
  for (let series = 0; series < answer.labels.length; series++) {
    const end = answer.offsets[series + 1] as number;
    for (let sample = answer.offsets[series] as number; sample < end; sample++) {
      const seconds = answer.timestampsSeconds[sample] as number;
      const instant = Math.round((seconds - grid.startSeconds) / grid.stepSeconds);
      const onGrid = grid.startSeconds + instant * grid.stepSeconds;
      if (instant < 0 || instant >= grid.instants || Math.abs(onGrid - seconds) > SAME_INSTANT_SECONDS) continue;
      const value = answer.values[sample] as number;
      values[series * grid.instants + instant] = Number.isFinite(value) ? value : Number.POSITIVE_INFINITY;
    }
  }
  return { grid, labels: answer.labels, values };
}
