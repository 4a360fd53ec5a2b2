/** The requests to Prometheus. */

import { type Family, samplesByLabel } from './family.js';
import type { ScrapeState } from './state.js';

export const upstream: readonly Family<ScrapeState>[] = [
  {
    name: 'anomaly_exporter_prometheus_requests_total',
    help: 'Completed requests to Prometheus, by HTTP status; `error` without a complete answer.',
    type: 'counter',
    labels: ['code'],
    samples: ({ prometheusRequests }) => samplesByLabel(prometheusRequests),
  },
];
