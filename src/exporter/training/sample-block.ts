/** What one answer says of some instants, in arrays that a thread can hand over: exact, and as small as that allows. */

import { SAME_INSTANT_SECONDS } from '../prometheus/answer/asked-instants.js';
import type { Labels, SeriesSet } from '../prometheus/api.js';
import type { Instants } from '../prometheus/range.js';

type Numbers = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** Series are numbers here: their labels stand elsewhere, once for all blocks. */
export interface SampleBlock {
  /** Unix times in seconds, ascending. */
  readonly instants: Float64Array<ArrayBuffer>;
  /** Series with the same value at all instants, such as counters of restarts, and that value. */
  readonly steadySeries: Uint32Array<ArrayBuffer>;
  readonly steadyValues: Numbers;
  /** The other series, and their values, series × instants: `NaN` where a series has no sample. */
  readonly series: Uint32Array<ArrayBuffer>;
  readonly values: Numbers;
}

/** Unix times of instants, in seconds. */
export function timesOf({ startSeconds, stepSeconds, instants }: Instants): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: instants }, (_, index) => startSeconds + index * stepSeconds);
}

/** A sample that is `NaN`, such as a ratio of nothing to nothing: one that no table takes either, and not the absence of one. */
const NO_NUMBER = Number.POSITIVE_INFINITY;

/**
 * The samples of an answer that belong to the instants that were asked for.
 *
 * @param numberOf the number of the series with these labels.
 */
export function blockOf(answer: SeriesSet, asked: Instants, numberOf: (labels: Labels) => number): SampleBlock {
  const { labels, offsets, timestampsSeconds, values } = answer;
  const rows = new Float64Array(labels.length * asked.instants).fill(Number.NaN);
  for (let row = 0; row < labels.length; row++) {
    const end = offsets[row + 1] as number;
    for (let sample = offsets[row] as number; sample < end; sample++) {
      const distance = (timestampsSeconds[sample] as number) - asked.startSeconds;
      const instant = Math.round(distance / asked.stepSeconds);
      const isAt = Math.abs(distance - instant * asked.stepSeconds) < SAME_INSTANT_SECONDS;
      if (!isAt || instant < 0 || instant >= asked.instants) continue;
      const value = values[sample] as number;
      rows[row * asked.instants + instant] = Number.isNaN(value) ? NO_NUMBER : value;
    }
  }
  return pack(timesOf(asked), Uint32Array.from(labels, numberOf), rows);
}

/** @param rows series × instants. */
function pack(instants: SampleBlock['instants'], series: Uint32Array, rows: Float64Array): SampleBlock {
  const width = instants.length;
  const rowOf = (row: number) => rows.subarray(row * width, (row + 1) * width);
  const isSteady = (row: number) => rowOf(row).every((value, _, own) => Object.is(value, own[0]));
  const steady: number[] = [];
  const others: number[] = [];
  for (let row = 0; row < series.length; row++) (isSteady(row) ? steady : others).push(row);
  const varying = new Float64Array(others.length * width);
  others.forEach((row, position) => {
    varying.set(rowOf(row), position * width);
  });
  return {
    instants,
    steadySeries: Uint32Array.from(steady, (row) => series[row] as number),
    steadyValues: compact(Float64Array.from(steady, (row) => rows[row * width] as number)),
    series: Uint32Array.from(others, (row) => series[row] as number),
    values: compact(varying),
  };
}

/** In four bytes each where that loses nothing. */
function compact(values: Float64Array<ArrayBuffer>): Numbers {
  const isShort = values.every((value) => Object.is(Math.fround(value), value));
  return isShort ? Float32Array.from(values) : values;
}

/** Some of the instants, by their positions, ascending. */
export function selectInstants(block: SampleBlock, positions: readonly number[]): SampleBlock {
  if (positions.length === block.instants.length) return block;
  const width = block.instants.length;
  const rows = block.series.length;
  const values = new Float64Array(rows * positions.length);
  for (let row = 0, cell = 0; row < rows; row++) {
    for (const position of positions) values[cell++] = block.values[row * width + position] as number;
  }
  return {
    ...block,
    instants: Float64Array.from(positions, (position) => block.instants[position] as number),
    values: block.values instanceof Float32Array ? Float32Array.from(values) : values,
  };
}

/** Series that have a value, at each instant. */
export function countValues({ instants, steadySeries, series, values }: SampleBlock): Uint32Array {
  const counts = new Uint32Array(instants.length).fill(steadySeries.length);
  for (let row = 0, cell = 0; row < series.length; row++) {
    for (let instant = 0; instant < counts.length; instant++) {
      if (!Number.isNaN(values[cell++])) (counts[instant] as number)++;
    }
  }
  return counts;
}

/** Series that are given back at once. */
const SERIES_PER_PIECE = 1024;

/**
 * The samples at some of the instants again, in pieces: all of them are as they came, except `NO_NUMBER`, and a series
 * without any is left out, as a server leaves it out.
 *
 * @param positions of the instants, ascending.
 */
export function* seriesIn(
  block: SampleBlock,
  positions: readonly number[],
  labelsOf: (number: number) => Labels,
): Generator<SeriesSet> {
  const { steadySeries, steadyValues, series, values, instants } = block;
  const width = instants.length;
  const times = positions.map((position) => instants[position] as number);
  const parts = [
    { numbers: steadySeries, valueAt: (row: number) => steadyValues[row] as number },
    { numbers: series, valueAt: (row: number, position: number) => values[row * width + position] as number },
  ];
  for (const { numbers, valueAt } of parts) {
    for (let first = 0; first < numbers.length; first += SERIES_PER_PIECE) {
      const end = Math.min(first + SERIES_PER_PIECE, numbers.length);
      const labels: Labels[] = [];
      const offsets = [0];
      const timestampsSeconds = new Float64Array((end - first) * times.length);
      const found = new Float64Array((end - first) * times.length);
      let samples = 0;
      for (let row = first; row < end; row++) {
        for (let index = 0; index < times.length; index++) {
          const value = valueAt(row, positions[index] as number);
          if (Number.isNaN(value)) continue;
          timestampsSeconds[samples] = times[index] as number;
          found[samples++] = value;
        }
        if (samples === offsets.at(-1)) continue;
        labels.push(labelsOf(numbers[row] as number));
        offsets.push(samples);
      }
      yield {
        labels,
        offsets: Uint32Array.from(offsets),
        timestampsSeconds: timestampsSeconds.subarray(0, samples),
        values: found.subarray(0, samples),
      };
    }
  }
}

/** The arrays of a block. */
export function buffersOf({ instants, steadySeries, steadyValues, series, values }: SampleBlock): ArrayBuffer[] {
  return [instants, steadySeries, steadyValues, series, values].map(({ buffer }) => buffer);
}

/** Their size. */
export function bytesOf(block: SampleBlock): number {
  return buffersOf(block).reduce((sum, { byteLength }) => sum + byteLength, 0);
}
