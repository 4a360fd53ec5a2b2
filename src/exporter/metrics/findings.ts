/** What is known about the installation. */

import { SEVERITIES } from '../check/finding.js';
import { type Family, sample, samplesByLabel } from './family.js';
import type { ScrapeState } from './state.js';

export const findings: readonly Family<ScrapeState>[] = [
  {
    name: 'anomaly_exporter_finding_severity',
    help: 'Last finding of the check of the installation: 0 ok, 1 warning, 2 error; absent until it could be made.',
    type: 'gauge',
    labels: ['check'],
    samples: (state) =>
      samplesByLabel(
        state.findings.findings.map(({ finding }) => [finding.check, SEVERITIES.indexOf(finding.severity)]),
      ),
  },
  {
    name: 'anomaly_exporter_findings_timestamp_seconds',
    help: 'When the installation could be checked for the last time, Unix time; absent before the first.',
    type: 'gauge',
    labels: [],
    samples: (state) => sample(state.findings.lastSuccessSeconds),
  },
];
