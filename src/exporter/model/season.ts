/** What a workload does at a time of day: the level to expect, from the other days of the same kind. */

import { medianOfKnown, quantileInPlace } from '../../lib/statistics.js';
import { BIN_SECONDS, BINS_PER_DAY, BINS_PER_HOUR, isWeekend } from '../history/grid.js';
import { encodeLevel } from '../history/workload-history.js';
import type { Span } from './blocks.js';

/** Half hours of a working day, then those of a day of a weekend. */
export const SEASON_SLOTS = 2 * BINS_PER_DAY;

/** The slot of a half hour. @param bin its number since 1970. */
export function slotOfBin(bin: number): number {
  return (isWeekend(Math.floor(bin / BINS_PER_DAY)) ? BINS_PER_DAY : 0) + (bin % BINS_PER_DAY);
}

/** The slot of a time. A half hour holds its end, and not its beginning, as an hour does. */
export function slotOf(timeSeconds: number): number {
  return slotOfBin(Math.ceil(timeSeconds / BIN_SECONDS) - 1);
}

/**
 * So near the edge of a half hour, in seconds, the level of the half hour beyond it is usual as well. A level changes at any
 * minute, and a season only at edges. A job that begins at 3:04 makes the half hour from 3:00 on one of its level; five
 * minutes apart, the history does not see the four minutes before it, and no limit allows for them. What lasts looks back
 * for five minutes, and jobs begin and end five minutes earlier or later than the day before.
 */
const EDGE_SECONDS = 600;

/** The slot of the half hour beyond the edge that a time is near; that of its own half hour where it is near none. */
export function slotBeyondEdge(timeSeconds: number): number {
  const bin = Math.ceil(timeSeconds / BIN_SECONDS) - 1;
  const sinceEdge = timeSeconds - bin * BIN_SECONDS;
  if (sinceEdge <= EDGE_SECONDS) return slotOfBin(bin - 1);
  return slotOfBin(BIN_SECONDS - sinceEdge <= EDGE_SECONDS ? bin + 1 : bin);
}

/** Which half hours of some days are the same time of day, on the same kind of day. */
export class Calendar {
  /** Number of the first half hour since 1970, and how many there are. */
  readonly #first: number;
  readonly #bins: number;
  readonly #room = new Float64Array(3);
  readonly #same: Float64Array;
  readonly #any: Float64Array;

  constructor({ first, last }: Span) {
    this.#first = first * BINS_PER_HOUR;
    this.#bins = (last - first + 1) * BINS_PER_HOUR;
    const days = Math.ceil(this.#bins / BINS_PER_DAY) + 1;
    this.#same = new Float64Array(days);
    this.#any = new Float64Array(days);
  }

  /**
   * The level to expect in each half hour, from the other days; without other days, from all half hours.
   *
   * @param levels of all half hours.
   * @param slots the level to expect in the time to come is written to it.
   */
  seasonOf(levels: Float64Array, slots: Uint16Array): Float64Array {
    const smooth = levels.map((_, bin) => this.#medianOfThree(levels, bin));
    const expected = new Float64Array(levels.length).fill(Number.NaN);
    const usual = medianOfKnown(smooth.slice());
    if (Number.isNaN(usual)) return expected;
    for (let slot = 0; slot < BINS_PER_DAY; slot++) {
      const offset = (((slot - this.#first) % BINS_PER_DAY) + BINS_PER_DAY) % BINS_PER_DAY;
      for (const weekend of [false, true]) {
        const level = this.#medianAt(smooth, offset, weekend, -1) ?? usual;
        slots[(weekend ? BINS_PER_DAY : 0) + slot] = encodeLevel(level);
      }
      for (let bin = offset; bin < this.#bins; bin += BINS_PER_DAY) {
        if (Number.isNaN(smooth[bin])) continue;
        expected[bin] = this.#medianAt(smooth, offset, this.#isWeekend(bin), bin) ?? usual;
      }
    }
    return expected;
  }

  /**
   * The median level at a time of day on days of a kind, on all days where that kind is not known.
   *
   * @param without a half hour that does not count.
   */
  #medianAt(smooth: Float64Array, offset: number, weekend: boolean, without: number): number | undefined {
    let [same, any] = [0, 0];
    for (let bin = offset; bin < this.#bins; bin += BINS_PER_DAY) {
      const level = smooth[bin] as number;
      if (bin === without || Number.isNaN(level)) continue;
      this.#any[any++] = level;
      if (this.#isWeekend(bin) === weekend) this.#same[same++] = level;
    }
    if (same > 0) return quantileInPlace(this.#same, same, 0.5);
    return any > 0 ? quantileInPlace(this.#any, any, 0.5) : undefined;
  }

  #isWeekend(bin: number): boolean {
    return isWeekend(Math.floor((this.#first + bin) / BINS_PER_DAY));
  }

  #medianOfThree(levels: Float64Array, bin: number): number {
    let count = 0;
    for (let other = Math.max(0, bin - 1); other <= Math.min(levels.length - 1, bin + 1); other++) {
      const level = levels[other] as number;
      if (!Number.isNaN(level)) this.#room[count++] = level;
    }
    return count === 0 ? Number.NaN : quantileInPlace(this.#room, count, 0.5);
  }
}
