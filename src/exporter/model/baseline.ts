/** What is usual for a pod: centre and spread of each feature, from the closest group that is known well enough. */

import {
  type LocationScale,
  meanAndStandardDeviation,
  quantileInPlace,
  robustLocationScale,
} from '../../lib/statistics.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, podKey } from '../features/table.js';
import { LONG_INSTANTS } from '../history/sustained.js';
import type { HourlyPatterns } from './hourly-pattern.js';
import { KnownBefore } from './known-before.js';
import { PodWindows } from './pod-windows.js';
import {
  ABSENT,
  COLUMNS,
  type Columns,
  ESTABLISHED,
  nameOfKey,
  newColumns,
  OWN_BASELINE,
  type PodRows,
  type WorkloadRows,
} from './rows.js';

/** What a pod is compared with first. */
export type BaselineKind = 'pod' | 'workload' | 'cluster';

/** The usual values, fitted. */
export interface Baseline {
  readonly kind: BaselineKind;
  readonly pods: PodRows;
  readonly workloads: WorkloadRows;
  readonly patterns: HourlyPatterns;
  readonly global: Columns<typeof COLUMNS.global>;
}

/** A pod with fewer samples than this has no baseline of its own. */
export const MINIMUM_OWN_SAMPLES = 20;

/** The share of the window in which an established pod has its first sample. */
const ESTABLISHED_SHARE = 0.1;

/** Replicas of one workload differ by at least this share of their usual level. */
const RELATIVE_PEER_SPREAD = 0.2;

/** A pod of an unknown workload is compared with all pods by factors; below two, no factor is remarkable. */
const SMALLEST_GLOBAL_SPREAD = Math.LN2;

/** What a baseline is fitted on. */
export interface TrainingTables {
  readonly window: FeatureTable;
  /** Earlier slices of time with the same columns, possibly none. */
  readonly history: readonly FeatureTable[];
}

/**
 * @param features definitions of the tables' columns, in their order.
 * @param sensitivity spreads that one feature alone must deviate by.
 * @param before what earlier trainings knew; the baseline `cluster` takes no notice of it.
 */
export function fitBaseline(
  { window, history }: TrainingTables,
  features: readonly FeatureDefinition[],
  kind: BaselineKind,
  sensitivity: number,
  before = KnownBefore.nothing(window),
): Baseline {
  const { pods, workloads } = newRows(window, features.length, before);
  if (kind === 'cluster') {
    const patterns = newColumns(COLUMNS.patterns, {});
    return { kind, pods, workloads, patterns, global: globalStatistics(fitCluster(window)) };
  }
  const windows = new PodWindows(window, history);
  const patterns: HourlyPatterns[] = [];
  let patternEnd = 0;
  const levels = new Float64Array(window.pods.length * features.length);
  const endSeconds = window.timestampsSeconds.at(-1) as number;
  pods.fittedSeconds.fill(endSeconds);
  for (const row of window.pods.keys()) {
    windows.moveTo(row, pods.keys[row] as string);
    const samples = windows.countSamples();
    pods.seenSeconds[row] = samples * window.stepSeconds;
    features.forEach((feature, column) => {
      if (feature.type !== 'counter') levels[column * window.pods.length + row] = windows.levelOf(column);
    });
    const isEnough = samples >= MINIMUM_OWN_SAMPLES;
    if (!before.keepPod(pods, row, isEnough) && isEnough) {
      const own = features.map((feature, column) =>
        feature.type === 'counter'
          ? counterStatistics(feature)
          : windows.fitLocationScale(column, feature, sensitivity),
      );
      pods.flags[row] = OWN_BASELINE;
      writeStatistics(pods, row, own);
      const pattern = windows.fitHourlyPattern(features, own);
      if (pattern !== undefined) {
        patterns.push(pattern);
        patternEnd += pattern.cell.length;
      }
    }
    pods.patternEnd[row] = patternEnd;
  }
  for (let row = window.pods.length; row < pods.keys.length; row++) {
    before.keepPod(pods, row, false);
    pods.patternEnd[row] = patternEnd;
  }
  markEstablished(window, pods);
  fitWorkloads(pods, workloads, features);
  before.keepWorkloads(workloads);
  return {
    kind,
    pods,
    workloads,
    patterns: {
      cell: Uint32Array.from(patterns.flatMap(({ cell }) => [...cell])),
      spreads: Float32Array.from(patterns.flatMap(({ spreads }) => [...spreads])),
    },
    global: globalStatistics(fitGlobal(levels, features)),
  };
}

/** The rows of a training window, and after them those that are known from before, without statistics. */
function newRows(
  window: FeatureTable,
  features: number,
  before: KnownBefore,
): { pods: PodRows; workloads: WorkloadRows } {
  const identities = [
    ...window.pods.map(({ namespace, pod, workload }) => ({
      key: podKey(namespace, pod),
      workload: podKey(namespace, workload),
    })),
    ...before.absentPods,
  ];
  const keys = identities.map(({ key }) => key);
  const workloadRows = new Map<string, number>();
  const samples = LONG_INSTANTS;
  const pods = newColumns(COLUMNS.pods, { pods: keys.length, features, samples });
  identities.forEach(({ workload }, pod) => {
    const row = workloadRows.get(workload) ?? workloadRows.size;
    workloadRows.set(workload, row);
    pods.workload[pod] = row;
  });
  for (const key of before.workloads) if (!workloadRows.has(key)) workloadRows.set(key, workloadRows.size);
  const workloadKeys = [...workloadRows.keys()];
  return {
    pods: { ...pods, keys, rows: new Map(keys.map((key, row) => [key, row])) },
    workloads: {
      ...newColumns(COLUMNS.workloads, { workloads: workloadKeys.length, features, samples }),
      keys: workloadKeys,
      names: workloadKeys.map(nameOfKey),
      rows: workloadRows,
    },
  };
}

function writeStatistics(
  into: { readonly location: Float64Array; readonly scale: Float64Array },
  row: number,
  statistics: readonly LocationScale[],
): void {
  statistics.forEach(({ location, scale }, column) => {
    into.location[row * statistics.length + column] = location;
    into.scale[row * statistics.length + column] = scale;
  });
}

function globalStatistics(statistics: readonly LocationScale[]): Baseline['global'] {
  const global = newColumns(COLUMNS.global, { features: statistics.length });
  writeStatistics(global, 0, statistics);
  return global;
}

/** Counters are measured by their recent rise: one is free, as a restart by itself is part of life. */
const FREE_RISE = 1;

function counterStatistics(feature: FeatureDefinition): LocationScale {
  return { location: FREE_RISE, scale: feature.spreadFloor };
}

/** scikit-learn's StandardScaler leaves a constant column as it is, by a scale of 1. */
function fitCluster(table: FeatureTable): LocationScale[] {
  return table.features.map((_, column) => {
    const { first, stride } = table.strideOf(column);
    const { location, scale } = meanAndStandardDeviation(table.values, first, stride);
    return { location, scale: scale > 0 ? scale : 1 };
  });
}

/**
 * By pods, not by samples: a pod that was there for a minute says as much about what sizes there are.
 *
 * @param levels features × pods: the median of each pod's samples.
 */
function fitGlobal(levels: Float64Array, features: readonly FeatureDefinition[]): LocationScale[] {
  const pods = levels.length / features.length;
  return features.map((feature, column) => {
    if (feature.type === 'counter') return counterStatistics(feature);
    const logarithms = levels
      .subarray(column * pods, (column + 1) * pods)
      .map((level) => Math.log(Math.max(level, feature.spreadFloor)));
    const { location, scale } = robustLocationScale(logarithms);
    return { location, scale: Math.max(scale, SMALLEST_GLOBAL_SPREAD) };
  });
}

/** A window may begin before Prometheus has data; its first sample of any pod is what counts as the beginning. */
function markEstablished(window: FeatureTable, { flags, fittedSeconds }: PodRows): void {
  const instants = window.timestampsSeconds.length;
  const firsts = Uint32Array.from(window.pods, (_, pod) => {
    let instant = 0;
    while (instant < instants && !window.isPresent(pod, instant)) instant++;
    return instant;
  });
  const begin = firsts.reduce((least, first) => Math.min(least, first), instants);
  const latest = begin + ESTABLISHED_SHARE * (instants - begin);
  firsts.forEach((first, pod) => {
    // What an earlier training said of a pod stays.
    const isNew = fittedSeconds[pod] === window.timestampsSeconds.at(-1);
    if (isNew && flags[pod] === OWN_BASELINE && first < latest) flags[pod] = OWN_BASELINE | ESTABLISHED;
  });
}

/**
 * The statistics of workloads from those of their established pods: also of pods that are gone by now, so that the
 * pods of a rollout are compared with those that they replace.
 */
function fitWorkloads(pods: PodRows, workloads: WorkloadRows, features: readonly FeatureDefinition[]): void {
  const members: number[][] = workloads.keys.map(() => []);
  pods.workload.forEach((workload, pod) => {
    if (((pods.flags[pod] as number) & (ESTABLISHED | ABSENT)) === ESTABLISHED) members[workload]?.push(pod);
  });
  for (const [workload, rows] of members.entries()) {
    if (rows.length === 0) continue;
    workloads.members[workload] = rows.length;
    workloads.fittedSeconds[workload] = Math.max(...rows.map((row) => pods.fittedSeconds[row] as number));
    const statistics = features.map((feature, column) => {
      if (feature.type === 'counter') return counterStatistics(feature);
      const valuesOf = (values: Float64Array) =>
        Float64Array.from(rows, (row) => values[row * features.length + column] as number);
      const { location, scale } = robustLocationScale(valuesOf(pods.location));
      const own = quantileInPlace(valuesOf(pods.scale), rows.length, 0.5);
      const relative = RELATIVE_PEER_SPREAD * Math.abs(location);
      return { location, scale: Math.max(own, scale, relative, feature.spreadFloor) };
    });
    writeStatistics(workloads, workload, statistics);
  }
}
