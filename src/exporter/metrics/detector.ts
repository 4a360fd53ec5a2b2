/** Families of scores, model and trainings, which a replay of the past has as well. */

import type { Detection } from '../detection/detection.js';
import { countKept } from '../model/model.js';
import { byLabel, type Family, NO_SAMPLES, single } from './family.js';
import { type DetectorState, detectionOf } from './state.js';

/** A number of pods; absent where the pass failed. */
const ofDetectionNumber = (name: string, help: string, read: (detection: Detection) => number) =>
  single(name, help, (state: DetectorState) => {
    const detection = detectionOf(state);
    return detection && read(detection);
  });

/** The detection pass of this scrape, the model, trainings, and the build. */
export const detector: readonly Family<DetectorState>[] = [
  single(
    'k8s_anomaly_detector_up',
    'Whether this scrape carries scores: 1 if there is a model and every query was answered in time, otherwise 0.',
    (state) => detectionOf(state) !== undefined,
  ),
  single(
    'k8s_anomaly_detector_scrape_duration_seconds',
    'Duration of the detection pass.',
    ({ outcome }) => outcome.durationSeconds,
  ),
  byLabel(
    'k8s_anomaly_detector_query_success',
    'Whether Prometheus answered the query of the feature, when it was last asked.',
    'query',
    ({ outcome }) => outcome.queries.map(({ query, success }) => [query, Number(success)]),
  ),
  byLabel(
    'k8s_anomaly_detector_query_duration_seconds',
    'Duration of the query of the feature, when it was last asked.',
    'query',
    ({ outcome }) => outcome.queries.map(({ query, durationSeconds }) => [query, durationSeconds]),
  ),
  single(
    'k8s_anomaly_detector_pods_scored',
    'Pods that were scored.',
    (state) => detectionOf(state)?.table.pods.length ?? 0,
  ),
  byLabel(
    'k8s_anomaly_detector_pods_unscored',
    'Pods that were found and not scored, by reason; `completed` and `pending` only if kube-state-metrics says so, `ending` for five minutes after the usage, or for the window of the CPU rate, then `no_usage`.',
    'reason',
    (state) => detectionOf(state)?.unscored ?? [],
  ),
  ofDetectionNumber(
    'k8s_anomaly_detector_pods_muted',
    'Scored pods that are muted now, by the tuning file or an annotation.',
    ({ muted }) => muted.reduce((sum, one) => sum + one, 0),
  ),
  ofDetectionNumber(
    'k8s_anomaly_detector_pods_muted_anomalous',
    'Muted pods that would be flagged otherwise.',
    ({ muted, scores }) => muted.reduce((sum, one, row) => sum + Number(one > 0 && (scores[row] as number) > 0), 0),
  ),
  ofDetectionNumber(
    'k8s_anomaly_detector_pods_opted_out',
    'Pods that are not scored because of the tuning file or an annotation.',
    ({ optedOut }) => optedOut.size,
  ),
  ofDetectionNumber(
    'k8s_anomaly_detector_pods_own_sensitivity',
    'Scored pods with a sensitivity of their own, by the tuning file or an annotation.',
    ({ tunings }) => [...tunings.values()].filter(({ sensitivity }) => sensitivity !== undefined).length,
  ),
  byLabel(
    'k8s_anomaly_detector_series_dropped',
    'Series that were dropped, entirely or in part, by reason.',
    'reason',
    (state) => detectionOf(state)?.droppedSeries ?? [],
  ),

  single('k8s_anomaly_detector_model_trained', 'Whether there is a model.', (state) => state.model !== undefined),
  single(
    'k8s_anomaly_detector_model_trained_timestamp_seconds',
    'End of the training of the model, Unix time; absent without a model.',
    ({ training }) => training.model?.trainedSeconds,
  ),
  {
    name: 'k8s_anomaly_detector_model_info',
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
    'k8s_anomaly_detector_training_duration_seconds',
    'Duration of the last training, successful or failed.',
    (state) => state.training.lastDurationSeconds,
  ),
  single(
    'k8s_anomaly_detector_training_samples',
    'Training rows (pod-instants) that the model was fitted on.',
    ({ model }) => model?.samples,
  ),
  byLabel(
    'k8s_anomaly_detector_training_kept',
    'Pods and workloads that keep the usual values of an earlier training, as the last one found too little of them; ' +
      'absent pods and their workloads have ended, or Prometheus did not answer with all of its data.',
    'kind',
    ({ model }) => (model === undefined ? [] : Object.entries(countKept(model))),
  ),
  single(
    'k8s_anomaly_detector_last_training_success',
    'Whether the last training succeeded.',
    (state) => state.training.lastSucceeded,
  ),
  single(
    'k8s_anomaly_detector_training_runs_total',
    'Completed trainings, including failed ones.',
    (state) => state.training.runs,
  ),
  single('k8s_anomaly_detector_training_failures_total', 'Trainings that failed.', (state) => state.training.failures),

  {
    name: 'k8s_anomaly_detector_build_info',
    help: 'Version of the exporter and of Node.js; always 1.',
    type: 'gauge',
    labels: ['version', 'nodeversion'],
    samples: ({ version }) => ({ series: [[version, process.version]], values: [1] }),
  },
];
