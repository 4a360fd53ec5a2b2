/** From a detection to the JSON of `/detect`. */

import type { Detection } from '../detection/detection.js';
import type { PodIdentity } from '../features/table.js';
import type { DetectQuery } from './detect-query.js';
import type { DetectResponse } from './schemas.js';

/**
 * The pods that pass the filters, most anomalous first.
 *
 * Equal scores stay in the order of the table, which is by namespace and pod: the sort is stable.
 */
export function toDetectResponse(detection: Detection, filters: DetectQuery): DetectResponse {
  const { namespace, flagged, limit } = filters;
  const pods = detection.table.pods
    .map((identity, row) => ({ identity, row, score: detection.scores[row] as number }))
    .filter(({ identity }) => namespace === undefined || identity.namespace === namespace)
    .filter(({ score }) => flagged === undefined || score > 0 === flagged)
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ identity, row, score }) => toPod(detection, identity, row, score));
  return { time: detection.timeSeconds, pods };
}

function toPod(
  detection: Detection,
  { namespace, pod, workload }: PodIdentity,
  row: number,
  score: number,
): DetectResponse['pods'][number] {
  const { table, model, expected, deviations } = detection;
  const features = table.features.map((feature, column) => {
    const cell = row * table.features.length + column;
    return {
      feature,
      unit: model.features.find(({ name }) => name === feature)?.unit ?? '',
      actual: table.values[cell] as number,
      expected: expected[cell] as number,
      deviation: deviations[cell] as number,
    };
  });
  const actual = (name: string) => features.find(({ feature }) => feature === name)?.actual ?? null;
  return {
    namespace,
    pod,
    workload,
    cpu: actual('cpu'),
    memory: actual('memory'),
    restarts: actual('restarts'),
    anomaly_flag: score > 0 ? 1 : 0,
    anomaly_score: score,
    features,
  };
}
