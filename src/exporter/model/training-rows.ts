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
 * The complete rows of a table as the forest sees them. Only which rows are there is kept, in a few bytes for each: a
 * forest takes some ten thousand rows of what may be millions, and measures them again when it takes them.
 */
export class TrainingRows {
  readonly #measurer: Measurer;
  readonly #width: number;
  readonly #instants: number;
  /** pods × instants. */
  readonly #kinds: Uint8Array;

  /** @param boundary an input beyond it is not usual. */
  constructor(baseline: Baseline, features: readonly FeatureDefinition[], table: FeatureTable, boundary: number) {
    this.#measurer = new Measurer(baseline, features, table, false);
    this.#width = features.length;
    this.#instants = table.timestampsSeconds.length;
    this.#kinds = new Uint8Array(table.pods.length * this.#instants);
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
    for (let pod = 0; pod * this.#instants < this.#kinds.length; pod++) {
      this.#measurer.measurePod(pod, 0, this.#instants, measurement, 0);
      yield measurement.inputs;
    }
  }

  complete(): RowSource {
    return this.#source(COMPLETE);
  }

  /** The rows in which no feature is beyond the boundary. */
  usual(): RowSource {
    return this.#source(USUAL);
  }

  #source(leastKind: number): RowSource {
    const measurement = emptyMeasurement(this.#width);
    let count = 0;
    for (const kind of this.#kinds) if (kind >= leastKind) count++;
    const cells = new Uint32Array(count);
    let next = 0;
    this.#kinds.forEach((kind, cell) => {
      if (kind >= leastKind) cells[next++] = cell;
    });
    return {
      count,
      read: (row, into, start) => {
        const cell = cells[row] as number;
        const instant = cell % this.#instants;
        this.#measurer.measurePod((cell - instant) / this.#instants, instant, instant + 1, measurement, 0);
        into.set(measurement.inputs, start);
      },
    };
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
