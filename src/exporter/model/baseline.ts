/** What is usual for a pod: centre and spread of each feature, from the closest group that can tell. */

import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, type PodIdentity, podKey } from '../features/table.js';
import { fitSchedule, type Schedule } from './schedule.js';
import { fitLocationScale, scratchLength } from './spread.js';
import {
  type LocationScale,
  meanAndStandardDeviation,
  quantileInPlace,
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
export const MINIMUM_OWN_SAMPLES = 20;

/** The share of the window in which an established pod has its first sample. */
const ESTABLISHED_SHARE = 0.1;

/** Replicas of one workload differ by so much of their usual level at least. */
const RELATIVE_SIBLING_SPREAD = 0.2;

/** A pod of an unknown workload is compared with the fleet by factors; below two, no factor is remarkable. */
const SMALLEST_FLEET_SPREAD = Math.LN2;

/** New ones for each model: whoever transfers the arrays of a model takes none from another. */
const noGroups = (): GroupStatistics => ({
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
      pods: noGroups(),
      established: new Set(),
      workloads: noGroups(),
      schedules: new Map(),
      fleet: fitCluster(window, features),
    };
  }
  const keys = window.pods.map(keyOf);
  const past = new Past(window, history);
  const pods = new GroupBuilder(features.length);
  const schedules = new Map<string, Schedule>();
  const levels = new Float64Array(window.pods.length * features.length);
  const seenSeconds = new Map<string, number>();
  for (const [index, key] of keys.entries()) {
    past.moveTo(index, key);
    const samples = past.countSamples();
    seenSeconds.set(key, samples * window.stepSeconds);
    features.forEach((feature, column) => {
      if (feature.type !== 'counter') levels[column * keys.length + index] = past.levelOf(column);
    });
    if (samples < MINIMUM_OWN_SAMPLES) continue;
    const own = features.map((feature, column) =>
      feature.type === 'counter'
        ? counterStatistics(feature)
        : past.fitLocationScale(column, feature, sensitivity),
    );
    pods.add(key, own);
    const schedule = past.fitSchedule(features, own);
    if (schedule !== undefined) schedules.set(key, schedule);
  }
  const statistics = pods.build();
  const established = establishedPods(window, keys, statistics.rows);
  return {
    kind,
    seenSeconds,
    pods: statistics,
    established,
    workloads: fitWorkloads(window, keys, features, statistics, established),
    schedules,
    fleet: fitFleet(levels, features),
  };
}

const keyOf = (pod: PodIdentity): string => podKey(pod.namespace, pod.pod);

/** Counters are measured by their recent rise: one is free, as a restart by itself is part of life. */
const FREE_RISE = 1;

function counterStatistics(feature: FeatureDefinition): LocationScale {
  return { location: FREE_RISE, scale: feature.spreadFloor };
}

/** scikit-learn's StandardScaler leaves a constant column as it is, by a scale of 1. */
function fitCluster({ values }: FeatureTable, features: readonly FeatureDefinition[]): LocationScale[] {
  return features.map((_, column) => {
    const { location, scale } = meanAndStandardDeviation(values, column, features.length);
    return { location, scale: scale > 0 ? scale : 1 };
  });
}

/**
 * By pods, not by samples: a pod that was there for a minute tells as much about what sizes there are.
 *
 * @param levels features × pods: the median of each pod's samples.
 */
function fitFleet(levels: Float64Array, features: readonly FeatureDefinition[]): LocationScale[] {
  const pods = levels.length / features.length;
  return features.map((feature, column) => {
    if (feature.type === 'counter') return counterStatistics(feature);
    const logarithms = levels
      .subarray(column * pods, (column + 1) * pods)
      .map((level) => Math.log(Math.max(level, feature.spreadFloor)));
    const { location, scale } = robustLocationScale(logarithms);
    return { location, scale: Math.max(scale, SMALLEST_FLEET_SPREAD) };
  });
}

/** A window may begin before Prometheus has data; its first sample of any pod is what counts as the beginning. */
function establishedPods(
  table: FeatureTable,
  keys: readonly string[],
  withBaseline: ReadonlyMap<string, number>,
): Set<string> {
  const instants = table.timestampsSeconds.length;
  const firsts = Uint32Array.from(keys, (_, index) => firstPresent(table, index));
  const begin = firsts.reduce((least, first) => Math.min(least, first), instants);
  const latest = begin + ESTABLISHED_SHARE * (instants - begin);
  return new Set(keys.filter((key, index) => withBaseline.has(key) && (firsts[index] as number) < latest));
}

/** The first instant of a pod, the number of instants where it has none. */
function firstPresent(table: FeatureTable, pod: number): number {
  let instant = 0;
  while (instant < table.timestampsSeconds.length && !table.isPresent(pod, instant)) instant++;
  return instant;
}

/**
 * The statistics of workloads from those of their established pods: also of pods that are gone by now, so that the
 * pods of a rollout are compared with those that they replace.
 */
function fitWorkloads(
  table: FeatureTable,
  keys: readonly string[],
  features: readonly FeatureDefinition[],
  pods: GroupStatistics,
  established: ReadonlySet<string>,
): GroupStatistics {
  const members = new Map<string, number[]>();
  for (const [index, pod] of table.pods.entries()) {
    const own = keys[index] as string;
    const row = established.has(own) ? pods.rows.get(own) : undefined;
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
            quantileInPlace(scales, scales.length, 0.5),
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

/**
 * All that is known of one pod after the other. Columns are read into the same few arrays again and again: at
 * hundreds of thousands of pods, arrays of their own would cost more than the arithmetic.
 */
class Past {
  readonly #window: FeatureTable;
  readonly #slices: readonly Slice[];
  readonly #column: Float64Array;
  readonly #sliceColumns: readonly Float64Array[];
  readonly #scratch: Float64Array;
  #index = -1;

  constructor(window: FeatureTable, history: readonly FeatureTable[]) {
    this.#window = window;
    this.#slices = history.map((table) => new Slice(table));
    this.#column = new Float64Array(window.timestampsSeconds.length);
    this.#sliceColumns = history.map((table) => new Float64Array(table.timestampsSeconds.length));
    this.#scratch = new Float64Array(scratchLength(this.#column, this.#sliceColumns));
  }

  /** Turns to a pod by its position in the window, and its key. */
  moveTo(index: number, key: string): void {
    this.#index = index;
    for (const slice of this.#slices) slice.moveTo(key);
  }

  /** Instants of the window with values. */
  countSamples(): number {
    return this.#window.copyPresent(this.#index, 0, this.#scratch);
  }

  /** Median of a feature over the window. */
  levelOf(column: number): number {
    const count = this.#window.copyPresent(this.#index, column, this.#scratch);
    return quantileInPlace(this.#scratch, count, 0.5);
  }

  fitLocationScale(column: number, feature: FeatureDefinition, sensitivity: number): LocationScale {
    const { spreadFloor, relativeSpreadFloor } = feature;
    this.#window.copyColumn(this.#index, column, this.#column);
    this.#slices.forEach((slice, position) => {
      slice.copyColumn(column, this.#sliceColumns[position] as Float64Array);
    });
    const options = { spreadFloor, relativeSpreadFloor, sensitivity };
    return fitLocationScale(this.#column, this.#sliceColumns, options, this.#scratch);
  }

  fitSchedule(features: readonly FeatureDefinition[], own: readonly LocationScale[]): Schedule | undefined {
    const deviationAt = (column: number, timeSeconds: number) => {
      if (features[column]?.type === 'counter') return Number.NaN;
      let value = this.#window.valueAt(this.#index, timeSeconds, column);
      for (const slice of this.#slices) {
        if (!Number.isNaN(value)) break;
        value = slice.valueAt(timeSeconds, column);
      }
      const { location, scale } = own[column] as LocationScale;
      return (value - location) / scale;
    };
    return fitSchedule(deviationAt, features.length, this.#window.timestampsSeconds);
  }
}

/** An earlier table, turned to one pod. */
class Slice {
  readonly #table: FeatureTable;
  readonly #indices: ReadonlyMap<string, number>;
  /** Position of the pod; `undefined` where it is not in the table. */
  #index: number | undefined;

  constructor(table: FeatureTable) {
    this.#table = table;
    this.#indices = new Map(table.pods.map((pod, index) => [keyOf(pod), index]));
  }

  moveTo(key: string): void {
    this.#index = this.#indices.get(key);
  }

  valueAt(timeSeconds: number, column: number): number {
    return this.#index === undefined ? Number.NaN : this.#table.valueAt(this.#index, timeSeconds, column);
  }

  copyColumn(column: number, into: Float64Array): void {
    if (this.#index === undefined) into.fill(Number.NaN);
    else this.#table.copyColumn(this.#index, column, into);
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
