/** Whether the web configuration in use is the one in the file; absent without a file. */

import { type Family, sample } from './family.js';
import type { ScrapeState } from './state.js';

export const webConfig: readonly Family<ScrapeState>[] = [
  {
    name: 'anomaly_exporter_config_last_reload_success',
    help: 'Whether the last reading of WEB_CONFIG_FILE and its certificates succeeded; if not, the earlier one is in use.',
    type: 'gauge',
    labels: [],
    samples: ({ webConfigReload }) => sample(webConfigReload?.successful),
  },
  {
    name: 'anomaly_exporter_config_last_reload_success_timestamp_seconds',
    help: 'End of the last reading of WEB_CONFIG_FILE that succeeded, Unix time.',
    type: 'gauge',
    labels: [],
    samples: ({ webConfigReload }) => sample(webConfigReload?.lastSuccessSeconds),
  },
];
