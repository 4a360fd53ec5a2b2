/** Why a pod is flagged: each feature, its usual value, and how far it is from that. */

import type { Detection } from '../detection/detection.js';
import { type FeatureReading, readFeatures } from '../detection/explain.js';
import { detectionOf } from './detection-of.js';
import { memoizeByObject } from './memoize.js';
import type { ExplainScope, MetricModule } from './module.js';
import { NO_SERIES, TableGauge } from './table-gauge.js';

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

/** The readings of all pods in scope, and the series that they belong to. */
interface Readings {
  readonly series: (readonly [namespace: string, pod: string, feature: string])[];
  readonly readings: FeatureReading[];
}

/** One series a family for each feature of each pod in scope, so by default of those that are flagged. */
export const explanation: MetricModule = {
  names: families.map(({ name }) => name),
  register(registry, sources) {
    const readingsOf = memoizeByObject((detection: Detection): Readings => {
      const found: Readings = { series: [], readings: [] };
      detection.table.pods.forEach(({ namespace, pod }, row) => {
        if (!isExplained(detection, row, sources.explain)) return;
        for (const reading of readFeatures(detection, row)) {
          found.series.push([namespace, pod, reading.feature]);
          found.readings.push(reading);
        }
      });
      return found;
    });
    for (const { name, help, value } of families) {
      new TableGauge({
        name,
        help,
        labelNames: ['namespace', 'pod', 'feature'],
        registry,
        async collect() {
          const detection = await detectionOf(sources);
          if (detection === undefined) return NO_SERIES;
          const { series, readings } = readingsOf(detection);
          return { series, values: readings.map(value) };
        },
      });
    }
  },
};

function isExplained({ scores }: Detection, row: number, scope: ExplainScope): boolean {
  return scope === 'all' || (scope === 'flagged' && (scores[row] as number) > 0);
}
