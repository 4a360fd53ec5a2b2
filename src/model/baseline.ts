/** What is usual for a pod: centre and spread of each feature, from the closest group that can tell. */

import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, type PodIdentity, podKey } from '../features/table.js';
import { fitSchedule, type Schedule } from './schedule.js';
import { fitLocationScale } from './spread.js';
import {
  type LocationScale,
  meanAndStandardDeviation,
  quantileOfSorted,
  robustLocationScale,
} from './statistics.js';

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
  /** For how long each pod was seen in the window, in seconds, by its key. */
  readonly seenSeconds: ReadonlyMap<string, number>;
  /** Pods by their own past, as far as they have enough of it. */
  readonly pods: GroupStatistics;
  /** Keys of the pods that have been there since the beginning of the window: only their past is a measure. */
  readonly established: ReadonlySet<string>;
  /** What the established pods of a workload have in common. */
  readonly workloads: GroupStatistics;
  /** Timetables of pods that have one, by their keys. */
  readonly schedules: ReadonlyMap<string, Schedule>;
  /**
   * features: all pods in scope. Of ln(value) for the kinds `pod` and `workload`, where only what is extreme for the
   * whole fleet shall stand out; of the value itself for `cluster`.
   */
  readonly fleet: readonly LocationScale[];
}

/** A pod with fewer samples than this has no baseline of its own. */
const MINIMUM_OWN_SAMPLES = 20;

/** The share of the window in which an established pod has its first sample. */
const ESTABLISHED_SHARE = 0.1;

/** Replicas of one workload differ by so much of their usual level at least. */
const RELATIVE_SIBLING_SPREAD = 0.2;

/** A pod of an unknown workload is compared with the fleet by factors; below two, no factor is remarkable. */
const SMALLEST_FLEET_SPREAD = Math.LN2;

const NO_GROUPS: GroupStatistics = Object.freeze({
  rows: new Map<string, number>(),
  location: new Float64Array(0),
  scale: new Float64Array(0),
});

/** What a baseline is fitted on. */
export interface TrainingTables {
  /** The training window. */
  readonly window: FeatureTable;
  /** Earlier slices of time with the same columns, possibly none. */
  readonly history: readonly FeatureTable[];
}

/**
 * Fits the baseline.
 *
 * @param features definitions of the tables' columns, in their order.
 * @param sensitivity spreads that one feature alone must deviate by.
 */
export function fitBaseline(
  { window, history }: TrainingTables,
  features: readonly FeatureDefinition[],
  kind: BaselineKind,
  sensitivity: number,
): Baseline {
  if (kind === 'cluster') {
    return {
      kind,
      seenSeconds: new Map(),
      pods: NO_GROUPS,
      established: new Set(),
      workloads: NO_GROUPS,
      schedules: new Map(),
      fleet: fitCluster(window, features),
    };
  }
  const samples = new Map(window.pods.map((pod, index) => [keyOf(pod), countSamples(window, index)]));
  const slices = history.map((table) => new PastTable(table));
  const pods = new GroupBuilder(features.length);
  const schedules = new Map<string, Schedule>();
  window.pods.forEach((pod, index) => {
    const key = keyOf(pod);
    if ((samples.get(key) ?? 0) < MINIMUM_OWN_SAMPLES) return;
    const own = features.map((feature, column) =>
      feature.type === 'counter'
        ? counterStatistics(feature)
        : fitLocationScale(
            columnOf(window, index, column),
            slices.map((slice) => slice.columnOf(key, column)),
            { ...feature, sensitivity },
          ),
    );
    pods.add(key, own);
    const schedule = scheduleOf(window, index, slices, key, features, own);
    if (schedule !== undefined) schedules.set(key, schedule);
  });
  const established = establishedPods(window, pods.rows);
  const statistics = pods.build();
  return {
    kind,
    seenSeconds: new Map([...samples].map(([key, count]) => [key, count * stepOf(window)])),
    pods: statistics,
    established,
    workloads: fitWorkloads(window, features, statistics, established),
    schedules,
    fleet: fitFleet(window, features),
  };
}

const keyOf = (pod: PodIdentity): string => podKey(pod.namespace, pod.pod);

/** Counters are measured by their recent rise: one is free, as a restart by itself is part of life. */
const FREE_RISE = 1;

function counterStatistics(feature: FeatureDefinition): LocationScale {
  return { location: FREE_RISE, scale: feature.spreadFloor };
}

/** scikit-learn's StandardScaler leaves a constant column as it is, by a scale of 1. */
function fitCluster(table: FeatureTable, features: readonly FeatureDefinition[]): LocationScale[] {
  return features.map((_, column) => {
    const parts = table.pods.map((_pod, index) => present(columnOf(table, index, column)));
    const { location, scale } = meanAndStandardDeviation(concatenate(parts));
    return { location, scale: scale > 0 ? scale : 1 };
  });
}

/** By pods, not by samples: a pod that was there for a minute tells as much about what sizes there are. */
function fitFleet(table: FeatureTable, features: readonly FeatureDefinition[]): LocationScale[] {
  return features.map((feature, column) => {
    if (feature.type === 'counter') return counterStatistics(feature);
    const logarithms = table.pods.map((_, index) => {
      const level = median(present(columnOf(table, index, column)));
      return Math.log(Math.max(level, feature.spreadFloor));
    });
    const { location, scale } = robustLocationScale(Float64Array.from(logarithms));
    return { location, scale: Math.max(scale, SMALLEST_FLEET_SPREAD) };
  });
}

/** A window may begin before Prometheus has data; its first sample of any pod is what counts as the beginning. */
function establishedPods(table: FeatureTable, withBaseline: ReadonlyMap<string, number>): Set<string> {
  const firsts = table.pods.map((_, index) =>
    columnOf(table, index, 0).findIndex((value) => !Number.isNaN(value)),
  );
  const begin = firsts.reduce((least, first) => (first < 0 ? least : Math.min(least, first)), Infinity);
  const latest = begin + ESTABLISHED_SHARE * (table.timestampsSeconds.length - begin);
  const established = table.pods.filter(
    (pod, index) => withBaseline.has(keyOf(pod)) && (firsts[index] as number) < latest,
  );
  return new Set(established.map(keyOf));
}

/**
 * The statistics of workloads from those of their established pods: also of pods that are gone by now, so that the
 * pods of a rollout are compared with those that they replace.
 */
function fitWorkloads(
  table: FeatureTable,
  features: readonly FeatureDefinition[],
  pods: GroupStatistics,
  established: ReadonlySet<string>,
): GroupStatistics {
  const members = new Map<string, number[]>();
  for (const pod of table.pods) {
    const row = established.has(keyOf(pod)) ? pods.rows.get(keyOf(pod)) : undefined;
    if (row === undefined) continue;
    const key = podKey(pod.namespace, pod.workload);
    const rows = members.get(key);
    if (rows === undefined) members.set(key, [row]);
    else rows.push(row);
  }
  const workloads = new GroupBuilder(features.length);
  for (const [key, rows] of members) {
    workloads.add(
      key,
      features.map((feature, column) => {
        if (feature.type === 'counter') return counterStatistics(feature);
        const cells = Uint32Array.from(rows, (row) => row * features.length + column);
        const locations = Float64Array.from(cells, (cell) => pods.location[cell] as number);
        const scales = Float64Array.from(cells, (cell) => pods.scale[cell] as number);
        const { location, scale } = robustLocationScale(locations);
        return {
          location,
          scale: Math.max(
            median(scales),
            scale,
            RELATIVE_SIBLING_SPREAD * Math.abs(location),
            feature.spreadFloor,
          ),
        };
      }),
    );
  }
  return workloads.build();
}

function scheduleOf(
  window: FeatureTable,
  index: number,
  slices: readonly PastTable[],
  key: string,
  features: readonly FeatureDefinition[],
  own: readonly LocationScale[],
): Schedule | undefined {
  const current = new PastTable(window);
  const past = (column: number, timeSeconds: number) => {
    if (features[column]?.type === 'counter') return Number.NaN;
    let value = current.valueAt(index, column, timeSeconds);
    for (const slice of slices) {
      if (!Number.isNaN(value)) break;
      value = slice.valueAt(slice.indexOf(key), column, timeSeconds);
    }
    const { location, scale } = own[column] as LocationScale;
    return (value - location) / scale;
  };
  return fitSchedule(past, features.length, window.timestampsSeconds);
}

/** A table that is asked by pod and by time. */
class PastTable {
  readonly #table: FeatureTable;
  #indices: ReadonlyMap<string, number> | undefined;

  constructor(table: FeatureTable) {
    this.#table = table;
  }

  /** Position of a pod by its key, -1 where it is not in the table. */
  indexOf(key: string): number {
    this.#indices ??= new Map(this.#table.pods.map((pod, index) => [keyOf(pod), index]));
    return this.#indices.get(key) ?? -1;
  }

  /** All values of a feature of a pod, one for each instant; `NaN` where there is none. */
  columnOf(key: string, column: number): Float64Array {
    const index = this.indexOf(key);
    if (index < 0) return new Float64Array(this.#table.timestampsSeconds.length).fill(Number.NaN);
    return columnOf(this.#table, index, column);
  }

  /** The value at the instant nearest to a time, `NaN` where the table has none there. */
  valueAt(index: number, column: number, timeSeconds: number): number {
    const { timestampsSeconds: grid, features, values } = this.#table;
    const first = grid[0] ?? Number.NaN;
    const step = (grid[1] ?? first + 1) - first;
    const instant = Math.round((timeSeconds - first) / step);
    if (index < 0 || !(instant >= 0 && instant < grid.length)) return Number.NaN;
    return values[(index * grid.length + instant) * features.length + column] as number;
  }
}

/** Collects rows of statistics. */
class GroupBuilder {
  readonly rows = new Map<string, number>();
  readonly #location: number[] = [];
  readonly #scale: number[] = [];
  readonly #width: number;

  constructor(width: number) {
    this.#width = width;
  }

  add(key: string, columns: readonly LocationScale[]): void {
    if (columns.length !== this.#width) {
      throw new Error(`Expected ${this.#width} columns, got ${columns.length}.`);
    }
    this.rows.set(key, this.rows.size);
    for (const { location, scale } of columns) {
      this.#location.push(location);
      this.#scale.push(scale);
    }
  }

  build(): GroupStatistics {
    return {
      rows: this.rows,
      location: Float64Array.from(this.#location),
      scale: Float64Array.from(this.#scale),
    };
  }
}

/** Distance of the instants of a table, in seconds; a minute where there is only one. */
export function stepOf({ timestampsSeconds }: FeatureTable): number {
  const [first, second] = timestampsSeconds;
  return first === undefined || second === undefined ? 60 : second - first;
}

/** One feature of one pod, a value for each instant; `NaN` where there is none. */
export function columnOf(table: FeatureTable, index: number, column: number): Float64Array {
  const width = table.features.length;
  const instants = table.timestampsSeconds.length;
  const values = new Float64Array(instants);
  for (let instant = 0; instant < instants; instant++) {
    values[instant] = table.values[(index * instants + instant) * width + column] as number;
  }
  return values;
}

function countSamples(table: FeatureTable, index: number): number {
  return present(columnOf(table, index, 0)).length;
}

function present(values: Float64Array): Float64Array {
  return values.filter((value) => !Number.isNaN(value));
}

/** @param values at least one; sorted in place. */
function median(values: Float64Array): number {
  return quantileOfSorted(values.sort(), 0.5);
}

function concatenate(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
