/** From a detection to the JSON of `/detect`, a piece at a time. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Detection } from '../detection/detection.js';
import { explain, type FeatureExplanation } from '../detection/explain.js';
import type { PodIdentity } from '../features/table.js';
import type { DetectQuery } from './detect-query.js';
import type { DetectResponse, PodJudgement } from './schemas.js';

/** Pods that are explained in one go: a few milliseconds of work. */
const PODS_PER_PIECE = 256;

/**
 * The text of a `DetectResponse`: the pods that pass the filters, most anomalous first. The event loop turns between
 * two pieces, and a piece is only made when the one before it was taken.
 *
 * Only what is shown is explained: that costs more than the scores did.
 */
export async function* detectAnswer(detection: Detection, filters: DetectQuery): AsyncGenerator<string> {
  const matching = matchingRows(detection, filters);
  const { limit } = filters;
  const head = { time: detection.timeSeconds, matching: matching.length, limit, pods: [] };
  yield JSON.stringify(head satisfies DetectResponse).slice(0, -']}'.length);
  const rows = limit === 0 ? matching : matching.slice(0, limit);
  for (let start = 0; start < rows.length; start += PODS_PER_PIECE) {
    await nextTurn();
    const some = rows.slice(start, start + PODS_PER_PIECE);
    const explanations = explain(detection, some);
    const pods = some.map((row, index) => JSON.stringify(toPod(detection, row, explanations[index] ?? [])));
    yield `${start === 0 ? '' : ','}${pods.join(',')}`;
  }
  yield ']}';
}

/** Equal scores stay in the order of the table, which is by namespace and pod: the sort is stable. */
function matchingRows({ table, scores }: Detection, { namespace, flagged }: DetectQuery): number[] {
  const rows: number[] = [];
  for (const [row, identity] of table.pods.entries()) {
    if (namespace !== undefined && identity.namespace !== namespace) continue;
    if (flagged === undefined || (scores[row] as number) > 0 === flagged) rows.push(row);
  }
  return rows.sort((a, b) => (scores[b] as number) - (scores[a] as number));
}

function toPod(
  { table, scores }: Detection,
  row: number,
  explanations: readonly FeatureExplanation[],
): PodJudgement {
  const { namespace, pod, workload } = table.pods[row] as PodIdentity;
  const score = scores[row] as number;
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
