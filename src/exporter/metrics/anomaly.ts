/** The product: is a pod anomalous, and how much. */

import type { Detection } from '../detection/detection.js';
import { type Family, memoizeByObject, NO_SAMPLES } from './family.js';
import { type DetectorState, detectionOf } from './state.js';

/** Both gauges show the same pods. */
const seriesOf = memoizeByObject(({ table }: Detection) =>
  table.pods.map(({ namespace, pod }) => [namespace, pod]),
);

/** One series for each scored pod. A pod that is not scored has none: absent is not normal. */
const ofPods = (
  name: string,
  help: string,
  read: (scores: Float64Array) => ArrayLike<number>,
): Family<DetectorState> => ({
  name,
  help,
  type: 'gauge',
  labels: ['namespace', 'pod'],
  samples: (state) => {
    const detection = detectionOf(state);
    return detection === undefined
      ? NO_SAMPLES
      : { series: seriesOf(detection), values: read(detection.scores) };
  },
});

export const anomaly: readonly Family<DetectorState>[] = [
  ofPods(
    'anomaly_flag',
    'Whether the pod is anomalous: 1 if anomaly_score is above 0, otherwise 0.',
    (scores) => Uint8Array.from(scores, (score) => Number(score > 0)),
  ),
  ofPods(
    'anomaly_score',
    'Score of the pod minus the threshold of the model; above 0 is anomalous.',
    (scores) => scores,
  ),
];
