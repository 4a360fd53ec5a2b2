/** Models of a small cluster, quick to train and with something in every part. */

import type { BaselineKind } from '../../src/exporter/model/baseline.js';
import type { ModelParameters } from '../../src/exporter/model/fit.js';
import { patternCells } from '../../src/exporter/model/hourly-pattern.js';
import type { Model } from '../../src/exporter/model/model.js';
import type { TrainingConfiguration } from '../../src/exporter/model/snapshot/snapshot.js';
import { train } from '../../src/exporter/training/job.js';
import { fakeApi } from './fake-api.js';
import { type FakePod, FEATURES, OWNER_QUERIES, SmallCluster } from './small-cluster.js';

/** A multiple of a minute, Unix time in seconds; the training window ends then. */
export const TRAINED_AT = 1_767_268_800;

/** Three workloads, a pod without siblings, one too young for a past of its own, and names that are hard to write. */
const PODS: readonly FakePod[] = [
  { namespace: 'shop', pod: 'cart-0', owner: 'cart' },
  { namespace: 'shop', pod: 'cart-1', owner: 'cart' },
  { namespace: 'shop', pod: 'cart-2', owner: 'cart', sinceSeconds: TRAINED_AT - 600 },
  { namespace: 'data', pod: 'postgres-0' },
  { namespace: 'ünï', pod: '🐢"\\' },
];

/** Few and small trees: the snapshot stays small enough to try every byte of it. */
export const configurationOf = (baseline: BaselineKind): TrainingConfiguration => {
  const parameters: ModelParameters = {
    baseline,
    estimators: 3,
    maxSamples: 8,
    contamination: 'auto',
    randomState: 42,
    sensitivity: 4,
    alertBudgetPerDay: 4,
    acceptReleaseHours: 12,
    acceptLevelHours: 24,
  };
  return {
    features: FEATURES,
    parameters,
    lookbackSeconds: 1800,
    stepSeconds: 60,
    source: ['http://prometheus:9090'],
  };
};

/** A model; of the kinds that know hourly patterns, one pod has one. */
export async function smallModel(baseline: BaselineKind = 'pod', cluster = new SmallCluster(PODS)): Promise<Model> {
  const { features, parameters, lookbackSeconds, stepSeconds } = configurationOf(baseline);
  const { model } = await train(
    fakeApi(cluster.answer),
    {
      features,
      ownerQueries: OWNER_QUERIES,
      parameters,
      lookbackSeconds,
      stepSeconds,
      nowSeconds: TRAINED_AT,
      untilNextTrainingSeconds: 900,
    },
    new AbortController().signal,
  );
  return baseline === 'cluster' ? model : withPattern(model);
}

/** Expects two deviations of the first pod that has a baseline of its own. */
function withPattern(model: Model): Model {
  const { baseline } = model;
  const first = baseline.pods.flags.findIndex((flags) => flags !== 0);
  const last = patternCells(model.features.length) - 1;
  return {
    ...model,
    baseline: {
      ...baseline,
      pods: { ...baseline.pods, patternEnd: baseline.pods.patternEnd.map((_, pod) => (pod < first ? 0 : 2)) },
      patterns: { cell: Uint32Array.of(7, last), spreads: Float32Array.of(2.5, 12) },
    },
  };
}

/** The workload of each pod of a model, by its key. */
export function workloadsOf({ baseline: { pods, workloads } }: Model): Record<string, string> {
  return Object.fromEntries(
    pods.keys.map((key, row) => [key, workloads.names[pods.workload[row] as number] as string]),
  );
}

/** How many pods have statistics of their own. */
export function countOwnBaselines({ baseline }: Model): number {
  return baseline.pods.flags.filter((flags) => flags !== 0).length;
}
