/** How far pods are from what is usual for them: for people, and as the forest sees it. */

import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, type PodIdentity, podKey } from '../features/table.js';
import type { Baseline } from './baseline.js';
import { recentRises } from './counter.js';
import { subtractPattern } from './hourly-pattern.js';
import { ESTABLISHED, locatePods, OWN_BASELINE } from './rows.js';
import { compress, type deviationsWithin, smooth } from './transform.js';

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

/** Space for `cells` cells. */
export function emptyMeasurement(cells: number): Measurement {
  const array = () => new Float64Array(cells);
  return { actual: array(), expected: array(), deviations: array(), inputs: array() };
}

/** The values that are usual for a feature of a pod. Both ends belong to it. */
export interface Band {
  /** Whether these are rises above what a counter read before. */
  readonly ofRises: boolean;
  /** `-Infinity` where a fall is nothing. */
  readonly lower: number;
  readonly upper: number;
}

/** What a pod is compared with. */
interface Reference {
  readonly statistics: { readonly location: Float64Array; readonly scale: Float64Array };
  /** Cell of the first feature in the statistics. */
  readonly start: number;
  /** Compare logarithms. */
  readonly logarithmic: boolean;
  /** A young pod that uses less than others is young, not broken. */
  readonly upwardsOnly: boolean;
  /** Where the hourly pattern of the pod begins and ends. */
  readonly pattern?: readonly [start: number, end: number];
}

const NO_PATTERN = [0, 0] as const;

/** Measures pods of a table one at a time. */
export class Measurer {
  readonly #baseline: Baseline;
  readonly #features: readonly FeatureDefinition[];
  readonly #table: FeatureTable;
  readonly #subtractPatterns: boolean;
  readonly #rows: Int32Array;
  /** Values as they stand, each in spreads from the mean of all, as scikit-learn's `StandardScaler` has it. */
  readonly #isSklearnMode: boolean;
  #lastNewPod: { readonly namespace: string; readonly workload: string; readonly row: number } | undefined;
  // Room to work in, for all pods the same.
  readonly #values: Float64Array;
  readonly #rises: Float64Array;
  readonly #recentRises: Float64Array;

  /**
   * @param subtractPatterns whether deviations that the hourly pattern of a pod explains count less.
   * @param rows row of each pod of the table in the baseline, -1 where it has none (`locatePods`).
   */
  constructor(
    baseline: Baseline,
    features: readonly FeatureDefinition[],
    table: FeatureTable,
    subtractPatterns: boolean,
    rows = locatePods(baseline.pods, table.pods),
  ) {
    this.#baseline = baseline;
    this.#features = features;
    this.#table = table;
    this.#subtractPatterns = subtractPatterns;
    this.#rows = rows;
    this.#isSklearnMode = baseline.kind === 'cluster';
    const instants = table.timestampsSeconds.length;
    this.#values = new Float64Array(instants);
    this.#rises = new Float64Array(instants);
    this.#recentRises = new Float64Array(instants);
  }

  /** Measures the instants from `first` to before `end` of a pod, and writes them to `into` from row `row` on. */
  measurePod(index: number, first: number, end: number, into: Measurement, row: number): void {
    const width = this.#features.length;
    const isPlain = this.#isSklearnMode;
    const { patterns } = this.#baseline;
    const { timestampsSeconds, stepSeconds } = this.#table;
    const reference = this.#referenceOf(index);
    const [patternStart, patternEnd] = (this.#subtractPatterns && reference.pattern) || NO_PATTERN;
    for (let column = 0; column < width; column++) {
      const feature = this.#features[column] as FeatureDefinition;
      const location = reference.statistics.location[reference.start + column] as number;
      const scale = reference.statistics.scale[reference.start + column] as number;
      const isRise = this.#comparesRises(feature);
      const logarithmic = reference.logarithmic && feature.type !== 'counter';
      const upwardsOnly = reference.upwardsOnly || feature.direction === 'up';
      const usual = reference.logarithmic ? Math.exp(location) : location;
      const values = this.#values;
      this.#table.copyColumn(index, column, values);
      const comparable = isRise ? recentRises(values, stepSeconds, this.#rises, this.#recentRises) : values;
      let before = Number.NaN;
      for (let instant = Math.max(0, first - 1); instant < end; instant++) {
        const value = comparable[instant] as number;
        const deviation = ((logarithmic ? Math.log(Math.max(value, feature.spreadFloor)) : value) - location) / scale;
        let input = deviation;
        if (!isPlain) {
          if (patternStart < patternEnd) {
            const time = timestampsSeconds[instant] as number;
            input = subtractPattern(patterns, patternStart, patternEnd, width, column, time, deviation);
          }
          input = compress(input, upwardsOnly);
        }
        if (instant >= first) {
          const cell = (row + instant - first) * width + column;
          const actual = values[instant] as number;
          into.actual[cell] = actual;
          into.expected[cell] = Number.isNaN(actual) ? Number.NaN : isRise ? Math.max(0, actual - value) : usual;
          into.deviations[cell] = feature.direction === 'up' && !isPlain ? Math.max(0, deviation) : deviation;
          into.inputs[cell] = isPlain ? input : smooth(input, before);
        }
        before = input;
      }
    }
  }

  /** The values of a feature of a pod that deviate by at most the given number of spreads. */
  bandOf(index: number, column: number, { below, above }: ReturnType<typeof deviationsWithin>): Band {
    const feature = this.#features[column] as FeatureDefinition;
    const reference = this.#referenceOf(index);
    const location = reference.statistics.location[reference.start + column] as number;
    const scale = reference.statistics.scale[reference.start + column] as number;
    const logarithmic = reference.logarithmic && feature.type !== 'counter';
    const valueAt = (spreads: number) => {
      const value = location + spreads * scale;
      return logarithmic ? Math.exp(value) : value;
    };
    const upwardsOnly = reference.upwardsOnly || (feature.direction === 'up' && !this.#isSklearnMode);
    return {
      ofRises: this.#comparesRises(feature),
      lower: upwardsOnly ? Number.NEGATIVE_INFINITY : valueAt(-below),
      upper: valueAt(above),
    };
  }

  #comparesRises({ type }: FeatureDefinition): boolean {
    return type === 'counter' && !this.#isSklearnMode;
  }

  /**
   * The closest group that is known well enough. A pod that came within the window may have been faulty from its start:
   * its peers are the measure, not its own short past. Only without peers its own past counts, and without that all
   * pods together.
   */
  #referenceOf(pod: number): Reference {
    const { kind, pods, workloads, global } = this.#baseline;
    const width = this.#features.length;
    const row = this.#rows[pod] as number;
    const flags = row < 0 ? 0 : (pods.flags[row] as number);
    const workload = this.#workloadOf(pod, row);
    const hasPeers = workload >= 0 && (workloads.members[workload] as number) > 0;
    const isEstablished = (flags & ESTABLISHED) !== 0;
    if ((flags & OWN_BASELINE) !== 0 && (!hasPeers || (kind === 'pod' && isEstablished))) {
      return {
        statistics: pods,
        start: row * width,
        logarithmic: false,
        upwardsOnly: false,
        pattern: [row === 0 ? 0 : (pods.patternEnd[row - 1] as number), pods.patternEnd[row] as number],
      };
    }
    if (hasPeers) {
      return {
        statistics: workloads,
        start: workload * width,
        logarithmic: false,
        upwardsOnly: !isEstablished,
      };
    }
    const isRelative = !this.#isSklearnMode;
    return { statistics: global, start: 0, logarithmic: isRelative, upwardsOnly: isRelative };
  }

  /** Row of the workload of a pod, -1 where it has none. New pods of one workload mostly follow one another. */
  #workloadOf(pod: number, row: number): number {
    const { pods, workloads } = this.#baseline;
    const { namespace, workload } = this.#table.pods[pod] as PodIdentity;
    const known = row < 0 ? -1 : (pods.workload[row] as number);
    if (known >= 0 && workloads.names[known] === workload) return known;
    const last = this.#lastNewPod;
    if (last?.workload === workload && last.namespace === namespace) return last.row;
    const found = workloads.rows.get(podKey(namespace, workload)) ?? -1;
    this.#lastNewPod = { namespace, workload, row: found };
    return found;
  }
}
