/** Which flagged pods are asked for: each costs Prometheus about twenty series. */

import type { Detection } from '../detection/detection.js';
import type { PodIdentity } from '../features/table.js';

/** Where more pods are flagged, the trouble is not that of a pod. */
export const MOST_PODS = 100;

/** The flagged pods of a detection: those whose anomaly lasts first, then by score; at most `MOST_PODS`. */
export function podsToAskFor({ table, scores, flags, lasting }: Detection): readonly PodIdentity[] {
  const rows = [...table.pods.keys()].filter((row) => flags[row] === 1);
  const at = (values: ArrayLike<number>, row: number) => values[row] as number;
  rows.sort((a, b) => at(lasting, b) - at(lasting, a) || at(scores, b) - at(scores, a) || a - b);
  return rows.slice(0, MOST_PODS).map((row) => table.pods[row] as PodIdentity);
}
