/** Why a pod is flagged: each feature, its usual value, and how far it is from that. */

import { Gauge } from 'prom-client';
import type { Detection } from '../detection/detection.js';
import { type FeatureReading, readFeatures } from '../detection/explain.js';
import { detectionOf } from './detection-of.js';
import type { ExplainScope, MetricModule } from './module.js';

interface Family {
  readonly name: string;
  readonly help: string;
  readonly value: (reading: FeatureReading) => number;
}

const UNIT = 'in the base unit of the feature (cpu: cores, memory: bytes, restarts: a count)';

/** The unit of the last two differs by feature, which the names therefore cannot tell. */
const families: readonly Family[] = [
  {
    name: 'anomaly_feature_deviation',
    help: 'Distance of the feature from its usual value for the pod, in usual spreads; negative below it.',
    value: ({ deviation }) => deviation,
  },
  {
    name: 'anomaly_feature_value',
    help: `Value of the feature for the pod, ${UNIT}.`,
    value: ({ actual }) => actual,
  },
  {
    name: 'anomaly_feature_expected',
    help: `Usual value of the feature for the pod, ${UNIT}.`,
    value: ({ expected }) => expected,
  },
];

/** One series a family for each feature of each pod in scope, so by default of those that are flagged. */
export const explanation: MetricModule = {
  names: families.map(({ name }) => name),
  register(registry, sources) {
    for (const { name, help, value } of families) {
      new Gauge({
        name,
        help,
        labelNames: ['namespace', 'pod', 'feature'],
        registers: [registry],
        async collect() {
          const detection = await detectionOf(sources);
          this.reset();
          detection?.table.pods.forEach(({ namespace, pod }, row) => {
            if (!isExplained(detection, row, sources.explain)) return;
            for (const reading of readFeatures(detection, row)) {
              this.set({ namespace, pod, feature: reading.feature }, value(reading));
            }
          });
        },
      });
    }
  },
};

function isExplained({ scores }: Detection, row: number, scope: ExplainScope): boolean {
  return scope === 'all' || (scope === 'flagged' && (scores[row] as number) > 0);
}
