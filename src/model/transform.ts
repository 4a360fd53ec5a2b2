/** From deviations to the rows that the forest sees. */

import type { FeatureDefinition } from '../features/catalog.js';
import type { BaselineKind } from './baseline.js';

/** Beyond this many spreads, further is not more: the forest has seen nothing there. */
const DEVIATION_LIMIT = 50;

/** Ends of the range of a transformed deviation. */
export const TRANSFORMED_LIMIT = Math.asinh(DEVIATION_LIMIT);

/**
 * Deviations as the forest sees them: asinh, clipped. It is linear near 0 and logarithmic far out, so that the
 * forest's uniform splits fall as often between 2 and 4 spreads as between 20 and 40. The `cluster` baseline is the
 * plain method and leaves deviations as they are.
 *
 * @param deviations rows × features.
 */
export function transformDeviations(deviations: Float64Array, kind: BaselineKind): Float64Array {
  if (kind === 'cluster') return deviations;
  return deviations.map((deviation) =>
    Math.max(-TRANSFORMED_LIMIT, Math.min(TRANSFORMED_LIMIT, Math.asinh(deviation))),
  );
}

/**
 * The points at which one feature alone deviates by `sensitivity` spreads, each feature in turn, in each direction
 * that counts. Their mean score is the boundary of what is anomalous.
 *
 * @returns points × features, transformed.
 */
export function probePoints(features: readonly FeatureDefinition[], sensitivity: number): Float64Array {
  const probes = features.flatMap((feature, column) =>
    feature.direction === 'both'
      ? [
          { column, sign: 1 },
          { column, sign: -1 },
        ]
      : [{ column, sign: 1 }],
  );
  const points = new Float64Array(probes.length * features.length);
  probes.forEach(({ column, sign }, row) => {
    points[row * features.length + column] = sign * Math.asinh(sensitivity);
  });
  return points;
}
