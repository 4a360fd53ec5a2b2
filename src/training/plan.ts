/** Which instants a training asks for, and in how many requests: the same for the training and for what it will cost. */

import { historySlices } from '../model/schedule.js';
import type { TrainingRequest } from './job.js';

/** Instants at equal distances. The step does not follow from a grid that has a single instant. */
export interface Grid {
  /** Unix times in seconds, ascending. */
  readonly grid: Float64Array;
  readonly stepSeconds: number;
}

/** The part of a training's request that says when. */
export type TrainingTimes = Pick<
  TrainingRequest,
  'lookbackSeconds' | 'stepSeconds' | 'nowSeconds' | 'untilNextTrainingSeconds'
>;

/** Points in one answer: about 20 MB of JSON, and far below Prometheus' limits on samples and on points. */
const POINTS_PER_REQUEST = 600_000;

/** Slices of earlier hours are sampled at least so closely, in seconds, to tell one minute from the next. */
const LONGEST_SLICE_STEP_SECONDS = 60;

/** Instants in a request for a feature while the number of its series is not known. */
const FIRST_REQUEST_INSTANTS = 30;

/** Prometheus answers at most this many points for each series (`exceeded maximum resolution`). */
const MAXIMUM_INSTANTS = 11_000;

/**
 * Points of a training: three features of 100,000 pods at every minute of an hour and of two slices are 29 million.
 * The tables take 8 bytes a point, and as much again while they are built.
 */
export const MAXIMUM_TRAINING_POINTS = 32_000_000;

/** A pod needs 20 samples for a past of its own; fewer instants would leave none to those that came a little later. */
const FEWEST_WINDOW_INSTANTS = 30;

/** What a training asks for. */
export interface TrainingPlan {
  readonly window: Grid;
  /** Slices of earlier hours. */
  readonly slices: readonly Grid[];
  /** The window has every how many-th of the instants that the settings name. */
  readonly stride: number;
  /** Samples, if every series has one at every instant. */
  readonly points: number;
  /** What was chosen, and why: a sentence. */
  readonly reason: string;
}

/**
 * Chooses what to ask for: all of it, as long as that is at most `MAXIMUM_TRAINING_POINTS`. Else every second instant
 * of the window, or every third and so on, which moves medians least; then without the slices, the older one first.
 *
 * @param series all series of all features together.
 */
export function planTraining(
  times: TrainingTimes,
  baseline: TrainingRequest['parameters']['baseline'],
  series: number,
  maximumPoints = MAXIMUM_TRAINING_POINTS,
): TrainingPlan {
  const window = trainingWindow(times);
  const slices = trainingSlices(times, baseline);
  const everything = pointsOf(series, [window, ...slices]);
  const instants = window.grid.length;
  const most = Math.max(1, Math.floor((instants - 1) / (FEWEST_WINDOW_INSTANTS - 1)));
  for (let kept = slices.length; kept >= 0; kept--) {
    const older = slices.slice(0, kept);
    const available = maximumPoints / Math.max(1, series) - instantsOf(older);
    const stride = available < 1 ? Number.POSITIVE_INFINITY : Math.ceil(instants / available);
    if (stride > most && kept > 0) continue;
    const thinned = thin(window, Math.min(stride, most));
    const grids = [thinned, ...older];
    const points = pointsOf(series, grids);
    return {
      window: thinned,
      slices: older,
      stride: Math.min(stride, most),
      points,
      reason: reasonFor({
        everything,
        points,
        maximumPoints,
        stepSeconds: thinned.stepSeconds,
        kept,
        of: slices.length,
      }),
    };
  }
  throw new Error('Expected a plan without slices at the latest.');
}

interface Choice {
  readonly everything: number;
  readonly points: number;
  readonly maximumPoints: number;
  readonly stepSeconds: number;
  readonly kept: number;
  readonly of: number;
}

function reasonFor({ everything, points, maximumPoints, stepSeconds, kept, of }: Choice): string {
  if (points === everything) {
    return points <= maximumPoints
      ? `Trained on every sample: ${COUNT.format(points)} are within the ${COUNT.format(maximumPoints)} that fit.`
      : `Trained on every sample, ${COUNT.format(points)}, as there are too few instants to leave any out.`;
  }
  const slices =
    kept === of ? '' : kept === 0 ? ', and without earlier hours' : ', and one earlier hour of two';
  const over = points > maximumPoints ? ' That is still too many.' : '';
  return (
    `Trained on a sample every ${stepSeconds} s${slices}: all ${COUNT.format(everything)} samples would not fit ` +
    `(${COUNT.format(maximumPoints)}), ${COUNT.format(points)} remain.${over}`
  );
}

/** `29,100,000` */
const COUNT = new Intl.NumberFormat('en-US');

/** Every `stride`-th instant, the last one among them. */
function thin({ grid, stepSeconds }: Grid, stride: number): Grid {
  if (stride === 1) return { grid, stepSeconds };
  return {
    grid: grid.filter((_, index) => (grid.length - 1 - index) % stride === 0),
    stepSeconds: stepSeconds * stride,
  };
}

function instantsOf(grids: readonly Grid[]): number {
  return grids.reduce((sum, { grid }) => sum + grid.length, 0);
}

function pointsOf(series: number, grids: readonly Grid[]): number {
  return series * instantsOf(grids);
}

/** Instants of the window at multiples of the step, ascending: replicas that train in the same step agree. */
export function trainingWindow({ nowSeconds, lookbackSeconds, stepSeconds }: TrainingTimes): Grid {
  const end = Math.floor(nowSeconds / stepSeconds) * stepSeconds;
  const steps = Math.floor(lookbackSeconds / stepSeconds);
  const grid = Float64Array.from({ length: steps + 1 }, (_, index) => end - (steps - index) * stepSeconds);
  return { grid, stepSeconds };
}

/** The slices of earlier hours, relative to the end of the window. The plain method (`cluster`) needs none. */
export function trainingSlices(
  times: TrainingTimes,
  baseline: TrainingRequest['parameters']['baseline'],
): readonly Grid[] {
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

/**
 * How many instants a request for a feature asks for, so that no answer is large.
 *
 * @param series the most series that an answer had so far, 0 where that is not known.
 */
export function instantsPerRequest(series: number): number {
  if (series === 0) return FIRST_REQUEST_INSTANTS;
  return Math.max(1, Math.min(MAXIMUM_INSTANTS, Math.floor(POINTS_PER_REQUEST / series)));
}

/** What fetching a feature takes. */
export interface FetchingCost {
  readonly requests: number;
  /** Samples, if every series has one at every instant. */
  readonly points: number;
}

/** The cost of fetching so many series over a grid. */
export function fetchingCost({ grid }: Grid, series: number): FetchingCost {
  return { requests: Math.ceil(grid.length / instantsPerRequest(series)), points: series * grid.length };
}
