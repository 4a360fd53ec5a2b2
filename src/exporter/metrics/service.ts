/** Families that only a running exporter has: schedule, saved model, checks, requests, shard, web configuration and tuning file. */

import { SEVERITIES } from '../check/finding.js';
import { byLabel, type Family, NO_SAMPLES, single } from './family.js';
import type { ScrapeState } from './state.js';

export const service: readonly Family<ScrapeState>[] = [
  single(
    'k8s_anomaly_detector_trainings_missed',
    'Trainings that were due by RETRAIN_SCHEDULE since the one of the model that scores, counted up to 10; 1 while one is under way, absent without a model.',
    ({ training }) => training.missedRuns,
  ),
  single(
    'k8s_anomaly_detector_request_timeout_seconds',
    'REQUEST_TIMEOUT_SECONDS: the time limit of a detection pass.',
    ({ requestTimeoutSeconds }) => requestTimeoutSeconds,
  ),

  single(
    'k8s_anomaly_detector_model_snapshot_last_save_success',
    'Whether the last model was saved to MODEL_PATH; absent before the first attempt and without that setting.',
    (state) => state.snapshot?.lastSaveSucceeded,
  ),
  single(
    'k8s_anomaly_detector_model_snapshot_trained_timestamp_seconds',
    'End of the training of the saved model, Unix time; absent without a saved model.',
    (state) => state.snapshot?.trainedSeconds,
  ),
  single(
    'k8s_anomaly_detector_model_snapshot_size_bytes',
    'Size of the saved model; absent without a saved model.',
    (state) => state.snapshot?.sizeBytes,
  ),

  byLabel(
    'k8s_anomaly_detector_finding_severity',
    'Result of the check in its last run: 0 ok, 1 warning, 2 error; absent before the first run.',
    'check',
    (state) => state.findings.findings.map(({ finding }) => [finding.check, SEVERITIES.indexOf(finding.severity)]),
  ),
  single(
    'k8s_anomaly_detector_findings_timestamp_seconds',
    'Time of the last successful check of the installation, Unix time; absent before the first one.',
    (state) => state.findings.lastSuccessSeconds,
  ),

  byLabel(
    'k8s_anomaly_detector_prometheus_requests_total',
    'Completed requests to Prometheus, by HTTP status; `error` without a complete answer.',
    'code',
    ({ prometheusRequests }) => prometheusRequests,
  ),

  byLabel(
    'k8s_anomaly_detector_shard_ordinal',
    'Ordinal of this shard, from 0; as the value and as a label.',
    'shard_ordinal',
    ({ sharding }) => [sharding?.shard.ordinal ?? 0].map((ordinal) => [String(ordinal), ordinal]),
  ),
  single(
    'k8s_anomaly_detector_total_shards',
    'Number of processes that share the namespaces.',
    (state) => state.sharding?.shard.total ?? 1,
  ),
  single(
    'k8s_anomaly_detector_shard_namespaces',
    'Namespaces that this shard watches; absent if one process watches all, and until they are known.',
    (state) => state.sharding?.namespaces,
  ),

  {
    name: 'k8s_anomaly_detector_links_info',
    help: 'PAGE_URL and DASHBOARD_URL, for the links of alerts and dashboards; always 1, absent where both are empty.',
    type: 'gauge',
    labels: ['page', 'dashboard'],
    samples: ({ links: { page, dashboard } }) =>
      page === '' && dashboard === '' ? NO_SAMPLES : { series: [[page, dashboard]], values: [1] },
  },

  single(
    'k8s_anomaly_detector_log_lines_dropped_total',
    'Lines of the log that were dropped because their reader stalled or left.',
    ({ droppedLogLines }) => droppedLogLines,
  ),

  single(
    'k8s_anomaly_detector_config_last_reload_success',
    'Whether the last reload of WEB_CONFIG_FILE and its certificates succeeded; if not, the previous one stays active.',
    ({ webConfigReload }) => webConfigReload?.successful,
  ),
  single(
    'k8s_anomaly_detector_config_last_reload_success_timestamp_seconds',
    'Time of the last successful reload of WEB_CONFIG_FILE, Unix time.',
    ({ webConfigReload }) => webConfigReload?.lastSuccessSeconds,
  ),
  single(
    'k8s_anomaly_detector_tuning_last_reload_success',
    'Whether the last reading of TUNING_FILE succeeded; if not, the previous rules stay in force.',
    ({ tuningReload }) => tuningReload?.successful,
  ),
  single(
    'k8s_anomaly_detector_tuning_last_reload_success_timestamp_seconds',
    'Time of the last successful reading of TUNING_FILE, Unix time.',
    ({ tuningReload }) => tuningReload?.lastSuccessSeconds,
  ),
];
