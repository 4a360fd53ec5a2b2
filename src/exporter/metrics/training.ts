/** How trainings go. */

import { Counter, Gauge, type Registry } from 'prom-client';
import type { MetricModule } from './module.js';

const DURATION = 'anomaly_exporter_training_duration_seconds';
const SAMPLES = 'anomaly_exporter_training_samples';
const LAST_SUCCESS = 'anomaly_exporter_last_training_success';
const RUNS = 'anomaly_exporter_training_runs_total';
const FAILURES = 'anomaly_exporter_training_failures_total';

export const training: MetricModule = {
  names: [DURATION, SAMPLES, LAST_SUCCESS, RUNS, FAILURES],
  register(registry, sources) {
    const state = sources.training;
    gauge(
      registry,
      DURATION,
      'Duration of the last training, failed or not.',
      () => state().lastDurationSeconds,
    );
    gauge(
      registry,
      SAMPLES,
      'Training rows (pod-instants) that the model was fitted on.',
      () => sources.model()?.samples,
    );
    gauge(registry, LAST_SUCCESS, 'Whether the last training succeeded.', () => {
      const { lastSucceeded } = state();
      return lastSucceeded === undefined ? undefined : Number(lastSucceeded);
    });
    counter(registry, RUNS, 'Trainings that ended, failed ones included.', () => state().runs);
    counter(registry, FAILURES, 'Trainings that failed.', () => state().failures);
  },
};

/** A gauge that is absent while there is no value. */
function gauge(registry: Registry, name: string, help: string, value: () => number | undefined): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.remove();
      const current = value();
      if (current !== undefined) this.set(current);
    },
  });
}

function counter(registry: Registry, name: string, help: string, value: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(value());
    },
  });
}
