/** Training data in, model out: no clock, no network, and the same model for the same data and seed. */

import { createHash } from 'node:crypto';
import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, podKey } from '../features/table.js';
import { type BaselineKind, fitBaseline, measureDeviations } from './baseline.js';
import { type Forest, scoreRows } from './forest.js';
import { growForest } from './grow.js';
import type { Model } from './model.js';
import { createRandom, type Random, sampleWithoutReplacement } from './random.js';
import { quantileOfSorted } from './statistics.js';
import { probePoints, TRANSFORMED_LIMIT, transformDeviations } from './transform.js';

/** What shapes a model besides the data. */
export interface ModelParameters {
  readonly baseline: BaselineKind;
  /** Number of trees. */
  readonly estimators: number;
  /** Rows of each tree's sample. */
  readonly maxSamples: number;
  /** `auto`, or the share of training rows to flag, in (0, 0.5]. */
  readonly contamination: 'auto' | number;
  readonly randomState: number;
  /** Spreads that one feature alone must deviate by. */
  readonly sensitivity: number;
}

/** Fewer complete training rows than this make no model. */
export const MINIMUM_TRAINING_SAMPLES = 10;

/**
 * The share of each tree's sample that is drawn from the training rows; the rest is drawn uniformly from the whole
 * range of deviations. The trees then part the data from an even background (Hastie, Tibshirani and Friedman, "The
 * Elements of Statistical Learning", 14.2.4), so that the empty space around the data is partitioned as well.
 */
const TRAINING_SHARE = 0.7;

/**
 * Boundary of the plain method, "as in the original paper" (scikit-learn, `contamination="auto"`): 0.5, which is also
 * the score of rows that are all the same. A hair above, so that the rounding of their sums does not flag them.
 */
const PLAIN_THRESHOLD = 0.5 + 1e-12;

/**
 * Fits a model.
 *
 * @param table the training window, with at least `MINIMUM_TRAINING_SAMPLES` complete rows.
 * @param features definitions of the table's columns, in their order.
 */
export function fitModel(
  table: FeatureTable,
  features: readonly FeatureDefinition[],
  parameters: ModelParameters,
): Model {
  const random = createRandom(parameters.randomState);
  const baseline = fitBaseline(table, features, parameters.baseline);
  const { deviations } = measureDeviations(baseline, features, table);
  const rows = transformDeviations(completeRows(deviations, features.length), parameters.baseline);
  const samples = rows.length / features.length;
  if (samples < MINIMUM_TRAINING_SAMPLES) {
    throw new Error(`Expected at least ${MINIMUM_TRAINING_SAMPLES} complete training rows, got ${samples}.`);
  }
  const forest = fitForest(rows, features, parameters, random);
  const instants = table.timestampsSeconds;
  return {
    fingerprint: fingerprint(features, parameters),
    features,
    baseline,
    forest,
    threshold: chooseThreshold(forest, rows, features, parameters),
    windowStartSeconds: instants[0] ?? Number.NaN,
    windowEndSeconds: instants[instants.length - 1] ?? Number.NaN,
    workloads: new Map(table.pods.map((pod) => [podKey(pod.namespace, pod.pod), pod.workload])),
    samples,
    pods: table.pods.length,
  };
}

/** A table's rows without those that have no values. */
function completeRows(values: Float64Array, width: number): Float64Array {
  const complete = new Float64Array(values.length);
  let length = 0;
  for (let start = 0; start < values.length; start += width) {
    if (Number.isNaN(values[start])) continue;
    for (let cell = start; cell < start + width; cell++) complete[length++] = values[cell] as number;
  }
  return complete.slice(0, length);
}

function fitForest(
  rows: Float64Array,
  features: readonly FeatureDefinition[],
  parameters: ModelParameters,
  random: Random,
): Forest {
  const width = features.length;
  const available = rows.length / width;
  const trainingShare = parameters.baseline === 'cluster' ? 1 : TRAINING_SHARE;
  // Both parts keep their proportion where there are fewer training rows than a sample takes.
  const sampleRows = Math.min(parameters.maxSamples, Math.floor(available / trainingShare));
  const trainingRows = Math.min(available, Math.round(sampleRows * trainingShare));
  const drawSample = () => {
    const sample = new Float64Array(sampleRows * width);
    let position = 0;
    for (const row of sampleWithoutReplacement(available, trainingRows, random)) {
      sample.set(rows.subarray(row * width, (row + 1) * width), position);
      position += width;
    }
    while (position < sample.length) {
      const lowest = features[position % width]?.direction === 'up' ? 0 : -TRANSFORMED_LIMIT;
      sample[position++] = lowest + random() * (TRANSFORMED_LIMIT - lowest);
    }
    return sample;
  };
  return growForest({ estimators: parameters.estimators, features: width, sampleRows, drawSample, random });
}

function chooseThreshold(
  forest: Forest,
  rows: Float64Array,
  features: readonly FeatureDefinition[],
  parameters: ModelParameters,
): number {
  if (parameters.contamination !== 'auto') {
    return quantileOfSorted(scoreRows(forest, rows).sort(), 1 - parameters.contamination);
  }
  if (parameters.baseline === 'cluster') return PLAIN_THRESHOLD;
  const scores = scoreRows(forest, probePoints(features, parameters.sensitivity));
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/** Short hash of all that makes two models comparable, besides the data. */
function fingerprint(features: readonly FeatureDefinition[], parameters: ModelParameters): string {
  return createHash('sha256').update(JSON.stringify({ features, parameters })).digest('hex').slice(0, 16);
}
