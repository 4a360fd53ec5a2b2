/** How the detection pass of this scrape went. */

import { type Family, sample, samplesByLabel } from './family.js';
import { type DetectorState, detectionOf } from './state.js';

export const pass: readonly Family<DetectorState>[] = [
  {
    name: 'anomaly_exporter_up',
    help: 'Whether this scrape carries scores: 1 if there is a model and every query was answered in time, otherwise 0.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(detectionOf(state) !== undefined),
  },
  {
    name: 'anomaly_exporter_scrape_duration_seconds',
    help: 'Duration of the detection pass.',
    type: 'gauge',
    labels: [],
    samples: ({ outcome }) => sample(outcome.durationSeconds),
  },
  {
    name: 'anomaly_exporter_query_success',
    help: 'Whether Prometheus answered the query of the feature.',
    type: 'gauge',
    labels: ['query'],
    samples: ({ outcome }) =>
      samplesByLabel(outcome.queries.map(({ query, success }) => [query, Number(success)])),
  },
  {
    name: 'anomaly_exporter_query_duration_seconds',
    help: 'Duration of the query of the feature.',
    type: 'gauge',
    labels: ['query'],
    samples: ({ outcome }) =>
      samplesByLabel(outcome.queries.map(({ query, durationSeconds }) => [query, durationSeconds])),
  },
  {
    name: 'anomaly_exporter_pods_scored',
    help: 'Pods that were scored.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(detectionOf(state)?.table.pods.length ?? 0),
  },
  {
    name: 'anomaly_exporter_pods_unscored',
    help: 'Pods that were found and not scored, by reason.',
    type: 'gauge',
    labels: ['reason'],
    samples: (state) => samplesByLabel(detectionOf(state)?.unscored ?? []),
  },
  {
    name: 'anomaly_exporter_series_dropped',
    help: 'Series that were dropped, entirely or in part, by reason.',
    type: 'gauge',
    labels: ['reason'],
    samples: (state) => samplesByLabel(detectionOf(state)?.droppedSeries ?? []),
  },
];
