/** Which instants a training asks for, and in how many requests: the same for the training and for what it will cost. */

import { formatNumber } from '../../lib/text/format.js';
import type { BaselineKind } from '../model/baseline.js';
import { historySlices } from '../model/hourly-pattern.js';
import { instantsPerRequest } from '../prometheus/range.js';

/** Instants at equal distances. The step does not follow from a grid that has a single instant. */
export interface Grid {
  /** Unix times in seconds, ascending. */
  readonly grid: Float64Array;
  readonly stepSeconds: number;
}

/** When a training is, and how far it looks back. */
export interface TrainingTimes {
  readonly lookbackSeconds: number;
  readonly stepSeconds: number;
  /** Unix time in seconds; the window ends at the last multiple of the step before it. */
  readonly nowSeconds: number;
  /** Time from then until the next training, in seconds: earlier hours are asked what to expect until then. */
  readonly untilNextTrainingSeconds: number;
}

/** Points in one answer of a training: about 20 MB of JSON. */
export const POINTS_PER_REQUEST = 600_000;

/** Slices of earlier hours are sampled at least this closely, in seconds, to distinguish one minute from the next. */
const LONGEST_SLICE_STEP_SECONDS = 60;

/** Points of a training: three features of 100,000 pods at every minute of an hour and of two slices are 29 million. */
export const MAXIMUM_TRAINING_POINTS = 32_000_000;

/**
 * Memory that a training adds at its peak: its thread, for each series its labels and its part of the model, and for each
 * point a cell of 8 bytes, and as much again while the table is built. Measured: docs/performance.md.
 */
const THREAD_BYTES = 55e6;
const BYTES_PER_SERIES = 1_100;
const BYTES_PER_POINT = 16;

/** The default step: what samples that are closer than this add is least missed. */
const USUAL_STEP_SECONDS = 60;

/** Windows are cut to no less than the default; and to no less than the half of it where nothing else helps. */
const SHORT_WINDOW_SECONDS = 3600;
const SHORTEST_WINDOW_SECONDS = 1800;

export interface TrainingPlan {
  readonly window: Grid;
  /** Slices of earlier hours. */
  readonly slices: readonly Grid[];
  /** Samples, if every series has one at every instant. */
  readonly points: number;
  /** Whether nothing was cut. */
  readonly isWhole: boolean;
  /** Memory that the training adds to that of the process at its peak, about. */
  readonly memoryBytes: number;
  /** What was chosen, and why: a sentence. */
  readonly reason: string;
}

/** How much of what is asked for a plan keeps. */
interface Cut {
  /** Least distance of samples, in seconds. */
  readonly stepSeconds?: number;
  /** Most slices of earlier hours; the nearest ones stay. */
  readonly slices?: number;
  /** Least length of the window where it does not fit as it is, in seconds. */
  readonly windowSeconds?: number;
}

/**
 * From nothing to all that can be cut, in the order of what each costs (docs/performance.md). Half an hour does not
 * reach back to the same minute of the last hour, so that slices of earlier hours are of no use with it.
 */
const CUTS: readonly Cut[] = [
  {},
  { stepSeconds: USUAL_STEP_SECONDS },
  { stepSeconds: USUAL_STEP_SECONDS, slices: 1 },
  { stepSeconds: USUAL_STEP_SECONDS, slices: 1, windowSeconds: SHORT_WINDOW_SECONDS },
  { stepSeconds: USUAL_STEP_SECONDS, slices: 0, windowSeconds: SHORT_WINDOW_SECONDS },
  { stepSeconds: USUAL_STEP_SECONDS, slices: 0, windowSeconds: SHORTEST_WINDOW_SECONDS },
];

/**
 * Chooses what to ask for: all of it, as long as that is at most `MAXIMUM_TRAINING_POINTS`, else the first of `CUTS`
 * that fits, or the last. No cut samples more coarsely than a minute: what lasts for some minutes would look like a
 * burst then.
 *
 * @param series all series of all features together.
 */
export function planTraining(
  times: TrainingTimes,
  baseline: BaselineKind,
  series: number,
  maximumPoints = MAXIMUM_TRAINING_POINTS,
): TrainingPlan {
  const maximumInstants = maximumPoints / Math.max(1, series);
  const drafts = CUTS.map((cut) => draftOf(times, baseline, cut, maximumInstants));
  const [asked] = drafts as [Draft];
  const chosen = drafts.find((draft) => instantsOf(draft) <= maximumInstants) ?? (drafts.at(-1) as Draft);
  const points = series * instantsOf(chosen);
  const memoryBytes = THREAD_BYTES + series * BYTES_PER_SERIES + points * BYTES_PER_POINT;
  return {
    ...chosen,
    points,
    isWhole: chosen === asked,
    memoryBytes,
    reason: reasonFor(asked, chosen, series, maximumPoints),
  };
}

type Draft = Pick<TrainingPlan, 'window' | 'slices'>;

function draftOf(
  times: TrainingTimes,
  baseline: BaselineKind,
  { stepSeconds = 0, slices: atMost = Number.POSITIVE_INFINITY, windowSeconds }: Cut,
  maximumInstants: number,
): Draft {
  const multiple = Math.max(1, Math.floor(stepSeconds / times.stepSeconds));
  const thinned = { ...times, stepSeconds: multiple * times.stepSeconds };
  const slices = trainingSlices(thinned, baseline).slice(0, atMost);
  if (windowSeconds === undefined) return { window: trainingWindow(thinned), slices };
  const fitting = (Math.floor(maximumInstants - instantsIn(slices)) - 1) * thinned.stepSeconds;
  const lookbackSeconds = Math.min(times.lookbackSeconds, Math.max(windowSeconds, fitting));
  return { window: trainingWindow({ ...thinned, lookbackSeconds }), slices };
}

function reasonFor(asked: Draft, chosen: Draft, series: number, maximumPoints: number): string {
  const all = series * instantsOf(asked);
  const remaining = series * instantsOf(chosen);
  if (all <= maximumPoints) return `All ${formatNumber(all)} samples are used.`;
  const { grid, stepSeconds } = chosen.window;
  const minutes = ((grid.at(-1) as number) - (grid[0] as number)) / 60;
  const over = remaining > maximumPoints ? ' That is still too many.' : '';
  return (
    `${formatNumber(remaining)} of ${formatNumber(all)} samples are used, as at most ${formatNumber(maximumPoints)} fit ` +
    `into memory: the last ${minutes} minutes, a sample every ${stepSeconds} s, and ${chosen.slices.length} of ` +
    `${asked.slices.length} earlier hours.${over}`
  );
}

const instantsOf = ({ window, slices }: Draft): number => instantsIn([window, ...slices]);

function instantsIn(grids: readonly Grid[]): number {
  return grids.reduce((sum, { grid }) => sum + grid.length, 0);
}

/** Instants of the window at multiples of the step, ascending: replicas that train in the same step agree. */
export function trainingWindow({ nowSeconds, lookbackSeconds, stepSeconds }: TrainingTimes): Grid {
  const end = Math.floor(nowSeconds / stepSeconds) * stepSeconds;
  const steps = Math.floor(lookbackSeconds / stepSeconds);
  const grid = Float64Array.from({ length: steps + 1 }, (_, index) => end - (steps - index) * stepSeconds);
  return { grid, stepSeconds };
}

/** The slices of earlier hours, relative to the end of the window. `cluster` needs none. */
export function trainingSlices(times: TrainingTimes, baseline: BaselineKind): readonly Grid[] {
  if (baseline === 'cluster') return [];
  const stepSeconds = Math.min(times.stepSeconds, LONGEST_SLICE_STEP_SECONDS);
  const end = trainingWindow(times).grid.at(-1) as number;
  const aheadSeconds = times.nowSeconds + times.untilNextTrainingSeconds - end;
  return historySlices(end, aheadSeconds).map(({ startSeconds, endSeconds }) => {
    const instants = Math.floor((endSeconds - startSeconds) / stepSeconds) + 1;
    const grid = Float64Array.from({ length: instants }, (_, index) => startSeconds + index * stepSeconds);
    return { grid, stepSeconds };
  });
}

/** The cost of fetching this many series over a grid, if every series has a sample at every instant. */
export function fetchingCost({ grid }: Grid, series: number): { requests: number; points: number } {
  const requests = Math.ceil(grid.length / instantsPerRequest(series, POINTS_PER_REQUEST));
  return { requests, points: series * grid.length };
}
