/** How trainings go. */

import { type Family, sample } from './family.js';
import type { DetectorState } from './state.js';

export const training: readonly Family<DetectorState>[] = [
  {
    name: 'anomaly_exporter_training_duration_seconds',
    help: 'Duration of the last training, successful or failed.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(state.training.lastDurationSeconds),
  },
  {
    name: 'anomaly_exporter_training_samples',
    help: 'Training rows (pod-instants) that the model was fitted on.',
    type: 'gauge',
    labels: [],
    samples: ({ model }) => sample(model?.samples),
  },
  {
    name: 'anomaly_exporter_last_training_success',
    help: 'Whether the last training succeeded.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(state.training.lastSucceeded),
  },
  {
    name: 'anomaly_exporter_training_runs_total',
    help: 'Completed trainings, including failed ones.',
    type: 'counter',
    labels: [],
    samples: (state) => sample(state.training.runs),
  },
  {
    name: 'anomaly_exporter_training_failures_total',
    help: 'Trainings that failed.',
    type: 'counter',
    labels: [],
    samples: (state) => sample(state.training.failures),
  },
];
