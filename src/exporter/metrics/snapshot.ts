/** The model on disk, which a restart begins with. */

import { type Family, sample } from './family.js';
import type { ScrapeState } from './state.js';

export const snapshot: readonly Family<ScrapeState>[] = [
  {
    name: 'anomaly_exporter_model_snapshot_last_save_success',
    help: 'Whether the last model was saved to MODEL_PATH; absent before the first attempt and without that setting.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(state.snapshot?.lastSaveSucceeded),
  },
  {
    name: 'anomaly_exporter_model_snapshot_trained_timestamp_seconds',
    help: 'End of the training of the saved model, Unix time; absent without a saved model.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(state.snapshot?.trainedSeconds),
  },
  {
    name: 'anomaly_exporter_model_snapshot_size_bytes',
    help: 'Size of the saved model; absent without a saved model.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(state.snapshot?.sizeBytes),
  },
];
