/** What is known about the installation. */

import { Gauge } from 'prom-client';
import { SEVERITIES } from '../check/finding.js';
import type { MetricModule } from './module.js';

const SEVERITY = 'anomaly_exporter_finding_severity';
const TIMESTAMP = 'anomaly_exporter_findings_timestamp_seconds';

export const findings: MetricModule = {
  names: [SEVERITY, TIMESTAMP],
  register(registry, sources) {
    const registers = [registry];
    new Gauge({
      name: SEVERITY,
      help: 'Last finding of the check of the installation: 0 ok, 1 warning, 2 error; absent until it could be made.',
      labelNames: ['check'],
      registers,
      collect() {
        this.reset();
        for (const { finding } of sources.findings().findings) {
          this.set({ check: finding.check }, SEVERITIES.indexOf(finding.severity));
        }
      },
    });
    new Gauge({
      name: TIMESTAMP,
      help: 'When the installation could be checked for the last time, Unix time; absent before the first.',
      labelNames: [],
      registers,
      collect() {
        this.remove();
        const { lastSuccessSeconds } = sources.findings();
        if (lastSuccessSeconds !== undefined) this.set(lastSuccessSeconds);
      },
    });
  },
};
