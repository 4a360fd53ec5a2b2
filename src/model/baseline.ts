/** What is usual for a pod: centre and spread of each feature, from the closest group that has enough samples. */

import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, podKey } from '../features/table.js';
import { type LocationScale, meanAndStandardDeviation, robustLocationScale } from './statistics.js';

/** What a pod is compared with first. */
export type BaselineKind = 'pod' | 'workload' | 'cluster';

/** Centre and spread of every feature for each of many groups. */
export interface GroupStatistics {
  /** Row of a group by its key (`podKey` of pods and workloads). */
  readonly rows: ReadonlyMap<string, number>;
  /** groups × features, in the feature's unit. */
  readonly location: Float64Array;
  /** groups × features, in the feature's unit, above 0. */
  readonly scale: Float64Array;
}

/** The usual values, fitted. */
export interface Baseline {
  readonly kind: BaselineKind;
  readonly pods: GroupStatistics;
  readonly workloads: GroupStatistics;
  /**
   * features: all pods in scope. Of ln(value + floor) for the kinds `pod` and `workload`, where only what is extreme
   * for the whole fleet shall stand out; of the value itself for `cluster`.
   */
  readonly fleet: readonly LocationScale[];
}

/** A group with fewer samples than this has no baseline of its own. */
export const MINIMUM_GROUP_SAMPLES = 20;

/** A change of less than a tenth of the usual level is not worth a spread. */
const RELATIVE_SPREAD_FLOOR = 0.1;

const NO_GROUPS: GroupStatistics = Object.freeze({
  rows: new Map<string, number>(),
  location: new Float64Array(0),
  scale: new Float64Array(0),
});

/**
 * Fits the baseline.
 *
 * @param table the training window; rows that are not complete are passed over.
 * @param features definitions of the table's columns, in their order.
 */
export function fitBaseline(
  table: FeatureTable,
  features: readonly FeatureDefinition[],
  kind: BaselineKind,
): Baseline {
  if (kind === 'cluster') {
    return { kind, pods: NO_GROUPS, workloads: NO_GROUPS, fleet: fitCluster(table, features) };
  }
  return {
    kind,
    pods: kind === 'pod' ? fitGroups(table, features, (pod) => podKey(pod.namespace, pod.pod)) : NO_GROUPS,
    workloads: fitGroups(table, features, (pod) => podKey(pod.namespace, pod.workload)),
    fleet: fitFleet(table, features),
  };
}

/** scikit-learn's StandardScaler leaves a constant column as it is, by a scale of 1. */
function fitCluster(table: FeatureTable, features: readonly FeatureDefinition[]): LocationScale[] {
  const everyPod = table.pods.map((_, index) => index);
  return features.map((_, column) => {
    const { location, scale } = meanAndStandardDeviation(columnOf(table, everyPod, column));
    return { location, scale: scale > 0 ? scale : 1 };
  });
}

function fitFleet(table: FeatureTable, features: readonly FeatureDefinition[]): LocationScale[] {
  const everyPod = table.pods.map((_, index) => index);
  return features.map((feature, column) => {
    const values = columnOf(table, everyPod, column).map((value) => Math.log(value + feature.spreadFloor));
    const { location, scale } = robustLocationScale(values);
    return { location, scale: Math.max(scale, Math.log1p(RELATIVE_SPREAD_FLOOR)) };
  });
}

function fitGroups(
  table: FeatureTable,
  features: readonly FeatureDefinition[],
  keyOf: (pod: FeatureTable['pods'][number]) => string,
): GroupStatistics {
  const members = new Map<string, number[]>();
  table.pods.forEach((pod, index) => {
    const key = keyOf(pod);
    const group = members.get(key);
    if (group === undefined) members.set(key, [index]);
    else group.push(index);
  });
  const rows = new Map<string, number>();
  const location: number[] = [];
  const scale: number[] = [];
  for (const [key, pods] of members) {
    const columns = features.map((_, column) => columnOf(table, pods, column));
    if ((columns[0]?.length ?? 0) < MINIMUM_GROUP_SAMPLES) continue;
    rows.set(key, rows.size);
    features.forEach((feature, column) => {
      const fitted = robustLocationScale(columns[column] as Float64Array);
      location.push(fitted.location);
      scale.push(
        Math.max(fitted.scale, RELATIVE_SPREAD_FLOOR * Math.abs(fitted.location), feature.spreadFloor),
      );
    });
  }
  return { rows, location: Float64Array.from(location), scale: Float64Array.from(scale) };
}

/** One feature of some pods, over all their complete instants. */
function columnOf(table: FeatureTable, pods: readonly number[], column: number): Float64Array {
  const width = table.features.length;
  const instants = table.timestampsSeconds.length;
  const values = new Float64Array(pods.length * instants);
  let count = 0;
  for (const pod of pods) {
    for (let row = pod * instants; row < (pod + 1) * instants; row++) {
      const value = table.values[row * width + column] as number;
      if (!Number.isNaN(value)) values[count++] = value;
    }
  }
  return values.subarray(0, count);
}

/** How far every row of a table is from what is usual for its pod. Both are rows × features, like the table. */
export interface Deviations {
  /** The usual value, in the feature's unit. */
  readonly expected: Float64Array;
  /**
   * (value - expected) / spread; never below 0 for a feature that can only go wrong upwards, except in the plain
   * method (`cluster`), which knows no directions.
   */
  readonly deviations: Float64Array;
}

/** Compares a table of the same features with the baseline. Cells without a value stay `NaN`. */
export function measureDeviations(
  baseline: Baseline,
  features: readonly FeatureDefinition[],
  table: FeatureTable,
): Deviations {
  const width = features.length;
  const instants = table.timestampsSeconds.length;
  const expected = new Float64Array(table.values.length);
  const deviations = new Float64Array(table.values.length);
  table.pods.forEach((pod, index) => {
    const usual = usualOf(baseline, pod.namespace, pod.pod, pod.workload);
    for (let column = 0; column < width; column++) {
      const feature = features[column] as FeatureDefinition;
      const measure = measureAgainst(baseline, usual, feature, column, width);
      const upwardsOnly = feature.direction === 'up' && baseline.kind !== 'cluster';
      for (let row = index * instants; row < (index + 1) * instants; row++) {
        const cell = row * width + column;
        const value = table.values[cell] as number;
        expected[cell] = Number.isNaN(value) ? Number.NaN : measure.expected;
        const deviation = measure.deviation(value);
        deviations[cell] = upwardsOnly ? Math.max(0, deviation) : deviation;
      }
    }
  });
  return { expected, deviations };
}

/** The closest group of a pod that has a baseline; none means the fleet. */
function usualOf(
  baseline: Baseline,
  namespace: string,
  pod: string,
  workload: string,
): { readonly statistics: GroupStatistics; readonly row: number } | undefined {
  const ownRow = baseline.pods.rows.get(podKey(namespace, pod));
  if (ownRow !== undefined) return { statistics: baseline.pods, row: ownRow };
  const workloadRow = baseline.workloads.rows.get(podKey(namespace, workload));
  if (workloadRow !== undefined) return { statistics: baseline.workloads, row: workloadRow };
  return undefined;
}

function measureAgainst(
  baseline: Baseline,
  usual: ReturnType<typeof usualOf>,
  feature: FeatureDefinition,
  column: number,
  width: number,
): { readonly expected: number; deviation(value: number): number } {
  if (usual !== undefined) {
    const location = usual.statistics.location[usual.row * width + column] as number;
    const scale = usual.statistics.scale[usual.row * width + column] as number;
    return { expected: location, deviation: (value) => (value - location) / scale };
  }
  const { location, scale } = baseline.fleet[column] as LocationScale;
  if (baseline.kind === 'cluster') {
    return { expected: location, deviation: (value) => (value - location) / scale };
  }
  return {
    expected: Math.exp(location) - feature.spreadFloor,
    deviation: (value) => (Math.log(value + feature.spreadFloor) - location) / scale,
  };
}
