/** Which build this is. */

import { Gauge } from 'prom-client';
import type { MetricModule } from './module.js';

const BUILD_INFO = 'anomaly_exporter_build_info';

export const buildInfo: MetricModule = {
  names: [BUILD_INFO],
  register(registry, sources) {
    new Gauge({
      name: BUILD_INFO,
      help: 'Version of the exporter and of Node.js; always 1.',
      labelNames: ['version', 'nodeversion'],
      registers: [registry],
    }).set({ version: sources.version, nodeversion: process.version }, 1);
  },
};
