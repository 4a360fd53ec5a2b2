/** Model and current features in, scores out: no clock, no network. */

import type { BuiltTable } from '../features/table.js';
import { measureDeviations } from '../model/baseline.js';
import type { Model } from '../model/model.js';
import { scoreDeviations } from '../model/score.js';
import type { Detection } from './detection.js';

/**
 * Scores every pod of a table.
 *
 * @param built one instant, with the columns of the model's features in their order.
 */
export function detect(model: Model, built: BuiltTable): Detection {
  const { table, unscored, droppedSeries } = built;
  const { expected, deviations } = measureDeviations(model.baseline, model.features, table);
  return {
    timeSeconds: table.timestampsSeconds[0] ?? Number.NaN,
    model,
    table,
    scores: scoreDeviations(model, deviations),
    expected,
    deviations,
    unscored,
    droppedSeries,
  };
}
