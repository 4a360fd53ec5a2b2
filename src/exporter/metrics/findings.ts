/** What is known about the installation. */

import { SEVERITIES } from '../check/finding.js';
import { type Family, sample, samplesByLabel } from './family.js';
import type { ScrapeState } from './state.js';

export const findings: readonly Family<ScrapeState>[] = [
  {
    name: 'anomaly_exporter_finding_severity',
    help: 'Result of the check in its last run: 0 ok, 1 warning, 2 error; absent before the first run.',
    type: 'gauge',
    labels: ['check'],
    samples: (state) =>
      samplesByLabel(
        state.findings.findings.map(({ finding }) => [finding.check, SEVERITIES.indexOf(finding.severity)]),
      ),
  },
  {
    name: 'anomaly_exporter_findings_timestamp_seconds',
    help: 'Time of the last successful check of the installation, Unix time; absent before the first one.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(state.findings.lastSuccessSeconds),
  },
];
