/** The model that scores. */

import { Gauge } from 'prom-client';
import type { MetricModule } from './module.js';

const TRAINED = 'anomaly_exporter_model_trained';
const TRAINED_TIMESTAMP = 'anomaly_exporter_model_trained_timestamp_seconds';
const INFO = 'anomaly_exporter_model_info';

export const model: MetricModule = {
  names: [TRAINED, TRAINED_TIMESTAMP, INFO],
  register(registry, sources) {
    const registers = [registry];
    new Gauge({
      name: TRAINED,
      help: 'Whether there is a model.',
      registers,
      collect() {
        this.set(sources.model() === undefined ? 0 : 1);
      },
    });
    new Gauge({
      name: TRAINED_TIMESTAMP,
      help: 'End of the training that made the model, Unix time; absent without a model.',
      labelNames: [],
      registers,
      collect() {
        // An unlabelled gauge would read 0 after a reset: 1970, and every alert on the age would fire.
        this.remove();
        const { model: current } = sources.training();
        if (current !== undefined) this.set(current.trainedSeconds);
      },
    });
    new Gauge({
      name: INFO,
      help: 'What the model is made of; always 1, absent without a model.',
      labelNames: ['fingerprint', 'baseline', 'features', 'threshold'],
      registers,
      collect() {
        this.reset();
        const current = sources.model();
        if (current === undefined) return;
        const { fingerprint, baseline, features, threshold } = current;
        this.set(
          {
            fingerprint,
            baseline: baseline.kind,
            features: features.map(({ name }) => name).join(','),
            threshold: threshold.toFixed(4),
          },
          1,
        );
      },
    });
  },
};
