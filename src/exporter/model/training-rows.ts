/** The rows of a training window that the forest may learn from, without a copy of them. */

import type { FeatureDefinition } from '../features/catalog.js';
import type { FeatureTable } from '../features/table.js';
import type { Baseline } from './baseline.js';
import { emptyMeasurement, Measurer } from './measure.js';

/** A row without values, a row with values, and one of these in which no feature stands out. */
const ABSENT = 0;
const COMPLETE = 1;
const USUAL = 2;

/** Rows for a forest, in the order of the table: pod by pod, by time within a pod. */
export interface RowSource {
  readonly count: number;
  /** Writes the inputs of row `row` to `into`, from `start` on. */
  read(row: number, into: Float64Array, start: number): void;
}

/**
 * The complete rows of a table as the forest sees them. Only which rows are there is kept, a byte for each: a forest
 * takes some ten thousand rows of what may be millions, and measures them again when it takes them.
 */
export class TrainingRows {
  readonly #measurer: Measurer;
  readonly #width: number;
  readonly #pods: number;
  readonly #instants: number;
  /** pods × instants. */
  readonly #kinds: Uint8Array;

  /**
   * @param boundary an input beyond it is not usual.
   */
  constructor(
    baseline: Baseline,
    features: readonly FeatureDefinition[],
    table: FeatureTable,
    boundary: number,
  ) {
    this.#measurer = new Measurer(baseline, features, table, false);
    this.#width = features.length;
    this.#pods = table.pods.length;
    this.#instants = table.timestampsSeconds.length;
    this.#kinds = new Uint8Array(this.#pods * this.#instants);
    let row = 0;
    for (const inputs of this.#inputsOfPods()) {
      for (let start = 0; start < inputs.length; start += this.#width) {
        this.#kinds[row++] = this.#kindOf(inputs, start, boundary);
      }
    }
  }

  #kindOf(inputs: Float64Array, start: number, boundary: number): number {
    if (Number.isNaN(inputs[start])) return ABSENT;
    for (let cell = start; cell < start + this.#width; cell++) {
      if (Math.abs(inputs[cell] as number) > boundary) return COMPLETE;
    }
    return USUAL;
  }

  /** instants × features of one pod after the other, always in the same array. */
  *#inputsOfPods(): Generator<Float64Array, void, void> {
    const measurement = emptyMeasurement(this.#instants * this.#width);
    for (let pod = 0; pod < this.#pods; pod++) {
      this.#measurer.measurePod(pod, 0, this.#instants, measurement, 0);
      yield measurement.inputs;
    }
  }

  /** All rows with values. */
  complete(): RowSource {
    return this.#source(COMPLETE);
  }

  /** The rows in which no feature is beyond the boundary. */
  usual(): RowSource {
    return this.#source(USUAL);
  }

  #source(leastKind: number): RowSource {
    const before = this.#countBefore(leastKind);
    const measurement = emptyMeasurement(this.#width);
    return {
      count: before[this.#pods] as number,
      read: (row, into, start) => {
        const pod = lastAtMost(before, row);
        let instant = -1;
        for (let left = row - (before[pod] as number); left >= 0; left--) {
          do instant++;
          while ((this.#kinds[pod * this.#instants + instant] as number) < leastKind);
        }
        this.#measurer.measurePod(pod, instant, instant + 1, measurement, 0);
        into.set(measurement.inputs, start);
      },
    };
  }

  /** pods + 1: how many rows of the kind, or above, the pods before have. */
  #countBefore(leastKind: number): Uint32Array {
    const before = new Uint32Array(this.#pods + 1);
    for (let pod = 0; pod < this.#pods; pod++) {
      let count = before[pod] as number;
      for (let instant = 0; instant < this.#instants; instant++) {
        if ((this.#kinds[pod * this.#instants + instant] as number) >= leastKind) count++;
      }
      before[pod + 1] = count;
    }
    return before;
  }

  /** The complete rows in blocks of about `size`, rows × features each, for what has to see them all. */
  *blocks(size: number): Generator<Float64Array, void, void> {
    const block = new Float64Array((size + this.#instants) * this.#width);
    let length = 0;
    for (const inputs of this.#inputsOfPods()) {
      for (let start = 0; start < inputs.length; start += this.#width) {
        if (Number.isNaN(inputs[start])) continue;
        for (let cell = start; cell < start + this.#width; cell++) block[length++] = inputs[cell] as number;
      }
      if (length < size * this.#width) continue;
      yield block.subarray(0, length);
      length = 0;
    }
    if (length > 0) yield block.subarray(0, length);
  }
}

/** Position of the last of ascending numbers that is at most `value`; the first is. */
function lastAtMost(ascending: Uint32Array, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((ascending[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
