/** The product: which pods are anomalous and how much, and of how many pods of each workload. */

import type { Detection } from '../detection/detection.js';
import { podKey } from '../features/table.js';
import { type Family, memoizeByObject } from './family.js';
import { type DetectorState, ofDetection } from './state.js';

/** Both gauges of pods show the same ones. */
const seriesOf = memoizeByObject(({ table }: Detection) => table.pods.map(({ namespace, pod }) => [namespace, pod]));

/** One series for each scored pod. A pod that is not scored has none: absent does not mean normal. */
const ofPods = (name: string, help: string, read: (detection: Detection) => ArrayLike<number>) =>
  ofDetection(name, help, ['namespace', 'pod'], (detection) => {
    return { series: seriesOf(detection), values: read(detection) };
  });

export const anomaly: readonly Family<DetectorState>[] = [
  ofPods(
    'anomaly_flag',
    'Whether the pod is anomalous: 1 if anomaly_score is above 0 and the pod is not muted, otherwise 0.',
    ({ flags }) => flags,
  ),
  ofPods(
    'anomaly_score',
    'Score of the pod minus the threshold of the model; above 0 is anomalous.',
    ({ scores }) => scores,
  ),
  ofDetection(
    'anomaly_lasting',
    'Always 1, for pods whose anomaly lasts, which is worth an alert; absent for all other pods.',
    ['namespace', 'pod', 'workload'],
    ({ table, lasting }) => {
      const pods = table.pods.filter((_, row) => lasting[row] === 1);
      const series = pods.map(({ namespace, pod, workload }) => [namespace, pod, workload]);
      return { series, values: new Uint8Array(series.length).fill(1) };
    },
  ),
];

/** Pods by workload. */
const countsOf = memoizeByObject(({ table, flags, muted }: Detection) => {
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
    counts.scored[position] = (counts.scored[position] as number) + 1 - (muted[row] as number);
    counts.flagged[position] = (counts.flagged[position] as number) + (flags[row] as number);
  });
  return counts;
});

/** Both have a series for every workload with a scored pod, so that their quotient is always there. */
const ofWorkloads = (name: string, help: string, column: 'flagged' | 'scored') =>
  ofDetection(name, help, ['namespace', 'workload'], (detection) => {
    const { series, [column]: values } = countsOf(detection);
    return { series, values };
  });

/** How far trouble reaches: one bad replica, a whole workload, or everything. */
export const workload: readonly Family<DetectorState>[] = [
  ofWorkloads('anomaly_workload_pods_flagged', 'Flagged pods of the workload.', 'flagged'),
  ofWorkloads('anomaly_workload_pods_scored', 'Scored pods of the workload that are not muted.', 'scored'),
  ofDetection(
    'anomaly_workload_release_timestamp_seconds',
    'When the workload was last released, Unix time; only for workloads with a flagged pod, and releases of the last day.',
    ['namespace', 'workload'],
    ({ table, flags, releases }) => {
      const released = new Map<string, readonly [namespace: string, workload: string]>();
      for (const [row, { namespace, workload: name }] of table.pods.entries()) {
        const key = podKey(namespace, name);
        if (flags[row] === 1 && releases.has(key)) released.set(key, [namespace, name]);
      }
      return { series: [...released.values()], values: [...released.keys()].map((key) => releases.get(key) as number) };
    },
  ),
];
