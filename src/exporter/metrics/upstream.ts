/** The requests to Prometheus. */

import { Counter } from 'prom-client';
import type { MetricModule } from './module.js';

const REQUESTS = 'anomaly_exporter_prometheus_requests_total';

export const upstream: MetricModule = {
  names: [REQUESTS],
  register(registry, sources) {
    new Counter({
      name: REQUESTS,
      help: 'Requests to Prometheus that ended, by HTTP status; `error` where no whole answer came.',
      labelNames: ['code'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [code, count] of sources.prometheusRequests()) this.inc({ code }, count);
      },
    });
  },
};
