/** Training data in, model out: no clock, no network, and the same model for the same data and seed. */

import { createHash } from 'node:crypto';
import type { FeatureDefinition } from '../features/catalog.js';
import { type BaselineKind, fitBaseline, type TrainingTables } from './baseline.js';
import type { Forest } from './forest.js';
import { growForest } from './grow.js';
import type { Model } from './model.js';
import { createRandom, type Random, sampleWithoutReplacement } from './random.js';
import { rawScores } from './score.js';
import { quantileInPlace } from './statistics.js';
import { type RowSource, TrainingRows } from './training-rows.js';
import { INPUT_LIMIT, inputOf, probePoints } from './transform.js';

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
 * @param tables the training window, with at least `MINIMUM_TRAINING_SAMPLES` complete rows, and earlier slices.
 * @param features definitions of the tables' columns, in their order.
 */
export function fitModel(
  tables: TrainingTables,
  features: readonly FeatureDefinition[],
  parameters: ModelParameters,
): Model {
  const { window } = tables;
  const random = createRandom(parameters.randomState);
  const baseline = fitBaseline(tables, features, parameters.baseline, parameters.sensitivity);
  const rows = new TrainingRows(baseline, features, window, inputOf(parameters.sensitivity));
  const samples = rows.complete().count;
  if (samples < MINIMUM_TRAINING_SAMPLES) {
    throw new Error(`Expected at least ${MINIMUM_TRAINING_SAMPLES} complete training rows, got ${samples}.`);
  }
  const forest = fitForest(rowsToLearn(rows, parameters), features, parameters, random);
  const instants = window.timestampsSeconds;
  return {
    fingerprint: modelFingerprint(features, parameters),
    features,
    baseline,
    forest,
    threshold: chooseThreshold(forest, rows, features, parameters),
    minimumInput: minimumInput(parameters),
    windowStartSeconds: instants[0] ?? Number.NaN,
    windowEndSeconds: instants[instants.length - 1] ?? Number.NaN,
    samples,
    pods: window.pods.length,
  };
}

/**
 * The rows in which no feature alone is beyond the boundary: the forest learns what is usual, and an incident in the
 * window must not teach it. All rows where hardly any would remain, and for the plain method.
 */
function rowsToLearn(rows: TrainingRows, { baseline }: ModelParameters): RowSource {
  if (baseline === 'cluster') return rows.complete();
  const usual = rows.usual();
  return usual.count < MINIMUM_TRAINING_SAMPLES ? rows.complete() : usual;
}

function fitForest(
  rows: RowSource,
  features: readonly FeatureDefinition[],
  parameters: ModelParameters,
  random: Random,
): Forest {
  const width = features.length;
  const available = rows.count;
  const trainingShare = parameters.baseline === 'cluster' ? 1 : TRAINING_SHARE;
  // Both parts keep their proportion where there are fewer training rows than a sample takes.
  const sampleRows = Math.min(parameters.maxSamples, Math.floor(available / trainingShare));
  const trainingRows = Math.min(available, Math.round(sampleRows * trainingShare));
  const drawSample = () => {
    const sample = new Float64Array(sampleRows * width);
    let position = 0;
    for (const row of sampleWithoutReplacement(available, trainingRows, random)) {
      rows.read(row, sample, position);
      position += width;
    }
    while (position < sample.length) {
      const lowest = features[position % width]?.direction === 'up' ? 0 : -INPUT_LIMIT;
      sample[position++] = lowest + random() * (INPUT_LIMIT - lowest);
    }
    return sample;
  };
  return growForest({ estimators: parameters.estimators, features: width, sampleRows, drawSample, random });
}

function chooseThreshold(
  forest: Forest,
  rows: TrainingRows,
  features: readonly FeatureDefinition[],
  parameters: ModelParameters,
): number {
  if (parameters.contamination !== 'auto') {
    return quantileInPlace(
      scoresOf(forest, rows, parameters.baseline),
      rows.complete().count,
      1 - parameters.contamination,
    );
  }
  if (parameters.baseline === 'cluster') return PLAIN_THRESHOLD;
  const scores = rawScores(forest, probePoints(features, parameters.sensitivity), parameters.baseline);
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/** Rows to score at a time. */
const BLOCK_ROWS = 4096;

function scoresOf(forest: Forest, rows: TrainingRows, kind: BaselineKind): Float64Array {
  const scores = new Float64Array(rows.complete().count);
  let position = 0;
  for (const block of rows.blocks(BLOCK_ROWS)) {
    const part = rawScores(forest, block, kind);
    scores.set(part, position);
    position += part.length;
  }
  return scores;
}

/** Features that deviate together may each deviate less than one alone, but not by less than this share of it. */
const SMALLEST_SHARE_OF_SENSITIVITY = 0.5;

/** A share of the training rows to flag is an order that knows no other condition. */
function minimumInput({ baseline, contamination, sensitivity }: ModelParameters): number {
  if (baseline === 'cluster' || contamination !== 'auto') return Number.NEGATIVE_INFINITY;
  return inputOf(SMALLEST_SHARE_OF_SENSITIVITY * sensitivity);
}

/** Short hash of all that makes two models comparable, besides the data. */
export function modelFingerprint(
  features: readonly FeatureDefinition[],
  parameters: ModelParameters,
): string {
  return createHash('sha256').update(JSON.stringify({ features, parameters })).digest('hex').slice(0, 16);
}
