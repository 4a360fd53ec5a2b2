/** All that is known of one pod after the other: its columns in the training window, and in earlier slices of time. */

import { type LocationScale, quantileInPlace } from '../../lib/statistics.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, podKey } from '../features/table.js';
import { fitHourlyPattern, type HourlyPatterns } from './hourly-pattern.js';
import { fitLocationScale, scratchLength } from './spread.js';

/** A slice of time before the window, turned to one pod. */
interface Slice {
  readonly table: FeatureTable;
  readonly positions: ReadonlyMap<string, number>;
  /** Room for a column. */
  readonly values: Float64Array;
  /** Position of the pod; `undefined` where it is not in the table. */
  pod: number | undefined;
}

/**
 * The pods of a training window. Columns are read into the same few arrays again and again: at hundreds of thousands
 * of pods, arrays of their own would cost more than the arithmetic.
 */
export class PodWindows {
  readonly #window: FeatureTable;
  readonly #slices: readonly Slice[];
  readonly #sliceValues: readonly Float64Array[];
  readonly #values: Float64Array;
  readonly #scratch: Float64Array;
  #pod = -1;

  constructor(window: FeatureTable, history: readonly FeatureTable[]) {
    this.#window = window;
    this.#slices = history.map((table) => ({
      table,
      positions: new Map(table.pods.map(({ namespace, pod }, index) => [podKey(namespace, pod), index])),
      values: new Float64Array(table.timestampsSeconds.length),
      pod: undefined,
    }));
    this.#sliceValues = this.#slices.map(({ values }) => values);
    this.#values = new Float64Array(window.timestampsSeconds.length);
    this.#scratch = new Float64Array(scratchLength(this.#values, this.#sliceValues));
  }

  /** Turns to a pod by its position in the window, and its key. */
  moveTo(pod: number, key: string): void {
    this.#pod = pod;
    for (const slice of this.#slices) slice.pod = slice.positions.get(key);
  }

  /** Instants of the window with values. */
  countSamples(): number {
    return this.#window.copyPresent(this.#pod, 0, this.#scratch);
  }

  /** Median of a feature over the window. */
  levelOf(column: number): number {
    const count = this.#window.copyPresent(this.#pod, column, this.#scratch);
    return quantileInPlace(this.#scratch, count, 0.5);
  }

  fitLocationScale(column: number, feature: FeatureDefinition, sensitivity: number): LocationScale {
    const { spreadFloor, relativeSpreadFloor } = feature;
    this.#window.copyColumn(this.#pod, column, this.#values);
    for (const { table, values, pod } of this.#slices) {
      if (pod === undefined) values.fill(Number.NaN);
      else table.copyColumn(pod, column, values);
    }
    const options = { spreadFloor, relativeSpreadFloor, sensitivity };
    return fitLocationScale(this.#values, this.#sliceValues, options, this.#scratch);
  }

  fitHourlyPattern(features: readonly FeatureDefinition[], own: readonly LocationScale[]): HourlyPatterns | undefined {
    const deviationAt = (column: number, timeSeconds: number) => {
      if (features[column]?.type === 'counter') return Number.NaN;
      let value = this.#window.valueAt(this.#pod, timeSeconds, column);
      for (const { table, pod } of this.#slices) {
        if (Number.isNaN(value) && pod !== undefined) value = table.valueAt(pod, timeSeconds, column);
      }
      const { location, scale } = own[column] as LocationScale;
      return (value - location) / scale;
    };
    return fitHourlyPattern(deviationAt, features.length, this.#window.timestampsSeconds);
  }
}
