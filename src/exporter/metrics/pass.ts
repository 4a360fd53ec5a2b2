/** How the detection pass of this scrape went. */

import { Gauge } from 'prom-client';
import type { PassOutcome } from '../detection/detection.js';
import type { MetricModule } from './module.js';

type Sample = readonly [labels: Record<string, string>, value: number];

interface Family {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly samples: (outcome: PassOutcome) => readonly Sample[];
}

const counts = (label: string, values: ReadonlyMap<string, number>): Sample[] =>
  [...values].map(([reason, count]) => [{ [label]: reason }, count]);

const families: readonly Family[] = [
  {
    name: 'anomaly_exporter_up',
    help: 'Whether this scrape carries scores: there is a model, and Prometheus answered every query.',
    labelNames: [],
    samples: ({ kind }) => [[{}, kind === 'detection' ? 1 : 0]],
  },
  {
    name: 'anomaly_exporter_scrape_duration_seconds',
    help: 'Duration of the detection pass.',
    labelNames: [],
    samples: ({ durationSeconds }) => [[{}, durationSeconds]],
  },
  {
    name: 'anomaly_exporter_query_success',
    help: 'Whether Prometheus answered the query for the feature.',
    labelNames: ['query'],
    samples: ({ queries }) => queries.map(({ query, success }) => [{ query }, success ? 1 : 0]),
  },
  {
    name: 'anomaly_exporter_query_duration_seconds',
    help: 'Duration of the query for the feature.',
    labelNames: ['query'],
    samples: ({ queries }) => queries.map(({ query, durationSeconds }) => [{ query }, durationSeconds]),
  },
  {
    name: 'anomaly_exporter_pods_scored',
    help: 'Pods that were scored.',
    labelNames: [],
    samples: (outcome) => [[{}, outcome.kind === 'detection' ? outcome.detection.table.pods.length : 0]],
  },
  {
    name: 'anomaly_exporter_pods_unscored',
    help: 'Pods that were seen and not scored, by reason.',
    labelNames: ['reason'],
    samples: (outcome) => (outcome.kind === 'detection' ? counts('reason', outcome.detection.unscored) : []),
  },
  {
    name: 'anomaly_exporter_series_dropped',
    help: 'Series that were left out, whole or in part, by reason.',
    labelNames: ['reason'],
    samples: (outcome) =>
      outcome.kind === 'detection' ? counts('reason', outcome.detection.droppedSeries) : [],
  },
];

export const pass: MetricModule = {
  names: families.map(({ name }) => name),
  register(registry, sources) {
    for (const { name, help, labelNames, samples } of families) {
      new Gauge({
        name,
        help,
        labelNames,
        registers: [registry],
        async collect() {
          const outcome = await sources.pass();
          this.reset();
          for (const [labels, value] of samples(outcome)) this.set(labels, value);
        },
      });
    }
  },
};
