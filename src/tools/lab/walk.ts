/** The protocol: walk forward through a case, train on what is past, score what comes. */

import { detect } from '../../exporter/detection/detect.js';
import { podKey } from '../../exporter/features/table.js';
import type { TrainingTables } from '../../exporter/model/baseline.js';
import { fitModel, MINIMUM_TRAINING_SAMPLES, type ModelParameters } from '../../exporter/model/fit.js';
import type { Model } from '../../exporter/model/model.js';
import { type Case, isPresent, type PodMinutes, TRAINING_MINUTES } from './case.js';
import { type Counts, count } from './counts.js';
import { fitRobustBaseline, type RobustBaseline, robustScore } from './robust-z.js';
import { positionsOf, scoringInput, trainingInput } from './windows.js';

/** Minutes from one training to the next. */
export const RETRAIN_MINUTES = 15;

/** Scores of a case; they fill up while it is walked through. Row `i` belongs to pod `i` of the case. */
export interface CaseScores {
  /** pods: score of each of the pod's minutes, `NaN` without one; above 0 is flagged. */
  readonly detector: readonly Float64Array[];
  /** pods: the largest robust z-score of each of the pod's minutes, `NaN` without one. */
  readonly robustZ: readonly Float64Array[];
  /** Complete pod-minutes after the first hour without a score, by reason. */
  readonly unscored: Map<string, number>;
}

/** Leaves out what a training shall do without. */
export type TrainingSelection = (tables: TrainingTables) => TrainingTables;

/** A part of the walk that is done: the minutes from `from` to before `to` have their scores. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Scores with none given yet. */
export function emptyScores({ pods }: Case): CaseScores {
  const blank = () => pods.map(({ minutes }) => new Float64Array(minutes).fill(Number.NaN));
  return { detector: blank(), robustZ: blank(), unscored: new Map() };
}

/**
 * Walks through a case: trains at minute 60 and every 15 minutes from there, each time on the 60 minutes before with
 * whatever faults they hold, and scores the minutes up to the next training one by one. Where the window holds too
 * little to train on, the last model stays, as in the service.
 *
 * @param scores is filled in.
 * @param select what a training gets of all that it may know: everything unless told.
 * @returns what is done, after each training and its minutes.
 */
export function* walkForward(
  recording: Case,
  parameters: ModelParameters,
  scores: CaseScores,
  select: TrainingSelection = (tables) => tables,
): Generator<Stretch, void, void> {
  const positions = positionsOf(recording);
  let model: Model | undefined;
  for (let from = TRAINING_MINUTES; from < recording.minutes; from += RETRAIN_MINUTES) {
    const to = Math.min(recording.minutes, from + RETRAIN_MINUTES);
    const tables = select(trainingInput(recording, from, RETRAIN_MINUTES));
    if (tables.window.countPresent() >= MINIMUM_TRAINING_SAMPLES) {
      model = fitModel(tables, recording.features, parameters);
    }
    const baseline = fitRobustBaseline(tables.window, recording.features);
    for (let minute = from; minute < to; minute++) {
      scoreMinute(recording, model, minute, positions, scores);
      scoreRobustly(recording, baseline, minute, scores);
    }
    yield { from, to };
  }
}

function scoreMinute(
  recording: Case,
  model: Model | undefined,
  minute: number,
  positions: ReadonlyMap<string, number>,
  scores: CaseScores,
): void {
  const present = countPresent(recording, minute);
  if (present === 0) return;
  if (model === undefined) {
    count(scores.unscored, 'no_model', present);
    return;
  }
  const detection = detect(model, scoringInput(recording, minute));
  let unscored = present;
  detection.table.pods.forEach((identity, row) => {
    const index = positions.get(podKey(identity.namespace, identity.pod)) as number;
    const pod = recording.pods[index] as PodMinutes;
    const score = detection.scores[row] as number;
    // Of several recent minutes, some pods may have only earlier ones.
    if (Number.isNaN(score) || !isPresent(pod, recording.features.length, minute)) return;
    (scores.detector[index] as Float64Array)[minute - pod.firstMinute] = score;
    unscored--;
  });
  countUnscored(detection.unscored, unscored, scores);
}

/** Splits the pods without a score by the reasons that the detection gives. */
function countUnscored(reasons: Counts, unscored: number, scores: CaseScores): void {
  let unexplained = unscored;
  for (const [reason, pods] of reasons) {
    const explained = Math.min(pods, unexplained);
    count(scores.unscored, reason, explained);
    unexplained -= explained;
  }
  count(scores.unscored, 'not_scored', unexplained);
}

function countPresent({ pods, features }: Case, minute: number): number {
  return pods.reduce((sum, pod) => sum + (isPresent(pod, features.length, minute) ? 1 : 0), 0);
}

function scoreRobustly(
  { pods, features }: Case,
  baseline: RobustBaseline,
  minute: number,
  scores: CaseScores,
): void {
  const width = features.length;
  pods.forEach((pod, index) => {
    if (!isPresent(pod, width, minute)) return;
    const offset = minute - pod.firstMinute;
    const row = pod.cells.subarray(offset * width, (offset + 1) * width);
    const key = podKey(pod.identity.namespace, pod.identity.pod);
    (scores.robustZ[index] as Float64Array)[offset] = robustScore(baseline, features, key, row);
  });
}
