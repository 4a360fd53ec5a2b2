/** Families of scores, model and trainings, which a replay of the past has as well. */

import { byLabel, type Family, NO_SAMPLES, single } from './family.js';
import { type DetectorState, detectionOf } from './state.js';

/** The detection pass of this scrape, the model, trainings, and the build. */
export const detector: readonly Family<DetectorState>[] = [
  single(
    'anomaly_exporter_up',
    'Whether this scrape carries scores: 1 if there is a model and every query was answered in time, otherwise 0.',
    (state) => detectionOf(state) !== undefined,
  ),
  single(
    'anomaly_exporter_scrape_duration_seconds',
    'Duration of the detection pass.',
    ({ outcome }) => outcome.durationSeconds,
  ),
  byLabel(
    'anomaly_exporter_query_success',
    'Whether Prometheus answered the query of the feature.',
    'query',
    ({ outcome }) => outcome.queries.map(({ query, success }) => [query, Number(success)]),
  ),
  byLabel('anomaly_exporter_query_duration_seconds', 'Duration of the query of the feature.', 'query', ({ outcome }) =>
    outcome.queries.map(({ query, durationSeconds }) => [query, durationSeconds]),
  ),
  single(
    'anomaly_exporter_pods_scored',
    'Pods that were scored.',
    (state) => detectionOf(state)?.table.pods.length ?? 0,
  ),
  byLabel(
    'anomaly_exporter_pods_unscored',
    'Pods that were found and not scored, by reason; `completed` only if kube-state-metrics says so, otherwise `no_usage`.',
    'reason',
    (state) => detectionOf(state)?.unscored ?? [],
  ),
  byLabel(
    'anomaly_exporter_series_dropped',
    'Series that were dropped, entirely or in part, by reason.',
    'reason',
    (state) => detectionOf(state)?.droppedSeries ?? [],
  ),

  single('anomaly_exporter_model_trained', 'Whether there is a model.', (state) => state.model !== undefined),
  single(
    'anomaly_exporter_model_trained_timestamp_seconds',
    'End of the training of the model, Unix time; absent without a model.',
    ({ training }) => training.model?.trainedSeconds,
  ),
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

  single(
    'anomaly_exporter_training_duration_seconds',
    'Duration of the last training, successful or failed.',
    (state) => state.training.lastDurationSeconds,
  ),
  single(
    'anomaly_exporter_training_samples',
    'Training rows (pod-instants) that the model was fitted on.',
    ({ model }) => model?.samples,
  ),
  single(
    'anomaly_exporter_last_training_success',
    'Whether the last training succeeded.',
    (state) => state.training.lastSucceeded,
  ),
  single(
    'anomaly_exporter_training_runs_total',
    'Completed trainings, including failed ones.',
    (state) => state.training.runs,
  ),
  single('anomaly_exporter_training_failures_total', 'Trainings that failed.', (state) => state.training.failures),

  {
    name: 'anomaly_exporter_build_info',
    help: 'Version of the exporter and of Node.js; always 1.',
    type: 'gauge',
    labels: ['version', 'nodeversion'],
    samples: ({ version }) => ({ series: [[version, process.version]], values: [1] }),
  },
];
