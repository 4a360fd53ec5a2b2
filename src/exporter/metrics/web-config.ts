/** Whether the web configuration in use is the one in the file; absent without a file. */

import { Gauge } from 'prom-client';
import type { MetricModule, WebConfigReload } from './module.js';

type Family = readonly [name: string, help: string, value: (state: WebConfigReload) => number];

const families: readonly Family[] = [
  [
    'anomaly_exporter_config_last_reload_successful',
    'Whether the last reading of WEB_CONFIG_FILE and its certificates succeeded; if not, the earlier one is in use.',
    ({ successful }) => Number(successful),
  ],
  [
    'anomaly_exporter_config_last_reload_success_timestamp_seconds',
    'End of the last reading of WEB_CONFIG_FILE that succeeded, Unix time.',
    ({ lastSuccessSeconds }) => lastSuccessSeconds,
  ],
];

export const webConfig: MetricModule = {
  names: families.map(([name]) => name),
  register(registry, sources) {
    for (const [name, help, value] of families) {
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.remove();
          const state = sources.webConfigReload();
          if (state !== undefined) this.set(value(state));
        },
      });
    }
  },
};
