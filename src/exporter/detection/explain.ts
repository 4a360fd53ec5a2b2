/** Why a pod has its score: each feature beside its usual value, and the part that it has in the score. */

import { marginsOf } from '../model/score.js';
import { COMPARISONS, type Comparison, isBrief } from './comparison.js';
import { verdictOf } from './detect.js';
import type { Detection } from './detection.js';

/** One feature of a pod compared with its usual value, and how much it weighs. */
export interface FeatureExplanation {
  readonly feature: string;
  /** What the values are: `Memory in use (working set)`. */
  readonly help: string;
  /** Unit of `actual` and `expected`. */
  readonly unit: string;
  readonly actual: number;
  readonly expected: number;
  /** What the value is compared with. */
  readonly comparison: Comparison;
  /** Beyond this value, a deviation that lasts is anomalous by itself; `null` in a comparison with the last hours. */
  readonly boundary: number | null;
  /** How far the value is from the usual one, in usual spreads, signed. */
  readonly deviation: number;
  /** Where the value stands; `usual`: less than one usual spread from what is expected. */
  readonly direction: 'above' | 'below' | 'usual';
  /**
   * By how much the score falls when this feature alone is put back to its usual value; never below 0. A feature
   * without which the score would even be higher has 0: it excuses the pod and does not accuse it.
   */
  readonly contribution: number;
  /** The contribution as a share of those of all features of the pod, from 0 to 1; 0 where no feature has any. */
  readonly share: number;
}

/** From this many spreads on, a value counts as above or below the usual one. */
const NOTEWORTHY_SPREADS = 1;

/**
 * Explains the scores of some pods. It scores each of them once and once more for each feature, so the cost grows
 * with pods × features: give only the pods that somebody asks for.
 *
 * @param rows positions of the pods in the table of the detection.
 * @returns for each row, in their order: all features, the one with the largest share first, equal shares by the size
 *   of the deviation.
 */
export function explain(detection: Detection, rows: readonly number[]): FeatureExplanation[][] {
  const { model, table, expected, deviations, comparisons, judgement } = detection;
  const contributions = contributionsOf(detection, rows);
  return rows.map((row, index) => {
    const total = contributions.reduce((sum, ofFeature) => sum + (ofFeature[index] as number), 0);
    return model.features
      .map(({ name, help, unit }, column): FeatureExplanation => {
        const cell = row * model.features.length + column;
        const deviation = deviations[cell] as number;
        const comparison = comparisons[cell] as number;
        const boundary = judgement?.boundaries[cell] ?? Number.NaN;
        const contribution = contributions[column]?.[index] as number;
        return {
          feature: name,
          help,
          unit,
          actual: table.at(row, 0, column),
          expected: expected[cell] as number,
          comparison: COMPARISONS[comparison] as Comparison,
          boundary: comparison === 0 || Number.isNaN(boundary) ? null : boundary,
          deviation,
          direction: Math.abs(deviation) < NOTEWORTHY_SPREADS ? 'usual' : deviation > 0 ? 'above' : 'below',
          contribution,
          share: total > 0 ? contribution / total : 0,
        };
      })
      .sort((a, b) => b.share - a.share || Math.abs(b.deviation) - Math.abs(a.deviation));
  });
}

/** For each feature: the contribution to the score of each row. All rows are scored in one go. */
function contributionsOf(detection: Detection, rows: readonly number[]): Float64Array[] {
  const { model, inputs, judgement, scores } = detection;
  const width = model.features.length;
  const own = cellsOf(inputs, width, rows);
  const shares = judgement && cellsOf(judgement.shares, width, rows);
  const sharesOf = (all: Float64Array | undefined, index: number) =>
    all?.subarray(index * width, (index + 1) * width) ?? new Float64Array(width);
  // A pod that is flagged without a view was flagged briefly; one that a view flags has been unusual for longer.
  const brief = rows.map((row) => isBrief(model, judgement, scores, row));
  const scoresOf = (changed: Float64Array, ofViews: Float64Array | undefined) =>
    marginsOf(model, changed).map((margin, index) =>
      model.remembers ? verdictOf(margin, sharesOf(ofViews, index), () => brief[index] as boolean).score : margin,
    );
  // Not the scores of the detection: both sides of the difference have to be made in the same way.
  const before = scoresOf(own, shares);
  return model.features.map((_, column) => {
    const putBack = scoresOf(withoutColumn(own, column, width), shares && withoutColumn(shares, column, width));
    return putBack.map((score, index) => Math.max(0, (before[index] as number) - score));
  });
}

function cellsOf(cells: Float64Array, width: number, rows: readonly number[]): Float64Array {
  const some = new Float64Array(rows.length * width);
  for (const [index, row] of rows.entries()) some.set(cells.subarray(row * width, (row + 1) * width), index * width);
  return some;
}

function withoutColumn(cells: Float64Array, column: number, width: number): Float64Array {
  const changed = cells.slice();
  for (let cell = column; cell < changed.length; cell += width) changed[cell] = 0;
  return changed;
}
