/** The requests to Prometheus. */

import { type Family, samplesByLabel } from './family.js';
import type { ScrapeState } from './state.js';

export const upstream: readonly Family<ScrapeState>[] = [
  {
    name: 'anomaly_exporter_prometheus_requests_total',
    help: 'Requests to Prometheus that ended, by HTTP status; `error` where no whole answer came.',
    type: 'counter',
    labels: ['code'],
    samples: ({ prometheusRequests }) => samplesByLabel(prometheusRequests),
  },
];
