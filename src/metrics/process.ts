/** CPU, memory, event loop and garbage collection of this process, by prom-client. */

import { collectDefaultMetrics } from 'prom-client';
import type { MetricModule } from './module.js';

/** Gauges whose names end in `_total`, which only a counter's may (`promtool check metrics`). */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export const processMetrics: MetricModule = {
  names: collectDefaultMetrics.metricsList.filter((name) => !MISNAMED.includes(name)),
  register(registry) {
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  },
};
