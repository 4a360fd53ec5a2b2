/** The model that scores. */

import { type Family, NO_SAMPLES, sample } from './family.js';
import type { DetectorState } from './state.js';

export const model: readonly Family<DetectorState>[] = [
  {
    name: 'anomaly_exporter_model_trained',
    help: 'Whether there is a model.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(state.model !== undefined),
  },
  {
    name: 'anomaly_exporter_model_trained_timestamp_seconds',
    help: 'End of the training of the model, Unix time; absent without a model.',
    type: 'gauge',
    labels: [],
    samples: ({ training }) => sample(training.model?.trainedSeconds),
  },
  {
    name: 'anomaly_exporter_model_info',
    help: 'Properties of the model; always 1, absent without a model.',
    type: 'gauge',
    labels: ['fingerprint', 'baseline', 'features', 'threshold'],
    samples(state) {
      if (state.model === undefined) return NO_SAMPLES;
      const { fingerprint, baseline, features, threshold } = state.model;
      const names = features.map(({ name }) => name).join(',');
      return { series: [[fingerprint, baseline.kind, names, threshold.toFixed(4)]], values: [1] };
    },
  },
];
