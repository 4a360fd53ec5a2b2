/** The last hour of a training window: how long a deviation has lasted is read from it in the passes that follow. */

import { groupBy } from '../../lib/group-by.js';
import { medianOfKnown } from '../../lib/statistics.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { heightAfter } from '../features/counter-height.js';
import type { FeatureTable } from '../features/table.js';
import { LEAST_SIBLINGS } from '../history/hour-summary.js';
import { levelOf, valueOfLevel } from '../history/level.js';
import { LONG_INSTANTS, LONG_STEP_SECONDS } from '../history/sustained.js';
import { decodeLevel, encodeLevel } from '../history/workload-history.js';
import type { Baseline } from './baseline.js';
import type { Model } from './model.js';

/** Samples of the last hour of a training window, `LONG_STEP_SECONDS` apart, the last one at its end. */
export const RECENT_SAMPLES = LONG_INSTANTS;

/** The largest rise of a counter from one sample to the next that differs from a larger one. */
const MOST_RISES = 65_534;
const UNKNOWN_RISE = 65_535;

/**
 * Writes the last hour of pods, and of the medians of workloads, to `recent`, in two bytes a sample: of gauges their
 * levels (`encodeLevel`), of counters their rises since the sample before.
 */
export function fitRecent(
  window: FeatureTable,
  features: readonly FeatureDefinition[],
  { pods, workloads }: Pick<Baseline, 'pods' | 'workloads'>,
): void {
  const end = window.timestampsSeconds.at(-1) as number;
  const size = features.length * RECENT_SAMPLES;
  for (let pod = 0; pod < window.pods.length; pod++) {
    for (const [column, feature] of features.entries()) {
      let before = Number.NaN;
      for (let sample = 0; sample < RECENT_SAMPLES; sample++) {
        const value = window.valueAt(pod, end - (RECENT_SAMPLES - 1 - sample) * LONG_STEP_SECONDS, column);
        pods.recent[pod * size + column * RECENT_SAMPLES + sample] =
          feature.type === 'gauge' ? encodeLevel(levelOf(feature, value)) : encodeRise(value - before);
        before = heightAfter(before, value);
      }
    }
  }
  // Nothing is known of pods that the window does not have.
  for (let cell = window.pods.length * size; cell < pods.recent.length; cell++) {
    const feature = features[Math.floor((cell % size) / RECENT_SAMPLES)];
    pods.recent[cell] = feature?.type === 'gauge' ? encodeLevel(Number.NaN) : UNKNOWN_RISE;
  }
  workloads.recent.fill(encodeLevel(Number.NaN));
  for (const [row, own] of groupBy(window.pods.keys(), (pod) => pods.workload[pod] as number)) {
    if (own.length < LEAST_SIBLINGS) continue;
    const room = new Float64Array(own.length);
    for (let cell = 0; cell < size; cell++) {
      if (features[Math.floor(cell / RECENT_SAMPLES)]?.type !== 'gauge') continue;
      for (const [index, pod] of own.entries()) room[index] = decodeLevel(pods.recent[pod * size + cell] as number);
      workloads.recent[row * size + cell] = encodeLevel(medianOfKnown(room, LEAST_SIBLINGS));
    }
  }
}

/** What a gauge of a pod was an hour before the end of the training window, to half a percent; `NaN` where it is not known. */
export function valueHourBefore(
  { baseline, features }: Pick<Model, 'baseline' | 'features'>,
  row: number,
  column: number,
) {
  const code = baseline.pods.recent[(row * features.length + column) * RECENT_SAMPLES] as number;
  return valueOfLevel(features[column] as FeatureDefinition, decodeLevel(code));
}

/** A fall is a correction, or a new beginning, and no rise. */
function encodeRise(rise: number): number {
  return Number.isNaN(rise) ? UNKNOWN_RISE : Math.max(0, Math.min(MOST_RISES, Math.round(rise)));
}

/** The rise that `encodeRise` wrote; `NaN` where it is not known. */
export function decodeRise(code: number): number {
  return code === UNKNOWN_RISE ? Number.NaN : code;
}
