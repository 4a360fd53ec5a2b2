/** A recording as the history of a Prometheus, in the pieces that a replay takes. */

import { ownersByKind } from '../../exporter/features/workload.js';
import { fetchHours, instantsOfHours } from '../../exporter/history/fetch-hours.js';
import { HISTORY_STEP_SECONDS, hourOf } from '../../exporter/history/grid.js';
import { MINIMUM_TRAINING_SAMPLES } from '../../exporter/model/fit.js';
import { SETTLING_SECONDS } from '../../exporter/training/job.js';
import { History } from '../replay/history.js';
import { firstRememberedHour, PastHoursSupply } from '../replay/past-hours.js';
import { type Chunk, cutIntoChunks, firstNeeded, reachSeconds, trainingTimesOf } from '../replay/plan.js';
import { type Grid, gridBetween, type Slab } from '../replay/range-matrix.js';
import type { ReplayParameters } from '../replay/replay.js';
import { BIN_SECONDS, type Case, instantOf, minuteOf } from './case.js';

/** Time from one training to the next: that of the default `RETRAIN_SCHEDULE`. */
export const RETRAIN_SECONDS = 900;

/** The queries that answer with the workloads of a recording's pods. */
export const OWNER_QUERIES = ownersByKind({ namespaceRegex: '.*' });

/** What a thread needs to replay a piece of a recording. */
export type RecordedPiece = Awaited<ReturnType<ReturnType<typeof piecesOf>[number]>>;

/** The instants of a case that are scored: those after the learning minutes. */
export function scoredRange(recording: Case): Chunk {
  return {
    startSeconds: instantOf(recording, recording.learningMinutes),
    endSeconds: instantOf(recording, recording.minutes),
  };
}

/**
 * Cuts the minutes of a case that are scored into pieces that do not depend on each other: each has the history that its
 * trainings look at, and what they remember of the days before. They are to be made in order.
 */
export function piecesOf(recording: Case, parameters: ReplayParameters) {
  const { startSeconds, endSeconds } = scoredRange(recording);
  if (endSeconds <= startSeconds) return [];
  const trainings = trainingTimes(recording, parameters);
  const podMinutes = recording.pods.reduce((sum, { minutes }) => sum + minutes, 0);
  const reach = reachSeconds(parameters.lookbackSeconds, parameters.stepSeconds);
  const hours = hoursOf(recording, trainings, parameters);
  return cutIntoChunks(startSeconds, endSeconds, podMinutes / recording.minutes).map((chunk) => async () => {
    const times = trainingTimesOf(chunk, trainings);
    const from = Math.max(instantOf(recording, 0), firstNeeded(chunk, times, reach, BIN_SECONDS));
    const grid = gridBetween(from, chunk.endSeconds - BIN_SECONDS, BIN_SECONDS);
    const remembered = times.length === 0 ? undefined : await hours?.of(times);
    return { chunk, trainingTimes: times, slabs: slabsOf(recording, grid), hours: remembered };
  });
}

/** The hours of a case that its trainings remember. */
function hoursOf(recording: Case, [first]: readonly number[], parameters: ReplayParameters) {
  const { features, ownerQueries, historyDays } = parameters;
  if (first === undefined || historyDays === 0) return undefined;
  const firstHour = Math.max(hourOf(instantOf(recording, 0)), firstRememberedHour(first, historyDays));
  return new PastHoursSupply(historyDays, features, firstHour, (from, to) => {
    const range = { firstHour: from, lastHour: to };
    const grid = { ...instantsOfHours(range), stepSeconds: HISTORY_STEP_SECONDS };
    return fetchHours(new History(new Map(slabsOf(recording, grid))), { features, ownerQueries, ...range });
  });
}

/**
 * The trainings of a case, Unix times in seconds: at the end of the learning minutes, and every 15 minutes from there. Where
 * the window holds too little to train on, the training is left out: it would fail, and the last model would stay.
 */
function trainingTimes(recording: Case, { lookbackSeconds }: ReplayParameters): readonly number[] {
  const { pods, minutes, learningMinutes } = recording;
  const first = instantOf(recording, learningMinutes - 1);
  const count = Math.ceil(((minutes - learningMinutes) * BIN_SECONDS) / RETRAIN_SECONDS);
  const times = Array.from({ length: count }, (_, index) => first + index * RETRAIN_SECONDS);
  return times.filter((time) => {
    const end = Math.floor((time - SETTLING_SECONDS) / BIN_SECONDS) * BIN_SECONDS;
    const [from, to] = [minuteOf(recording, end - lookbackSeconds), minuteOf(recording, end)];
    let samples = 0;
    return pods.some(({ firstMinute, complete }) => {
      const window = complete.subarray(Math.max(0, from - firstMinute), Math.max(0, to + 1 - firstMinute));
      samples += window.reduce((sum, isComplete) => sum + isComplete, 0);
      return samples >= MINIMUM_TRAINING_SAMPLES;
    });
  });
}

/** The answers to the queries of a case over a grid of minutes or multiples of them. */
function slabsOf(recording: Case, grid: Grid): (readonly [string, readonly Slab[]])[] {
  const start = minuteOf(recording, grid.startSeconds);
  const stride = grid.stepSeconds / BIN_SECONDS;
  const pods = recording.pods.filter(
    ({ firstMinute, minutes }) => firstMinute < start + grid.instants * stride && start < firstMinute + minutes,
  );
  const ofFeatures = recording.features.map((feature, column) => {
    const values = new Float64Array(pods.length * grid.instants).fill(Number.NaN);
    pods.forEach(({ firstMinute, minutes, cells }, row) => {
      const from = Math.max(0, Math.ceil((firstMinute - start) / stride));
      const to = Math.min(grid.instants, Math.ceil((firstMinute + minutes - start) / stride));
      for (let instant = from; instant < to; instant++) {
        const minute = start + instant * stride - firstMinute;
        values[row * grid.instants + instant] = cells[minute * recording.features.length + column] as number;
      }
    });
    const labels = pods.map(({ identity: { namespace, pod } }) => ({ namespace, [feature.podLabel]: pod }));
    return [feature.query, [{ grid, labels, values }]] as const;
  });
  // Owners are the same at all times: one instant is enough.
  const instant = { ...grid, instants: 1 };
  const owners = pods.map(({ identity: { namespace, pod, workload } }) => ({
    namespace,
    pod,
    owner_kind: 'Workload',
    owner_name: workload,
    owner_is_controller: 'true',
  }));
  const none = { grid: instant, labels: [], values: new Float64Array(0) };
  return [
    ...ofFeatures,
    [OWNER_QUERIES.pod, [{ grid: instant, labels: owners, values: new Float64Array(pods.length).fill(1) }]],
    [OWNER_QUERIES.replicaSet, [none]],
    [OWNER_QUERIES.job, [none]],
  ];
}
