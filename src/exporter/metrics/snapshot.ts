/** The model on disk, which a restart begins with. */

import { Gauge } from 'prom-client';
import type { SnapshotState } from '../model/snapshot/manager.js';
import type { MetricModule } from './module.js';

interface Family {
  readonly name: string;
  readonly help: string;
  readonly value: (state: SnapshotState) => number | undefined;
}

const families: readonly Family[] = [
  {
    name: 'anomaly_exporter_model_snapshot_last_save_success',
    help: 'Whether the last model was saved to MODEL_PATH; absent before the first attempt, and without the setting.',
    value: ({ lastSaveSucceeded }) =>
      lastSaveSucceeded === undefined ? undefined : Number(lastSaveSucceeded),
  },
  {
    name: 'anomaly_exporter_model_snapshot_trained_timestamp_seconds',
    help: 'End of the training that made the saved model, Unix time; absent while none is known.',
    value: ({ trainedSeconds }) => trainedSeconds,
  },
  {
    name: 'anomaly_exporter_model_snapshot_size_bytes',
    help: 'Size of the saved model; absent while none is known.',
    value: ({ sizeBytes }) => sizeBytes,
  },
];

export const snapshot: MetricModule = {
  names: families.map(({ name }) => name),
  register(registry, sources) {
    for (const { name, help, value } of families) {
      new Gauge({
        name,
        help,
        labelNames: [],
        registers: [registry],
        collect() {
          // An unlabelled gauge reads 0 after a reset.
          this.remove();
          const state = sources.snapshot();
          const current = state === undefined ? undefined : value(state);
          if (current !== undefined) this.set(current);
        },
      });
    }
  },
};
