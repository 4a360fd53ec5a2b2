/**
 * From what the forest sees to a verdict, in three steps: the score of a row, its margin above the threshold of the model
 * (what `anomaly_score` exposes), and whether the margin is above 0: anomalous. scikit-learn calls the first two
 * `score_samples` and `decision_function`, with the opposite sign.
 */

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
 * Scores of rows.
 *
 * @param inputs rows × features, as in a `Measurement`.
 */
export function scoresOf(forest: Forest, inputs: Float64Array, kind: BaselineKind): Float64Array {
  if (kind === 'cluster') return scoreRows(forest, inputs);
  const width = forest.features;
  return scoreRows(forest, clipInputs(inputs)).map(
    (score, row) => score + TAIL_WEIGHT * largestInput(inputs, row, width),
  );
}

/**
 * Margins of rows: the score minus the threshold of the model; above 0 is anomalous.
 *
 * @param inputs rows × features, as in a `Measurement`.
 * @returns one for each row. Not above 0 where no input reaches the model's `minimumInput`: where data hardly varies, the
 *   forest finds small deviations of several features together rare, but they are no reason to wake anybody.
 */
export function marginsOf(model: Model, inputs: Float64Array): Float64Array {
  const width = model.features.length;
  return scoresOf(model.forest, inputs, model.baseline.kind).map((score, row) => {
    const margin = score - model.threshold;
    return largestInput(inputs, row, width) < model.minimumInput ? Math.min(0, margin) : margin;
  });
}

function largestInput(inputs: Float64Array, row: number, width: number): number {
  let largest = 0;
  for (let cell = row * width; cell < (row + 1) * width; cell++) {
    largest = Math.max(largest, Math.abs(inputs[cell] as number));
  }
  return largest;
}
