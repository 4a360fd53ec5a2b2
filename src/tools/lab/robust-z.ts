/** The yardstick: a plain robust z-score for each pod, without any forest. What is built must beat it. */

import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import { type FeatureTable, podKey } from '../../exporter/features/table.js';
import { type LocationScale, robustLocationScale } from '../../lib/statistics.js';

/** A pod with fewer complete minutes in the window has no score, as it has no baseline of its own in the detector. */
const MINIMUM_SAMPLES = 20;

/** The floor of a spread as a share of the usual level, the tenth that the first version of the detector had. */
const RELATIVE_SPREAD_FLOOR = 0.1;

/** Median and spread of each feature, by the pod's key. */
export type RobustBaseline = ReadonlyMap<string, readonly LocationScale[]>;

/** Fits medians and spreads (scaled median absolute deviation, with the detector's floors) to a training window. */
export function fitRobustBaseline(table: FeatureTable, features: readonly FeatureDefinition[]): RobustBaseline {
  const baseline = new Map<string, readonly LocationScale[]>();
  const column = new Float64Array(table.timestampsSeconds.length);
  table.pods.forEach(({ namespace, pod }, index) => {
    const samples = table.copyPresent(index, 0, column);
    if (samples < MINIMUM_SAMPLES) return;
    baseline.set(
      podKey(namespace, pod),
      features.map(({ spreadFloor }, feature) => {
        table.copyPresent(index, feature, column);
        const { location, scale } = robustLocationScale(column, samples);
        const floor = Math.max(RELATIVE_SPREAD_FLOOR * Math.abs(location), spreadFloor);
        return { location, scale: Math.max(scale, floor) };
      }),
    );
  });
  return baseline;
}

/**
 * The largest deviation of a complete row, in spreads, 0 or more; upwards only where only a rise is a fault.
 *
 * @param key of the pod.
 * @param row features of one minute.
 * @returns `NaN` for a pod without a baseline.
 */
export function robustScore(
  baseline: RobustBaseline,
  features: readonly FeatureDefinition[],
  key: string,
  row: Float64Array,
): number {
  const usual = baseline.get(key);
  if (usual === undefined) return Number.NaN;
  let largest = 0;
  usual.forEach(({ location, scale }, column) => {
    const deviation = ((row[column] as number) - location) / scale;
    largest = Math.max(largest, features[column]?.direction === 'up' ? deviation : Math.abs(deviation));
  });
  return largest;
}
