/** Whether the web configuration in use is the one in the file; absent without a file. */

import { type Family, sample } from './family.js';
import type { ScrapeState } from './state.js';

export const webConfig: readonly Family<ScrapeState>[] = [
  {
    name: 'anomaly_exporter_config_last_reload_success',
    help: 'Whether the last reload of WEB_CONFIG_FILE and its certificates succeeded; if not, the previous one stays active.',
    type: 'gauge',
    labels: [],
    samples: ({ webConfigReload }) => sample(webConfigReload?.successful),
  },
  {
    name: 'anomaly_exporter_config_last_reload_success_timestamp_seconds',
    help: 'Time of the last successful reload of WEB_CONFIG_FILE, Unix time.',
    type: 'gauge',
    labels: [],
    samples: ({ webConfigReload }) => sample(webConfigReload?.lastSuccessSeconds),
  },
];
