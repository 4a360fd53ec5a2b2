/** Which build this is. */

import type { Family } from './family.js';
import type { DetectorState } from './state.js';

export const buildInfo: readonly Family<DetectorState>[] = [
  {
    name: 'anomaly_exporter_build_info',
    help: 'Version of the exporter and of Node.js; always 1.',
    type: 'gauge',
    labels: ['version', 'nodeversion'],
    samples: ({ version }) => ({ series: [[version, process.version]], values: [1] }),
  },
];
