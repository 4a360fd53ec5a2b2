/** Families about the history of workloads: how much of it is known, and what it costs. */

import { HOUR_SECONDS } from '../history/grid.js';
import { type Family, single } from './family.js';
import type { ScrapeState } from './state.js';

export const history: readonly Family<ScrapeState>[] = [
  single(
    'k8s_anomaly_detector_history_known_seconds',
    'Past time that is known, in whole hours with pods; absent without a history.',
    (state) => state.history && state.history.knownHours * HOUR_SECONDS,
  ),
  single(
    'k8s_anomaly_detector_history_missing_seconds',
    'Past time that is still to be read from Prometheus, in whole hours; absent without a history.',
    (state) => state.history && state.history.missingHours * HOUR_SECONDS,
  ),
  single(
    'k8s_anomaly_detector_history_workloads',
    'Workloads of which the history knows something; absent without a history.',
    (state) => state.history?.workloads,
  ),
  single(
    'k8s_anomaly_detector_history_size_bytes',
    'Memory of the history; absent without a history.',
    (state) => state.history?.sizeBytes,
  ),
  single(
    'k8s_anomaly_detector_history_reads_total',
    'Successful readings of the past from Prometheus, of a few hours each.',
    (state) => state.history?.reads ?? 0,
  ),
  single(
    'k8s_anomaly_detector_history_read_failures_total',
    'Readings of the past that failed. Each is tried again.',
    (state) => state.history?.failures ?? 0,
  ),
  single(
    'k8s_anomaly_detector_history_last_save_success',
    'Whether the history was last saved; absent before the first attempt and without MODEL_PATH.',
    (state) => state.history?.file?.lastSaveSucceeded,
  ),
];
