/** Training data in, model out: no clock, no network, and the same model for the same data and seed. */

import { createHash } from 'node:crypto';
import { quantileInPlace } from '../../lib/statistics.js';
import type { FeatureDefinition } from '../features/catalog.js';
import type { WorkloadHistory } from '../history/workload-history.js';
import { type BaselineKind, fitBaseline, type TrainingTables } from './baseline.js';
import { fitLimits } from './fit-limits.js';
import type { Forest } from './forest.js';
import { growForest } from './grow.js';
import { KnownBefore } from './known-before.js';
import type { Model } from './model.js';
import { createRandom, type Random, sampleWithoutReplacement } from './random.js';
import { fitRecent } from './recent.js';
import { fitReleases } from './releases.js';
import { scoresOf } from './score.js';
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
  /** Messages a day that all pods together may make when nothing is wrong. */
  readonly alertBudgetPerDay: number;
  /** Hours after which a level is accepted that came with a release, and one that came without. */
  readonly acceptReleaseHours: number;
  readonly acceptLevelHours: number;
}

/** Fewer complete training rows than this make no model. */
export const MINIMUM_TRAINING_SAMPLES = 10;

/** What the kinds of baseline do differently when a model is fitted. */
interface Method {
  /** The rows that the forest learns from. */
  readonly rowsToLearn: (rows: TrainingRows) => RowSource;
  /** The share of each tree's sample that is drawn from these rows, in (0, 1]. */
  readonly trainingShare: number;
  /** The threshold unless `contamination` is a share. */
  readonly threshold: (forest: Forest, features: readonly FeatureDefinition[], parameters: ModelParameters) => number;
  /** Unless `contamination` is a share. */
  readonly minimumInput: (parameters: ModelParameters) => number;
}

/** As scikit-learn's `IsolationForest` does it, with `contamination="auto"`. */
const SKLEARN_METHOD: Method = {
  rowsToLearn: (rows) => rows.complete(),
  trainingShare: 1,
  // "As in the original paper": 0.5, which is also the score of rows that are all the same. A hair above, so that the
  // rounding of their sums does not flag them.
  threshold: () => 0.5 + 1e-12,
  minimumInput: () => Number.NEGATIVE_INFINITY,
};

/** Features that deviate together may each deviate less than one alone, but not by less than this share of it. */
const SMALLEST_SHARE_OF_SENSITIVITY = 0.5;

/** For baselines of pods and workloads. */
const RELATIVE_METHOD: Method = {
  // The rows in which no feature alone is beyond the boundary: the forest learns what is usual, and an incident in the
  // window must not teach it. All rows where hardly any would remain.
  rowsToLearn: (rows) => {
    const usual = rows.usual();
    return usual.count < MINIMUM_TRAINING_SAMPLES ? rows.complete() : usual;
  },
  // The rest is drawn uniformly from the whole range of deviations. The trees then part the data from an even
  // background (Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 14.2.4), so that the empty
  // space around the data is partitioned as well.
  trainingShare: 0.7,
  threshold: (forest, features, { sensitivity, baseline }) => {
    const scores = scoresOf(forest, probePoints(features, sensitivity), baseline);
    return scores.reduce((sum, score) => sum + score, 0) / scores.length;
  },
  minimumInput: ({ sensitivity }) => inputOf(SMALLEST_SHARE_OF_SENSITIVITY * sensitivity),
};

/**
 * Fits a model.
 *
 * @param tables the training window, with at least `MINIMUM_TRAINING_SAMPLES` complete rows, and earlier slices.
 * @param features definitions of the tables' columns, in their order.
 * @param history what workloads did during the days before; `cluster` takes no notice of it.
 * @param previous the model that this one replaces, and how long its usual values count, in seconds: pods and workloads that
 *   the tables have too little of keep them. `cluster` takes no notice of it.
 */
export function fitModel(
  tables: TrainingTables,
  features: readonly FeatureDefinition[],
  parameters: ModelParameters,
  history?: WorkloadHistory,
  previous?: { readonly model: Model; readonly lifeSeconds: number },
): Model {
  const { window } = tables;
  const samples = window.countPresent();
  if (samples < MINIMUM_TRAINING_SAMPLES) {
    throw new Error(`Expected at least ${MINIMUM_TRAINING_SAMPLES} complete training rows, got ${samples}.`);
  }
  const { contamination } = parameters;
  const method = parameters.baseline === 'cluster' ? SKLEARN_METHOD : RELATIVE_METHOD;
  const random = createRandom(parameters.randomState);
  const usualBefore = previous && { ...previous.model.baseline, features: previous.model.features };
  const before = usualBefore && KnownBefore.of(window, features, usualBefore, previous.lifeSeconds);
  const baseline = fitBaseline(tables, features, parameters.baseline, parameters.sensitivity, before);
  fitRecent(window, features, baseline);
  fitReleases(window, history, baseline);
  const rows = new TrainingRows(baseline, features, window, inputOf(parameters.sensitivity));
  const forest = fitForest(method, rows, features, parameters, random);
  const instants = window.timestampsSeconds;
  return {
    fingerprint: modelFingerprint(features, parameters),
    features,
    baseline,
    forest,
    ...fitLimits(history, features, parameters, instants.at(-1) as number),
    threshold:
      contamination === 'auto'
        ? method.threshold(forest, features, parameters)
        : quantileOfScores(forest, rows.blocks(BLOCK_ROWS), parameters.baseline, samples, contamination),
    // A share of the training rows to flag is an order without any other condition.
    minimumInput: contamination === 'auto' ? method.minimumInput(parameters) : Number.NEGATIVE_INFINITY,
    sensitivity: parameters.sensitivity,
    windowStartSeconds: instants[0] ?? Number.NaN,
    windowEndSeconds: instants[instants.length - 1] ?? Number.NaN,
    samples,
    pods: window.pods.length,
  };
}

function fitForest(
  { rowsToLearn, trainingShare }: Method,
  trainingRows: TrainingRows,
  features: readonly FeatureDefinition[],
  parameters: ModelParameters,
  random: Random,
): Forest {
  const width = features.length;
  const rows = rowsToLearn(trainingRows);
  const available = rows.count;
  // Both parts keep their proportion where there are fewer training rows than a sample takes.
  const sampleRows = Math.min(parameters.maxSamples, Math.floor(available / trainingShare));
  const learntRows = Math.min(available, Math.round(sampleRows * trainingShare));
  const drawSample = () => {
    const sample = new Float64Array(sampleRows * width);
    let position = 0;
    for (const row of sampleWithoutReplacement(available, learntRows, random)) {
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

/** Rows to score at a time. */
const BLOCK_ROWS = 4096;

/** The score that a share of the training rows exceeds. */
function quantileOfScores(
  forest: Forest,
  blocks: Iterable<Float64Array>,
  kind: BaselineKind,
  samples: number,
  exceeding: number,
): number {
  const scores = new Float64Array(samples);
  let position = 0;
  for (const block of blocks) {
    const part = scoresOf(forest, block, kind);
    scores.set(part, position);
    position += part.length;
  }
  return quantileInPlace(scores, samples, 1 - exceeding);
}

/** Short hash of all that makes two models comparable, besides the data. */
export function modelFingerprint(features: readonly FeatureDefinition[], parameters: ModelParameters): string {
  return createHash('sha256').update(JSON.stringify({ features, parameters })).digest('hex').slice(0, 16);
}
