/** Samples of one pod, reduced to one value for each minute as they come, in any order. */

import { BIN_SECONDS } from './case.js';
import type { Reduction } from './layout.js';

/** Minutes are kept by the hour, so that a stray timestamp costs an hour and not the years in between. */
const MINUTES_OF_CHUNK = 60;

interface Chunk {
  /** minutes × columns: the mean so far, or the last value so far; `NaN` without a sample. */
  readonly values: Float64Array;
  /** minutes × columns × 2: one bit for each second of the minute that had a sample. */
  readonly seconds: Uint32Array;
}

/**
 * The minutes of one pod. A second sample of a column in the same second is a duplicate, and the first one stays: so
 * a mean counts every sample once, and the bits of the seconds alone tell how many there were and which was last.
 */
export class MinuteBins {
  readonly #reductions: readonly Reduction[];
  readonly #chunks = new Map<number, Chunk>();
  #recent: Chunk | undefined;
  #recentHour = Number.NaN;

  constructor(reductions: readonly Reduction[]) {
    this.#reductions = reductions;
  }

  /**
   * Adds a sample.
   *
   * @param timestampSeconds Unix time; fractions of a second are cut off.
   * @param value finite.
   * @returns whether it counts; `false` for a duplicate.
   */
  add(timestampSeconds: number, column: number, value: number): boolean {
    const minute = Math.floor(timestampSeconds / BIN_SECONDS);
    const second = Math.floor(timestampSeconds) - minute * BIN_SECONDS;
    const hour = Math.floor(minute / MINUTES_OF_CHUNK);
    const { values, seconds } = this.#chunk(hour);
    const cell = (minute - hour * MINUTES_OF_CHUNK) * this.#reductions.length + column;
    const low = seconds[2 * cell] as number;
    const high = seconds[2 * cell + 1] as number;
    const bit = 1 << (second & 31);
    if (((second < 32 ? low : high) & bit) !== 0) return false;
    const word = second < 32 ? 2 * cell : 2 * cell + 1;
    seconds[word] = (seconds[word] as number) | bit;
    if (this.#reductions[column] === 'last') {
      if (second > lastSecond(low, high)) values[cell] = value;
    } else {
      const before = bitCount(low) + bitCount(high);
      const mean = values[cell] as number;
      values[cell] = before === 0 ? value : mean + (value - mean) / (before + 1);
    }
    return true;
  }

  #chunk(hour: number): Chunk {
    if (hour === this.#recentHour && this.#recent !== undefined) return this.#recent;
    let chunk = this.#chunks.get(hour);
    if (chunk === undefined) {
      const cells = MINUTES_OF_CHUNK * this.#reductions.length;
      chunk = { values: new Float64Array(cells).fill(Number.NaN), seconds: new Uint32Array(2 * cells) };
      this.#chunks.set(hour, chunk);
    }
    this.#recent = chunk;
    this.#recentHour = hour;
    return chunk;
  }

  /** Unix time in hours of each hour that has samples, in no order. */
  hours(): IterableIterator<number> {
    return this.#chunks.keys();
  }

  /** 60 minutes × columns of one hour, `NaN` without a sample; `undefined` when the whole hour has none. */
  valuesOf(hour: number): Float64Array | undefined {
    return this.#chunks.get(hour)?.values;
  }
}

/** The highest second with a sample, -1 without one. */
function lastSecond(low: number, high: number): number {
  return high !== 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(low);
}

/** Bits that are set in 32 (Warren, "Hacker's Delight", 5-1). */
function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Hours since 1970, first and last included. */
export interface HourRange {
  readonly first: number;
  readonly last: number;
}

/** Minutes of one pod in a row. */
export interface MinuteSeries {
  /** Minutes since 1970. */
  readonly firstMinute: number;
  /** minutes × features, `NaN` where there is no value. */
  readonly cells: Float64Array;
}

/** All minutes of a pod from its first value to its last within a range; `undefined` when there is no value. */
export function seriesOf(bins: MinuteBins, range: HourRange, width: number): MinuteSeries | undefined {
  const hours = [...bins.hours()].filter((hour) => hour >= range.first && hour <= range.last);
  if (hours.length === 0) return undefined;
  const first = hours.reduce((least, hour) => Math.min(least, hour));
  const last = hours.reduce((most, hour) => Math.max(most, hour));
  const cellsOfHour = MINUTES_OF_CHUNK * width;
  const cells = new Float64Array((last - first + 1) * cellsOfHour).fill(Number.NaN);
  for (const hour of hours) cells.set(bins.valuesOf(hour) as Float64Array, (hour - first) * cellsOfHour);
  const firstCell = cells.findIndex((value) => !Number.isNaN(value));
  if (firstCell < 0) return undefined;
  const from = Math.floor(firstCell / width);
  const to = Math.floor(cells.findLastIndex((value) => !Number.isNaN(value)) / width) + 1;
  return { firstMinute: first * MINUTES_OF_CHUNK + from, cells: cells.slice(from * width, to * width) };
}
