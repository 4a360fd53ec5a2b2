/** How far pods are from what is usual for them: for people, and as the forest sees it. */

import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, type PodIdentity, podKey } from '../features/table.js';
import { type Baseline, columnOf } from './baseline.js';
import { recentRises } from './counter.js';
import { excuse, type Schedule } from './schedule.js';
import { settle, squash } from './transform.js';

/** Pods that were seen for less than this are warming up: what they do while they start is no measure of anything. */
export const WARM_UP_SECONDS = 6 * 60;

/** What was measured, one row for each pod and measured instant. */
export interface Measurement {
  /** rows × features: the usual value, in the feature's unit. */
  readonly expected: Float64Array;
  /** rows × features: distance of the value from the usual one, in usual spreads, signed. */
  readonly deviations: Float64Array;
  /** rows × features: what the forest sees of it. */
  readonly inputs: Float64Array;
}

/** What to measure. */
export interface MeasureOptions {
  /** The first instant of the table to measure. */
  readonly firstInstant: number;
  /** Whether deviations that the timetable of a pod expects are excused. */
  readonly excuseSchedules: boolean;
}

/** What a pod is compared with. */
interface Reference {
  location(column: number): number;
  scale(column: number): number;
  /** Compare logarithms. */
  readonly logarithmic: boolean;
  /** A young pod that uses less than others is young, not broken. */
  readonly upwardsOnly: boolean;
  readonly schedule: Schedule | undefined;
}

/** Measures a table of the same features against the baseline. Rows without values stay `NaN`. */
export function measure(
  baseline: Baseline,
  features: readonly FeatureDefinition[],
  table: FeatureTable,
  { firstInstant, excuseSchedules }: MeasureOptions,
): Measurement {
  const width = features.length;
  const instants = table.timestampsSeconds.length;
  const measured = instants - firstInstant;
  const size = table.pods.length * measured * width;
  const expected = new Float64Array(size);
  const deviations = new Float64Array(size);
  const inputs = new Float64Array(size);
  const step =
    instants > 1 ? (table.timestampsSeconds[1] as number) - (table.timestampsSeconds[0] as number) : 1;
  table.pods.forEach((pod, index) => {
    const reference = referenceOf(baseline, pod);
    for (let column = 0; column < width; column++) {
      const feature = features[column] as FeatureDefinition;
      const values = columnOf(table, index, column);
      const rises = isRise(feature, baseline) ? recentRises(values, step) : undefined;
      const deviationAt = (instant: number) =>
        distance(reference, column, (rises ?? values)[instant] as number, feature);
      const inputAt = (instant: number) => {
        if (baseline.kind === 'cluster') return deviationAt(instant);
        let deviation = deviationAt(instant);
        if (excuseSchedules && reference.schedule !== undefined) {
          const time = table.timestampsSeconds[instant] as number;
          deviation = excuse(reference.schedule, width, column, time, deviation);
        }
        return squash(deviation, reference.upwardsOnly || feature.direction === 'up');
      };
      for (let instant = firstInstant; instant < instants; instant++) {
        const cell = (index * measured + instant - firstInstant) * width + column;
        const value = values[instant] as number;
        expected[cell] =
          rises === undefined
            ? usualValue(reference, column)
            : Math.max(0, value - (rises[instant] as number));
        deviations[cell] = clampDirection(deviationAt(instant), feature, baseline);
        inputs[cell] =
          baseline.kind === 'cluster' ? inputAt(instant) : settle(inputAt(instant), inputAt(instant - 1));
        if (Number.isNaN(value)) expected[cell] = Number.NaN;
      }
    }
  });
  return { expected, deviations, inputs };
}

/** The plain method takes counters as they stand. */
function isRise(feature: FeatureDefinition, baseline: Baseline): boolean {
  return feature.type === 'counter' && baseline.kind !== 'cluster';
}

function clampDirection(deviation: number, feature: FeatureDefinition, baseline: Baseline): number {
  return feature.direction === 'up' && baseline.kind !== 'cluster' ? Math.max(0, deviation) : deviation;
}

function distance(reference: Reference, column: number, value: number, feature: FeatureDefinition): number {
  const comparable =
    reference.logarithmic && feature.type !== 'counter'
      ? Math.log(Math.max(value, feature.spreadFloor))
      : value;
  return (comparable - reference.location(column)) / reference.scale(column);
}

function usualValue(reference: Reference, column: number): number {
  const location = reference.location(column);
  return reference.logarithmic ? Math.exp(location) : location;
}

/**
 * The closest group that can tell. A pod that came within the window may have been born into trouble: its siblings
 * are the measure, not its own short past. Only without siblings its own past counts, and without that the fleet.
 */
function referenceOf(baseline: Baseline, { namespace, pod, workload }: PodIdentity): Reference {
  const { kind, pods, workloads, established, schedules, fleet } = baseline;
  const width = fleet.length;
  const key = podKey(namespace, pod);
  const own = pods.rows.get(key);
  const siblings = workloads.rows.get(podKey(namespace, workload));
  const plain = { logarithmic: false, upwardsOnly: false, schedule: undefined };
  if (own !== undefined && (siblings === undefined || (kind === 'pod' && established.has(key)))) {
    return {
      ...plain,
      location: (column) => pods.location[own * width + column] as number,
      scale: (column) => pods.scale[own * width + column] as number,
      schedule: schedules.get(key),
    };
  }
  if (siblings !== undefined) {
    return {
      ...plain,
      location: (column) => workloads.location[siblings * width + column] as number,
      scale: (column) => workloads.scale[siblings * width + column] as number,
      upwardsOnly: !established.has(key),
    };
  }
  const isPlainMethod = kind === 'cluster';
  return {
    location: (column) => (fleet[column] as { location: number }).location,
    scale: (column) => (fleet[column] as { scale: number }).scale,
    logarithmic: !isPlainMethod,
    upwardsOnly: !isPlainMethod,
    schedule: undefined,
  };
}
