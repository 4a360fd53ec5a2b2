/** From what the forest sees to anomaly scores. */

import type { BaselineKind } from './baseline.js';
import { type Forest, scoreRows } from './forest.js';
import type { Model } from './model.js';
import { clipInputs } from './transform.js';

/**
 * Weight of the largest single deviation beside the forest's score. The forest saturates: far beyond what it was grown
 * on, further is not more. This keeps the ranking rising, and is too small to flag what the forest finds usual.
 */
const TAIL_WEIGHT = 0.02;

/**
 * Scores before the threshold is taken off.
 *
 * @param inputs rows × features, as `measure` gives them.
 */
export function rawScores(forest: Forest, inputs: Float64Array, kind: BaselineKind): Float64Array {
  if (kind === 'cluster') return scoreRows(forest, inputs);
  const width = forest.features;
  return scoreRows(forest, clipInputs(inputs)).map(
    (score, row) => score + TAIL_WEIGHT * largestInput(inputs, row, width),
  );
}

/**
 * Scores rows with a model.
 *
 * @param inputs rows × features, as `measure` gives them.
 * @returns one for each row: the score minus the threshold of the model; above 0 is anomalous. Not above 0 where no
 *   input reaches the model's `minimumInput`: where data hardly varies, the forest finds small deviations of several
 *   features together rare, but they are no reason to wake anybody.
 */
export function scoreInputs(model: Model, inputs: Float64Array): Float64Array {
  const width = model.features.length;
  return rawScores(model.forest, inputs, model.baseline.kind).map((raw, row) => {
    const score = raw - model.threshold;
    return largestInput(inputs, row, width) < model.minimumInput ? Math.min(0, score) : score;
  });
}

function largestInput(inputs: Float64Array, row: number, width: number): number {
  let largest = 0;
  for (let cell = row * width; cell < (row + 1) * width; cell++) {
    largest = Math.max(largest, Math.abs(inputs[cell] as number));
  }
  return largest;
}
