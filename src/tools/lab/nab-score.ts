/**
 * The score of the Numenta Anomaly Benchmark, by its published rules (Lavin and Ahmad, "Evaluating Real-Time Anomaly
 * Detection Algorithms", 2015; scoring code of NAB 1.1): an early detection in a labelled window earns most, further ones
 * in the same window nothing, and each detected row outside of the windows costs.
 */

import { partitionPoint } from '../../lib/partition-point.js';

/** The three profiles of NAB: what a missed window and a false detection cost, for a hit that earns at most 1. */
export const NAB_PROFILES = [
  { name: 'standard', falsePositiveWeight: 0.11, falseNegativeWeight: 1 },
  { name: 'reward_low_FP_rate', falsePositiveWeight: 0.22, falseNegativeWeight: 1 },
  { name: 'reward_low_FN_rate', falsePositiveWeight: 0.11, falseNegativeWeight: 2 },
];

type NabProfile = (typeof NAB_PROFILES)[number];

export interface NabSeries {
  /** Unix times of the rows in seconds, ascending. */
  readonly rowsSeconds: ArrayLike<number>;
  /** For each row, 1 where the detector reports an anomaly. */
  readonly detected: ArrayLike<number>;
  /** First and last row of each labelled window, Unix times in seconds; ascending, without overlap. */
  readonly windows: readonly (readonly [startSeconds: number, endSeconds: number])[];
}

/** The first rows of a series are not scored: a share of them, and at most this many. */
const PROBATION_SHARE = 0.15;
const LONGEST_PROBATION_ROWS = 750;

/** How many rows at the beginning of a series are not scored. */
export const probationRows = (rows: number): number =>
  Math.min(Math.floor(PROBATION_SHARE * rows), LONGEST_PROBATION_ROWS);

/**
 * What a detection at a position relative to a window is worth, from 1 to -1: -1 is the left edge of the window, 0 the
 * right edge, 1 a whole length of the window after it.
 */
function worth(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

/** An early detection earns exactly 1. */
const LARGEST_WORTH = worth(-1);

/**
 * The score of a detector over some series: 0 for one that detects nothing, 100 for one that finds each window at its
 * first row and nothing else; below 0 for one that does harm.
 *
 * @throws {Error} when no window is left after the rows that are not scored.
 */
export function nabScore(series: readonly NabSeries[], profile: NabProfile): number {
  const scored = series.map((each) => scoreSeries(each, profile));
  const total = scored.reduce((sum, { score }) => sum + score, 0);
  const windows = scored.reduce((sum, each) => sum + each.windows, 0);
  if (windows === 0) throw new Error('Expected at least one labelled window to score, got none.');
  const nothing = -profile.falseNegativeWeight * windows;
  return (100 * (total - nothing)) / (windows - nothing);
}

function scoreSeries({ rowsSeconds, detected, windows }: NabSeries, profile: NabProfile) {
  const first = probationRows(rowsSeconds.length);
  const limits = windows.map(
    ([start, end]) => [firstRowFrom(rowsSeconds, start), firstRowFrom(rowsSeconds, end)] as const,
  );
  const earned = limits.map(([, last]) => (last < first ? 0 : -profile.falseNegativeWeight));
  let lost = 0;
  for (let row = first; row < rowsSeconds.length; row++) {
    if (detected[row] !== 1) continue;
    const inside = limits.findIndex(([start, last]) => start <= row && row <= last);
    const window = limits[inside];
    if (window === undefined) lost += profile.falsePositiveWeight * worth(distance(limits, row));
    else {
      const [start, last] = window;
      const position = -(last - row + 1) / (last - start + 1);
      earned[inside] = Math.max(earned[inside] ?? 0, worth(position) / LARGEST_WORTH);
    }
  }
  return {
    score: earned.reduce((sum, value) => sum + value, 0) + lost,
    windows: limits.filter(([, last]) => last >= first).length,
  };
}

/** Detections outside of the windows that are this close to each other are one episode. */
const EPISODE_SECONDS = 3600;
const DAY_SECONDS = 86_400;

/** False episodes per day of a series outside of its windows, after the rows that are not scored. */
export function falseEpisodesPerDay(series: readonly NabSeries[]): number {
  let episodes = 0;
  let seconds = 0;
  for (const { rowsSeconds, detected, windows } of series) {
    let lastSeconds = Number.NEGATIVE_INFINITY;
    for (let row = probationRows(rowsSeconds.length); row < rowsSeconds.length - 1; row++) {
      const time = rowsSeconds[row] as number;
      if (windows.some(([start, end]) => start <= time && time <= end)) continue;
      seconds += (rowsSeconds[row + 1] as number) - time;
      if (detected[row] !== 1) continue;
      if (time - lastSeconds > EPISODE_SECONDS) episodes++;
      lastSeconds = time;
    }
  }
  return (episodes * DAY_SECONDS) / seconds;
}

/** How far a row is behind the window before it, in lengths of that window; infinite for rows before the first one. */
function distance(limits: readonly (readonly [number, number])[], row: number): number {
  const [start, last] = limits.findLast(([, end]) => end < row) ?? [0, Number.NEGATIVE_INFINITY];
  return (row - last) / (last === Number.NEGATIVE_INFINITY ? 1 : last - start);
}

/** The first row at or after a time. */
const firstRowFrom = (rowsSeconds: ArrayLike<number>, timeSeconds: number) =>
  partitionPoint(rowsSeconds.length, (row) => (rowsSeconds[row] as number) < timeSeconds);
