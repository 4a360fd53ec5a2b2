/** Models of a small cluster, quick to train and with something in every part. */

import type { BaselineKind } from '../../src/exporter/model/baseline.js';
import type { ModelParameters } from '../../src/exporter/model/fit.js';
import type { Model } from '../../src/exporter/model/model.js';
import { scheduleCells } from '../../src/exporter/model/schedule.js';
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
  };
  return {
    features: FEATURES,
    parameters,
    lookbackSeconds: 1800,
    stepSeconds: 60,
    source: ['http://prometheus:9090'],
  };
};

/** A model; of the kinds that know timetables, its first pod has one. */
export async function smallModel(
  baseline: BaselineKind = 'pod',
  cluster = new SmallCluster(PODS),
): Promise<Model> {
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
  return baseline === 'cluster' ? model : withTimetable(model);
}

function withTimetable(model: Model): Model {
  const expected = new Float32Array(scheduleCells(model.features.length));
  expected[7] = 2.5;
  expected[expected.length - 1] = 12;
  const [key = ''] = model.baseline.pods.rows.keys();
  return { ...model, baseline: { ...model.baseline, schedules: new Map([[key, { expected }]]) } };
}
