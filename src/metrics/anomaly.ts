/** The product: is a pod anomalous, and how much. */

import { Gauge } from 'prom-client';
import { detectionOf } from './detection-of.js';
import type { MetricModule } from './module.js';

const FLAG = 'anomaly_flag';
const SCORE = 'anomaly_score';

/** One series for each scored pod. A pod that is not scored has none: absent is not normal. */
export const anomaly: MetricModule = {
  names: [FLAG, SCORE],
  register(registry, sources) {
    const series = (name: string, help: string, value: (score: number) => number) =>
      new Gauge({
        name,
        help,
        labelNames: ['namespace', 'pod'],
        registers: [registry],
        async collect() {
          const detection = await detectionOf(sources);
          this.reset();
          detection?.table.pods.forEach(({ namespace, pod }, index) => {
            this.set({ namespace, pod }, value(detection.scores[index] as number));
          });
        },
      });
    series(FLAG, 'Whether the pod misbehaves: 1 when anomaly_score is above 0, else 0.', (score) =>
      score > 0 ? 1 : 0,
    );
    series(
      SCORE,
      'Score of the pod minus the threshold of the model; above 0 is anomalous.',
      (score) => score,
    );
  },
};
