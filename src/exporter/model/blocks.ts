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
