/** From deviations to anomaly scores. */

import { scoreRows } from './forest.js';
import type { Model } from './model.js';
import { transformDeviations } from './transform.js';

/**
 * Scores rows of deviations with a model.
 *
 * @param deviations rows × features, in usual spreads.
 * @returns one for each row: the isolation score minus the threshold of the model, in (-1, 1); above 0 is anomalous.
 */
export function scoreDeviations(model: Model, deviations: Float64Array): Float64Array {
  const rows = transformDeviations(deviations, model.baseline.kind);
  return scoreRows(model.forest, rows).map((score) => score - model.threshold);
}
