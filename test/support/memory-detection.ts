/** Detections of pods of which only the memory matters. */

import type { Detection } from '../../src/exporter/detection/detection.js';
import { FeatureTable } from '../../src/exporter/features/table.js';
import type { Model } from '../../src/exporter/model/model.js';
import { additiveModel } from './additive-model.js';
import { passOf } from './http-fixtures.js';
import { feature } from './tables.js';

/** A model that knows no pod, with one feature. @param unit of the memory. */
export function memoryModel(unit = 'bytes'): Model {
  const model = additiveModel([feature('memory', { unit })]);
  return { ...model, baseline: { ...model.baseline, pods: { ...model.baseline.pods, rows: new Map() } } };
}

/**
 * A detection of usual pods in the namespace `shop`.
 *
 * @param pods sorted; the workload of `cart-0` is `cart`.
 */
export function memoryDetection(
  timeSeconds: number,
  pods: readonly string[],
  bytesOf: (pod: string) => number,
  muted: readonly string[] = [],
): Detection {
  const outcome = passOf(pods.map((pod) => ({ namespace: 'shop', pod, score: -1 })));
  if (outcome.kind !== 'detection') throw new Error('Expected a detection.');
  const { detection } = outcome;
  return {
    ...detection,
    timeSeconds,
    model: memoryModel(),
    muted: Uint8Array.from(pods, (pod) => Number(muted.includes(pod))),
    table: new FeatureTable({
      features: ['memory'],
      pods: pods.map((pod) => ({ namespace: 'shop', pod, workload: pod.replace(/-\d+$/, '') })),
      timestampsSeconds: Float64Array.of(timeSeconds),
      values: Float64Array.from(pods, bytesOf),
    }),
  };
}
