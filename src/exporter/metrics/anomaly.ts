/** The product: is a pod anomalous, and how much. */

import type { Detection } from '../detection/detection.js';
import { detectionOf } from './detection-of.js';
import { memoizeByObject } from './memoize.js';
import type { MetricModule } from './module.js';
import { NO_SERIES, TableGauge } from './table-gauge.js';

const FLAG = 'anomaly_flag';
const SCORE = 'anomaly_score';

/** Both gauges show the same pods. */
const seriesOf = memoizeByObject(({ table }: Detection) =>
  table.pods.map(({ namespace, pod }) => [namespace, pod]),
);

/** One series for each scored pod. A pod that is not scored has none: absent is not normal. */
export const anomaly: MetricModule = {
  names: [FLAG, SCORE],
  register(registry, sources) {
    const gauge = (name: string, help: string, valuesOf: (detection: Detection) => ArrayLike<number>) =>
      new TableGauge({
        name,
        help,
        labelNames: ['namespace', 'pod'],
        registry,
        async collect() {
          const detection = await detectionOf(sources);
          return detection === undefined
            ? NO_SERIES
            : { series: seriesOf(detection), values: valuesOf(detection) };
        },
      });
    gauge(FLAG, 'Whether the pod misbehaves: 1 when anomaly_score is above 0, else 0.', ({ scores }) =>
      Uint8Array.from(scores, (score) => Number(score > 0)),
    );
    gauge(
      SCORE,
      'Score of the pod minus the threshold of the model; above 0 is anomalous.',
      ({ scores }) => scores,
    );
  },
};
