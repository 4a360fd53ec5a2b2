/** How far trouble reaches: one bad replica, a whole workload, or everything. */

import { Gauge } from 'prom-client';
import { detectionOf } from './detection-of.js';
import type { MetricModule } from './module.js';

const FLAGGED = 'anomaly_workload_pods_flagged';
const SCORED = 'anomaly_workload_pods_scored';

/** Both have a series for every workload with a scored pod, so that their quotient is always there. */
export const workload: MetricModule = {
  names: [FLAGGED, SCORED],
  register(registry, sources) {
    const series = (name: string, help: string, counts: (score: number) => boolean) =>
      new Gauge({
        name,
        help,
        labelNames: ['namespace', 'workload'],
        registers: [registry],
        async collect() {
          const detection = await detectionOf(sources);
          this.reset();
          detection?.table.pods.forEach(({ namespace, workload: name }, row) => {
            this.inc({ namespace, workload: name }, counts(detection.scores[row] as number) ? 1 : 0);
          });
        },
      });
    series(FLAGGED, 'Pods of the workload whose anomaly_flag is 1.', (score) => score > 0);
    series(SCORED, 'Pods of the workload that were scored, flagged or not.', () => true);
  },
};
