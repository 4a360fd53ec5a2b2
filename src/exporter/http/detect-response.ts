/** From a detection to the JSON of `/detect`. */

import type { Detection } from '../detection/detection.js';
import { explain, type FeatureExplanation } from '../detection/explain.js';
import type { PodIdentity } from '../features/table.js';
import type { DetectQuery } from './detect-query.js';
import type { DetectResponse } from './schemas.js';

/**
 * The pods that pass the filters, most anomalous first.
 *
 * Equal scores stay in the order of the table, which is by namespace and pod: the sort is stable. Only what passes is
 * explained: that costs more than the scores did.
 */
export function toDetectResponse(detection: Detection, filters: DetectQuery): DetectResponse {
  const { namespace, flagged, limit } = filters;
  const selected = detection.table.pods
    .map((identity, row) => ({ identity, row, score: detection.scores[row] as number }))
    .filter(({ identity }) => namespace === undefined || identity.namespace === namespace)
    .filter(({ score }) => flagged === undefined || score > 0 === flagged)
    .sort((a, b) => b.score - a.score)
    .slice(0, limit);
  const explanations = explain(
    detection,
    selected.map(({ row }) => row),
  );
  return {
    time: detection.timeSeconds,
    pods: selected.map(({ identity, score }, index) => toPod(identity, score, explanations[index] ?? [])),
  };
}

function toPod(
  { namespace, pod, workload }: PodIdentity,
  score: number,
  explanations: readonly FeatureExplanation[],
): DetectResponse['pods'][number] {
  const actual = (name: string) => explanations.find(({ feature }) => feature === name)?.actual ?? null;
  return {
    namespace,
    pod,
    workload,
    cpu: actual('cpu'),
    memory: actual('memory'),
    restarts: actual('restarts'),
    anomaly_flag: score > 0 ? 1 : 0,
    anomaly_score: score,
    features: explanations.map(({ contribution: _, ...judgement }) => judgement),
  };
}
