/** How far trouble reaches: one bad replica, a whole workload, or everything. */

import type { Detection } from '../detection/detection.js';
import { podKey } from '../features/table.js';
import { type Family, memoizeByObject, NO_SAMPLES } from './family.js';
import { type DetectorState, detectionOf } from './state.js';

/** Pods by workload. */
const countsOf = memoizeByObject(({ table, scores }: Detection) => {
  const series: (readonly [namespace: string, workload: string])[] = [];
  const counts = { series, scored: [] as number[], flagged: [] as number[] };
  const positions = new Map<string, number>();
  let position: number | undefined;
  table.pods.forEach(({ namespace, workload }, row) => {
    const before = table.pods[row - 1];
    // Pods of a workload mostly follow one another.
    if (before?.workload !== workload || before.namespace !== namespace) {
      position = positions.get(podKey(namespace, workload));
    }
    if (position === undefined) {
      position = positions.size;
      positions.set(podKey(namespace, workload), position);
      counts.series.push([namespace, workload]);
      counts.scored.push(0);
      counts.flagged.push(0);
    }
    counts.scored[position] = (counts.scored[position] as number) + 1;
    counts.flagged[position] = (counts.flagged[position] as number) + Number((scores[row] as number) > 0);
  });
  return counts;
});

/** Both have a series for every workload with a scored pod, so that their quotient is always there. */
const ofWorkloads = (name: string, help: string, column: 'flagged' | 'scored'): Family<DetectorState> => ({
  name,
  help,
  type: 'gauge',
  labels: ['namespace', 'workload'],
  samples: (state) => {
    const detection = detectionOf(state);
    if (detection === undefined) return NO_SAMPLES;
    const counts = countsOf(detection);
    return { series: counts.series, values: counts[column] };
  },
});

export const workload: readonly Family<DetectorState>[] = [
  ofWorkloads('anomaly_workload_pods_flagged', 'Flagged pods of the workload.', 'flagged'),
  ofWorkloads('anomaly_workload_pods_scored', 'Scored pods of the workload.', 'scored'),
];
