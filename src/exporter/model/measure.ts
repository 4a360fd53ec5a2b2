/** How far pods are from what is usual for them: for people, and as the forest sees it. */

import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, type PodIdentity, podKey } from '../features/table.js';
import type { Baseline, GroupStatistics } from './baseline.js';
import { recentRises } from './counter.js';
import { excuse, type Schedule } from './schedule.js';
import { settle, squash } from './transform.js';

/** Pods that were seen for less than this are warming up: what they do while they start is no measure of anything. */
export const WARM_UP_SECONDS = 6 * 60;

/** What was measured, one row for each pod and measured instant. */
export interface Measurement {
  /** rows × features: the value, in the feature's unit. */
  readonly actual: Float64Array;
  /** rows × features: the usual value, in the feature's unit. */
  readonly expected: Float64Array;
  /** rows × features: distance of the value from the usual one, in usual spreads, signed. */
  readonly deviations: Float64Array;
  /** rows × features: what the forest sees of it. */
  readonly inputs: Float64Array;
}

/** Room for so many cells. */
export function emptyMeasurement(cells: number): Measurement {
  return {
    actual: new Float64Array(cells),
    expected: new Float64Array(cells),
    deviations: new Float64Array(cells),
    inputs: new Float64Array(cells),
  };
}

/** The values that are usual for a feature of a pod; of a counter, the rises. Both ends belong to it. */
export interface Band {
  /** `-Infinity` where a fall is nothing. */
  readonly lower: number;
  readonly upper: number;
}

/** What a pod is compared with. */
interface Reference {
  readonly statistics: Pick<GroupStatistics, 'location' | 'scale'>;
  /** Cell of the first feature in the statistics. */
  readonly start: number;
  /** Compare logarithms. */
  readonly logarithmic: boolean;
  /** A young pod that uses less than others is young, not broken. */
  readonly upwardsOnly: boolean;
  readonly schedule: Schedule | undefined;
}

/** Measures pods of a table one at a time. */
export class Measurer {
  readonly #baseline: Baseline;
  readonly #features: readonly FeatureDefinition[];
  readonly #table: FeatureTable;
  readonly #excuseSchedules: boolean;
  readonly #fleet: Reference['statistics'];
  #lastSiblings:
    | { readonly namespace: string; readonly workload: string; readonly row: number | undefined }
    | undefined;
  // Room to work in, for all pods the same.
  readonly #values: Float64Array;
  readonly #rises: Float64Array;
  readonly #recentRises: Float64Array;

  constructor(
    baseline: Baseline,
    features: readonly FeatureDefinition[],
    table: FeatureTable,
    excuseSchedules: boolean,
  ) {
    this.#baseline = baseline;
    this.#features = features;
    this.#table = table;
    this.#excuseSchedules = excuseSchedules;
    this.#fleet = {
      location: Float64Array.from(baseline.fleet, ({ location }) => location),
      scale: Float64Array.from(baseline.fleet, ({ scale }) => scale),
    };
    const instants = table.timestampsSeconds.length;
    this.#values = new Float64Array(instants);
    this.#rises = new Float64Array(instants);
    this.#recentRises = new Float64Array(instants);
  }

  /**
   * Measures the instants from `first` to before `end` of a pod.
   *
   * @param into is written to, from row `row` on.
   */
  measurePod(index: number, first: number, end: number, into: Measurement, row: number): void {
    const width = this.#features.length;
    const isPlain = this.#baseline.kind === 'cluster';
    const { timestampsSeconds, stepSeconds } = this.#table;
    const reference = this.#referenceOf(this.#table.pods[index] as PodIdentity);
    for (let column = 0; column < width; column++) {
      const feature = this.#features[column] as FeatureDefinition;
      const location = reference.statistics.location[reference.start + column] as number;
      const scale = reference.statistics.scale[reference.start + column] as number;
      // The plain method takes counters as they stand.
      const isRise = feature.type === 'counter' && !isPlain;
      const logarithmic = reference.logarithmic && feature.type !== 'counter';
      const upwardsOnly = reference.upwardsOnly || feature.direction === 'up';
      const usual = reference.logarithmic ? Math.exp(location) : location;
      const values = this.#values;
      this.#table.copyColumn(index, column, values);
      const comparable = isRise ? recentRises(values, stepSeconds, this.#rises, this.#recentRises) : values;
      let before = Number.NaN;
      for (let instant = Math.max(0, first - 1); instant < end; instant++) {
        const value = comparable[instant] as number;
        const deviation =
          ((logarithmic ? Math.log(Math.max(value, feature.spreadFloor)) : value) - location) / scale;
        let input = deviation;
        if (!isPlain) {
          if (this.#excuseSchedules && reference.schedule !== undefined) {
            const time = timestampsSeconds[instant] as number;
            input = excuse(reference.schedule, width, column, time, deviation);
          }
          input = squash(input, upwardsOnly);
        }
        if (instant >= first) {
          const cell = (row + instant - first) * width + column;
          const actual = values[instant] as number;
          into.actual[cell] = actual;
          into.expected[cell] = Number.isNaN(actual)
            ? Number.NaN
            : isRise
              ? Math.max(0, actual - value)
              : usual;
          into.deviations[cell] = feature.direction === 'up' && !isPlain ? Math.max(0, deviation) : deviation;
          into.inputs[cell] = isPlain ? input : settle(input, before);
        }
        before = input;
      }
    }
  }

  /** The statistics of a workload. Pods of one mostly follow one another, so the last answer is kept. */
  #siblingsOf(namespace: string, workload: string): number | undefined {
    const last = this.#lastSiblings;
    if (last?.workload === workload && last.namespace === namespace) return last.row;
    const row = this.#baseline.workloads.rows.get(podKey(namespace, workload));
    this.#lastSiblings = { namespace, workload, row };
    return row;
  }

  /**
   * The values of a feature of a pod that deviate by no more than so many spreads.
   *
   * @param index position of the pod in the table.
   */
  bandOf(
    index: number,
    column: number,
    { below, above }: { readonly below: number; readonly above: number },
  ): Band {
    const feature = this.#features[column] as FeatureDefinition;
    const reference = this.#referenceOf(this.#table.pods[index] as PodIdentity);
    const location = reference.statistics.location[reference.start + column] as number;
    const scale = reference.statistics.scale[reference.start + column] as number;
    const logarithmic = reference.logarithmic && feature.type !== 'counter';
    const valueAt = (spreads: number) => {
      const value = location + spreads * scale;
      return logarithmic ? Math.exp(value) : value;
    };
    const upwardsOnly =
      reference.upwardsOnly || (feature.direction === 'up' && this.#baseline.kind !== 'cluster');
    return { lower: upwardsOnly ? Number.NEGATIVE_INFINITY : valueAt(-below), upper: valueAt(above) };
  }

  /**
   * The closest group that can tell. A pod that came within the window may have been born into trouble: its siblings
   * are the measure, not its own short past. Only without siblings its own past counts, and without that the fleet.
   */
  #referenceOf({ namespace, pod, workload }: PodIdentity): Reference {
    const { kind, pods, workloads, established, schedules } = this.#baseline;
    const width = this.#features.length;
    const key = podKey(namespace, pod);
    const own = pods.rows.get(key);
    const siblings = this.#siblingsOf(namespace, workload);
    if (own !== undefined && (siblings === undefined || (kind === 'pod' && established.has(key)))) {
      return {
        statistics: pods,
        start: own * width,
        logarithmic: false,
        upwardsOnly: false,
        schedule: schedules.get(key),
      };
    }
    if (siblings !== undefined) {
      return {
        statistics: workloads,
        start: siblings * width,
        logarithmic: false,
        upwardsOnly: !established.has(key),
        schedule: undefined,
      };
    }
    const isPlainMethod = kind === 'cluster';
    return {
      statistics: this.#fleet,
      start: 0,
      logarithmic: !isPlainMethod,
      upwardsOnly: !isPlainMethod,
      schedule: undefined,
    };
  }
}
