/** A large cluster made up from a seed: what a training of it fetches, as tables. */

import { buildCatalog, type FeatureDefinition } from '../../src/exporter/features/catalog.js';
import { FeatureTable } from '../../src/exporter/features/table.js';
import type { TrainingTables } from '../../src/exporter/model/baseline.js';
import { createRandom } from '../../src/exporter/model/random.js';

/** CPU, memory and restarts with the default settings. */
export const DEFAULT_FEATURES: readonly FeatureDefinition[] = buildCatalog({
  namespaceRegex: '.*',
  podLabel: 'pod',
  cpuRateWindow: '1m',
});

/** Pods of a workload. */
const REPLICAS = 10;
const WORKLOADS_PER_NAMESPACE = 10;
const WINDOW_INSTANTS = 61;
const SLICE_INSTANTS = 18;
const STEP_SECONDS = 60;

/** Unix time of the newest instant, the end of an hour. */
export const MADE_UP_END_SECONDS = 500 * 3600;

/**
 * A window of an hour and two slices of earlier hours: noisy CPU, creeping memory, few restarts.
 *
 * @param replicas pods of a workload, at most `REPLICAS`; the average where it is no whole number.
 */
export function madeUpTables(pods: number, seed = 1, replicas = REPLICAS): TrainingTables {
  const slice = (hours: number) => {
    const startSeconds = MADE_UP_END_SECONDS - hours * 3600 - STEP_SECONDS;
    return madeUpTable({ pods, replicas, startSeconds, instants: SLICE_INSTANTS, seed: seed + hours });
  };
  const startSeconds = MADE_UP_END_SECONDS - (WINDOW_INSTANTS - 1) * STEP_SECONDS;
  return {
    window: madeUpTable({ pods, replicas, startSeconds, instants: WINDOW_INSTANTS, seed }),
    history: [slice(2), slice(3)],
  };
}

/** A part of a made-up cluster. */
interface MadeUpPart {
  readonly pods: number;
  readonly replicas: number;
  /** Unix time of the first instant, in seconds. */
  readonly startSeconds: number;
  readonly instants: number;
  readonly stepSeconds?: number;
  readonly seed: number;
}

export function madeUpTable({ pods, replicas, startSeconds, instants, stepSeconds = STEP_SECONDS, seed }: MadeUpPart) {
  const random = createRandom(seed);
  const axes = {
    features: DEFAULT_FEATURES.map(({ name }) => name),
    pods: Array.from({ length: pods }, (_, pod) => {
      const workload = Math.floor(pod / replicas);
      return {
        namespace: `namespace-${String(Math.floor(workload / WORKLOADS_PER_NAMESPACE)).padStart(5, '0')}`,
        pod: `workload-${String(workload).padStart(5, '0')}-5d4f8c7b9-x${String(pod % REPLICAS).padStart(4, '0')}`,
        workload: `workload-${String(workload).padStart(5, '0')}`,
      };
    }),
    timestampsSeconds: Float64Array.from({ length: instants }, (_, instant) => startSeconds + instant * stepSeconds),
  };
  return FeatureTable.fill(axes, (pod, cells) => {
    const cpu = 0.01 + ((pod * 7919) % 1000) / 1000;
    const memory = (32 + ((pod * 104729) % 2000)) * 2 ** 20;
    let restarts = pod % 97;
    for (let instant = 0; instant < instants; instant++) {
      const cell = instant * DEFAULT_FEATURES.length;
      if (random() < 0.0005) restarts++;
      const burst = random() < 0.01 ? 3 : 1;
      cells[cell] = cpu * burst * (0.8 + 0.4 * random());
      cells[cell + 1] = Math.round(memory * (1 + 0.0005 * instant + 0.01 * random()));
      cells[cell + 2] = restarts;
    }
  });
}
