/** A model that a person can follow: every feature adds its own to the score. */

import type { FeatureDefinition } from '../../src/exporter/features/catalog.js';
import type { Baseline } from '../../src/exporter/model/baseline.js';
import { fitLimits } from '../../src/exporter/model/fit-limits.js';
import type { Forest } from '../../src/exporter/model/forest.js';
import type { Model } from '../../src/exporter/model/model.js';

import { DEFAULT_PARAMETERS } from './parameters.js';

/** Beyond this many spreads, in either direction, a row parts from the usual. */
export const PART_SPREADS = 2;

/** Path length of a row that is usual; the shorter, the more anomalous. */
const USUAL_PATH = 8;

/**
 * One tree of two splits for each feature: the path is shorter by `weights[feature]` for a row that deviates by more
 * than `PART_SPREADS`. The isolation score is 2^-(mean path / 8), so 0.5 for a row in which all is usual, which is the
 * threshold as well.
 *
 * @param weights one for each feature, at most 8; 4 for each unless told. Below 0, a deviation lowers the score.
 */
export function additiveModel(features: readonly FeatureDefinition[], weights?: readonly number[]): Model {
  const forest: Forest = {
    estimators: features.length,
    features: features.length,
    depth: 2,
    splitFeatures: Uint16Array.from(features.flatMap((_, column) => [column, column, column])),
    // From the lower end of the usual on to the right; there, from the upper end on to the right again.
    splitValues: Float64Array.from(features.flatMap(() => [-PART_SPREADS, -PART_SPREADS, PART_SPREADS])),
    pathLengths: Float64Array.from(
      features.flatMap((_, column) => {
        const far = USUAL_PATH - (weights?.[column] ?? 4);
        return [far, far, USUAL_PATH, far];
      }),
    ),
    averagePathLength: USUAL_PATH,
  };
  return {
    fingerprint: 'additive',
    features,
    // Scoring reads no more of it than the kind: `cluster` takes deviations as they are.
    baseline: { kind: 'cluster' } as Baseline,
    forest,
    ...fitLimits(undefined, features, DEFAULT_PARAMETERS, 3600),
    threshold: 0.5,
    minimumInput: Number.NEGATIVE_INFINITY,
    sensitivity: DEFAULT_PARAMETERS.sensitivity,
    windowStartSeconds: 0,
    windowEndSeconds: 3600,
    samples: 100,
    pods: 10,
  };
}
