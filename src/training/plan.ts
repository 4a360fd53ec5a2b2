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

/** Instants in the first request for a feature, before the number of its series is known. */
const FIRST_REQUEST_INSTANTS = 30;

/** Prometheus answers at most this many points for each series (`exceeded maximum resolution`). */
const MAXIMUM_INSTANTS = 11_000;

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
 * How many instants the next request for a feature asks for, so that no answer is large.
 *
 * @param asked instants of the grid that have been asked for already.
 * @param series the most series that an answer had so far.
 */
export function instantsPerRequest(asked: number, series: number): number {
  if (asked === 0) return FIRST_REQUEST_INSTANTS;
  return Math.max(1, Math.min(MAXIMUM_INSTANTS, Math.floor(POINTS_PER_REQUEST / Math.max(1, series))));
}

/** What fetching a feature takes. */
export interface FetchingCost {
  readonly requests: number;
  /** Samples, if every series has one at every instant. */
  readonly points: number;
}

/** The cost of fetching so many series over a grid. */
export function fetchingCost({ grid }: Grid, series: number): FetchingCost {
  let requests = 0;
  for (let asked = 0; asked < grid.length; asked += instantsPerRequest(asked, series)) requests++;
  return { requests, points: series * grid.length };
}
