/** All that is known of one pod after the other: its columns in the training window, and in earlier slices of time. */

import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, podKey } from '../features/table.js';
import { fitHourlyPattern, type HourlyPatterns } from './hourly-pattern.js';
import { fitLocationScale, scratchLength } from './spread.js';
import { type LocationScale, quantileInPlace } from './statistics.js';

/**
 * The pods of a training window. Columns are read into the same few arrays again and again: at hundreds of thousands
 * of pods, arrays of their own would cost more than the arithmetic.
 */
export class PodWindows {
  readonly #window: FeatureTable;
  readonly #history: readonly HistoryWindow[];
  readonly #column: Float64Array;
  readonly #historyColumns: readonly Float64Array[];
  readonly #scratch: Float64Array;
  #pod = -1;

  constructor(window: FeatureTable, history: readonly FeatureTable[]) {
    this.#window = window;
    this.#history = history.map((table) => new HistoryWindow(table));
    this.#column = new Float64Array(window.timestampsSeconds.length);
    this.#historyColumns = history.map((table) => new Float64Array(table.timestampsSeconds.length));
    this.#scratch = new Float64Array(scratchLength(this.#column, this.#historyColumns));
  }

  /** Turns to a pod by its position in the window, and its key. */
  moveTo(pod: number, key: string): void {
    this.#pod = pod;
    for (const slice of this.#history) slice.moveTo(key);
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
    this.#window.copyColumn(this.#pod, column, this.#column);
    this.#history.forEach((slice, position) => {
      slice.copyColumn(column, this.#historyColumns[position] as Float64Array);
    });
    const options = { spreadFloor, relativeSpreadFloor, sensitivity };
    return fitLocationScale(this.#column, this.#historyColumns, options, this.#scratch);
  }

  fitHourlyPattern(
    features: readonly FeatureDefinition[],
    own: readonly LocationScale[],
  ): HourlyPatterns | undefined {
    const deviationAt = (column: number, timeSeconds: number) => {
      if (features[column]?.type === 'counter') return Number.NaN;
      let value = this.#window.valueAt(this.#pod, timeSeconds, column);
      for (const slice of this.#history) {
        if (!Number.isNaN(value)) break;
        value = slice.valueAt(timeSeconds, column);
      }
      const { location, scale } = own[column] as LocationScale;
      return (value - location) / scale;
    };
    return fitHourlyPattern(deviationAt, features.length, this.#window.timestampsSeconds);
  }
}

/** An earlier table, turned to one pod. */
class HistoryWindow {
  readonly #table: FeatureTable;
  readonly #positions: ReadonlyMap<string, number>;
  /** Position of the pod; `undefined` where it is not in the table. */
  #pod: number | undefined;

  constructor(table: FeatureTable) {
    this.#table = table;
    this.#positions = new Map(table.pods.map(({ namespace, pod }, index) => [podKey(namespace, pod), index]));
  }

  moveTo(key: string): void {
    this.#pod = this.#positions.get(key);
  }

  valueAt(timeSeconds: number, column: number): number {
    return this.#pod === undefined ? Number.NaN : this.#table.valueAt(this.#pod, timeSeconds, column);
  }

  copyColumn(column: number, into: Float64Array): void {
    if (this.#pod === undefined) into.fill(Number.NaN);
    else this.#table.copyColumn(this.#pod, column, into);
  }
}
