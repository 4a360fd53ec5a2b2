/** Why a pod is flagged: each feature, its usual value, and how far it is from that. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { COMPARISONS } from '../detection/comparison.js';
import type { Detection } from '../detection/detection.js';
import { type Family, memoizeByObject } from './family.js';
import { type DetectorState, detectionOf, type ExplainScope, ofDetection } from './state.js';

/**
 * The number of flagged pods that are explained, those with the highest scores. Where more are flagged, the trouble is that of the
 * cluster, and nine series for each of 100,000 pods would make the scrape too slow to report it.
 */
export const MOST_EXPLAINED_PODS = 1000;

/** Pods whose series are written in one turn of the event loop. */
const PODS_PER_TURN = 2048;

/** The features of all pods in scope, and the place of each series in the table of the detection. */
const explainedOf = memoizeByObject(async (state: DetectorState) => {
  const series: (readonly [namespace: string, pod: string, feature: string])[] = [];
  const cells: number[] = [];
  const detection = detectionOf(state);
  if (detection === undefined) return { series, cells };
  const { model, table } = detection;
  for (const [index, row] of rowsInScope(detection, state.explain).entries()) {
    const { namespace, pod } = table.pods[row] as (typeof table.pods)[number];
    model.features.forEach(({ name }, column) => {
      series.push([namespace, pod, name]);
      cells.push(row * model.features.length + column);
    });
    if ((index + 1) % PODS_PER_TURN === 0) await nextTurn();
  }
  return { series, cells };
});

/** @param read pods × features, as the table of the detection. */
const ofCells = (name: string, help: string, read: (detection: Detection) => Float64Array) =>
  ofDetection(name, help, ['namespace', 'pod', 'feature'], async (detection, state) => {
    const { series, cells } = await explainedOf(state);
    const all = read(detection);
    return { series, values: Float64Array.from(cells, (cell) => all[cell] as number) };
  });

const UNIT = 'in the base unit of the feature (cpu: cores, memory: bytes, restarts: a count)';

/**
 * One series of each family for each feature of each pod in scope: by default of those that are flagged. The unit of value
 * and expected value differs by feature, so it is not in their names. What the value is compared with is no label of them: that
 * may change from minute to minute, and each change would begin another series. It is one of its own for pods whose anomaly
 * lasts, which are few, and of which messages speak.
 */
export const explanation: readonly Family<DetectorState>[] = [
  ofCells(
    'anomaly_feature_deviation',
    'Distance of the feature from its usual value for the pod, in usual spreads; negative below it. Of several comparisons, that with the largest distance.',
    ({ deviations }) => deviations,
  ),
  ofCells('anomaly_feature_value', `Value of the feature for the pod, ${UNIT}.`, ({ table }) => table.values),
  ofCells('anomaly_feature_expected', `Usual value of the feature for the pod, ${UNIT}.`, ({ expected }) => expected),
  ofDetection(
    'anomaly_feature_comparison_info',
    'Always 1: what the value of the feature is compared with; only for pods whose anomaly lasts.',
    ['namespace', 'pod', 'feature', 'comparison'],
    async (detection, state) => {
      const { cells, series: all } = await explainedOf(state);
      const { lasting, comparisons, model } = detection;
      const series = cells.flatMap((cell, index) => {
        if (lasting[Math.floor(cell / model.features.length)] !== 1) return [];
        return [[...(all[index] as (typeof all)[number]), COMPARISONS[comparisons[cell] as number] as string]];
      });
      return { series, values: new Uint8Array(series.length).fill(1) };
    },
  ),
];

/** Ascending, so that series keep their order from scrape to scrape. */
function rowsInScope({ table, scores, flags }: Detection, scope: ExplainScope): number[] {
  if (scope === 'off') return [];
  if (scope === 'all') return [...table.pods.keys()];
  const flagged = [...table.pods.keys()].filter((row) => flags[row] === 1);
  if (flagged.length <= MOST_EXPLAINED_PODS) return flagged;
  const ascending = Float64Array.from(flagged, (row) => scores[row] as number).sort();
  const least = ascending[ascending.length - MOST_EXPLAINED_PODS] as number;
  // Of the pods with the least of these scores, the first ones of the table have the places that are left.
  let places = MOST_EXPLAINED_PODS - flagged.filter((row) => (scores[row] as number) > least).length;
  return flagged.filter((row) => {
    const score = scores[row] as number;
    return score > least || (score === least && places-- > 0);
  });
}
