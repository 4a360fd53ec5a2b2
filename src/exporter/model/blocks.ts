/** The past in blocks of time: what a workload did in each, and how the blocks are counted. */

import type { FeatureDefinition } from '../features/catalog.js';

/** Hours that are learned from, both included, and the length of the blocks, which are counted from the last. */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly blockHours: number;
}

export const blocksIn = ({ first, last, blockHours }: Span): number => Math.ceil((last - first + 1) / blockHours);

/** The block of an hour; the last block ends with the span. */
export const blockOf = (span: Span, hour: number): number =>
  blocksIn(span) - 1 - Math.floor((span.last - hour) / span.blockHours);

/** The largest deviations of a workload, feature and view in each block of time. */
export interface Blocks {
  readonly row: number;
  readonly column: number;
  readonly feature: FeatureDefinition;
  readonly view: number;
  /** `NaN` where nothing is known. */
  readonly maxima: Float64Array;
  /** The same without the blocks that are not learned from. */
  readonly usual: Float64Array;
  /** What a deviation must reach in any case. */
  readonly floor: number;
}

/** Blocks of a workload, packed. */
interface PackedBlocks {
  readonly row: number;
  /** Column and view of each. */
  readonly places: Uint16Array;
  /** `maxima` and `usual` of each. */
  readonly values: Float64Array;
}

/**
 * Blocks of all workloads, to go through several times; what is written to `usual` stays. A workload has two arrays here,
 * whatever the number of its features and views: as objects, the blocks of 10,000 workloads would fill a heap of 200 MiB.
 */
export class BlockStore implements Iterable<Blocks> {
  readonly #workloads: PackedBlocks[] = [];
  readonly #columns = new Map<number, Pick<Blocks, 'feature' | 'floor'>>();

  /** @param all those of a workload follow one another, and are copied. */
  constructor(all: Iterable<Blocks>) {
    let own: Blocks[] = [];
    for (const blocks of all) {
      if (own[0] !== undefined && own[0].row !== blocks.row) {
        this.#pack(own);
        own = [];
      }
      own.push(blocks);
    }
    this.#pack(own);
  }

  #pack(own: readonly Blocks[]): void {
    const [first] = own;
    if (first === undefined) return;
    const size = first.maxima.length;
    const values = new Float64Array(2 * own.length * size);
    for (const [index, { column, feature, floor, maxima, usual }] of own.entries()) {
      this.#columns.set(column, { feature, floor });
      values.set(maxima, 2 * index * size);
      values.set(usual, (2 * index + 1) * size);
    }
    const places = Uint16Array.from(own.flatMap(({ column, view }) => [column, view]));
    this.#workloads.push({ row: first.row, places, values });
  }

  *[Symbol.iterator](): Generator<Blocks, void> {
    for (const { row, places, values } of this.#workloads) {
      const size = values.length / places.length;
      for (let place = 0; place < places.length; place += 2) {
        const [column, view] = [places[place] as number, places[place + 1] as number];
        const maxima = values.subarray(place * size, (place + 1) * size);
        const usual = values.subarray((place + 1) * size, (place + 2) * size);
        yield { row, column, view, maxima, usual, ...(this.#columns.get(column) as Pick<Blocks, 'feature' | 'floor'>) };
      }
    }
  }
}

/** Makes a maximum at least as large as a value; `NaN` is no value. */
export function raise(values: Float64Array, cell: number, value: number): void {
  if (!Number.isNaN(value) && !((values[cell] as number) >= value)) values[cell] = value;
}

/** The limit of a workload that did not deviate at all. */
export const LEAST_LIMIT = 0.05;

/** What blocks come to. */
export interface Calibration {
  /** The deviation above which a pod of a workload is anomalous. */
  readonly boundaryOf: (blocks: Blocks) => number;
  /** How many workloads exceed their boundaries in each block that is left out; empty where that is not known. */
  readonly exceeding: readonly number[];
}
