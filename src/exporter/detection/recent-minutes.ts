/** The last minutes of the answers to one query, joined from what is remembered and what was asked for again. */

import { SAME_INSTANT_SECONDS } from '../prometheus/answer/asked-instants.js';
import type { Labels, QueryResult, SeriesSet } from '../prometheus/api.js';

/** Distance of the instants, which are whole minutes of Unix time, in seconds. */
export const MINUTE_SECONDS = 60;

/** What a query answered at each of some minutes. Immutable. */
export interface RecentMinutes {
  /** Unix time of the newest minute, in seconds. */
  readonly newestSeconds: number;
  /** How many there are. */
  readonly minutes: number;
  /** Of the series. Two rarely have the same ones: then at each minute one of them has no value. */
  readonly labels: readonly Labels[];
  /** Series × minutes, the oldest first. `NaN` where there is no value, an infinity for one that is not finite. */
  readonly values: Float64Array;
  /** What the answers are about (`QueryResult`). */
  readonly scope: string | undefined;
}

/** The whole minute that a time is in, in seconds of Unix time. */
export const minuteOf = (timeSeconds: number): number => Math.floor(timeSeconds / MINUTE_SECONDS) * MINUTE_SECONDS;

/**
 * Of the series that are there in a minute, the share that had no value in the minute before. More than this, and samples of
 * earlier minutes have come late as well, so that what is remembered of these is not what a server answers now. Where nothing
 * is there, as with a clock that is ahead, all may still come late.
 */
const LATE_SHARE = 0.02;

/** With more, most series have gone, or come in another order each time. */
const MOST_ROWS_PER_SERIES = 2;

/** With fewer of the series of the minute before, some of the newest minute are most likely still to come. */
const SETTLED_SHARE = 0.8;

/**
 * An answer from the newest of the remembered minutes on, and what is remembered of the minutes before.
 *
 * @param before minutes of the same query; `undefined` for an answer that has all minutes.
 * @param answer from `before.newestSeconds` to `newestSeconds`, both included.
 * @param minutes how many to remember.
 * @returns `undefined` where the two do not fit together (all minutes are to be asked for), or where samples are not at the
 *   instants that they were asked for (the answer stands for itself).
 */
export function join(
  before: RecentMinutes | undefined,
  answer: QueryResult,
  newestSeconds: number,
  minutes: number,
): RecentMinutes | undefined {
  const { labels, offsets, timestampsSeconds, values: answered, shiftSeconds = 0, scope } = answer;
  if (shiftSeconds > 0 || (before !== undefined && before.scope !== scope)) return undefined;
  const shift = before === undefined ? minutes : (newestSeconds - before.newestSeconds) / MINUTE_SECONDS;
  const known = before ?? NO_ROWS;
  const first = Math.max(0, minutes - 1 - shift);
  const order = mergedOrder(known, labels, shift);
  if (order.count > MOST_ROWS_PER_SERIES * (labels.length + 1)) return undefined;
  const joinedLabels = new Array<Labels>(order.count);
  const values = new Float64Array(order.count * minutes).fill(Number.NaN);
  let present = 0;
  let late = 0;
  for (let row = 0; row < order.count; row++) {
    const remembered = order.remembered[row] as number;
    const series = order.answered[row] as number;
    const start = row * minutes;
    joinedLabels[row] = (series < 0 ? known.labels[remembered] : labels[series]) as Labels;
    if (remembered >= 0) {
      for (let minute = 0; minute < first; minute++) {
        values[start + minute] = known.values[remembered * minutes + minute + shift] as number;
      }
    }
    if (series < 0) continue;
    const end = offsets[series + 1] as number;
    for (let sample = offsets[series] as number; sample < end; sample++) {
      const seconds = timestampsSeconds[sample] as number;
      const minute = minutes - 1 + Math.round((seconds - newestSeconds) / MINUTE_SECONDS);
      const asked = newestSeconds + (minute - (minutes - 1)) * MINUTE_SECONDS;
      if (minute < first || minute >= minutes || Math.abs(seconds - asked) > SAME_INSTANT_SECONDS) return undefined;
      const value = answered[sample] as number;
      values[start + minute] = Number.isFinite(value) ? value : Number.POSITIVE_INFINITY;
    }
    if (first === 0 || Number.isNaN(values[start + first])) continue;
    present++;
    if (Number.isNaN(values[start + first - 1])) late++;
  }
  if (late > LATE_SHARE * present || (present === 0 && first > 0 && known.labels.length > 0)) return undefined;
  return { newestSeconds, minutes, labels: joinedLabels, values, scope };
}

/** Whether most series of the minute before are there in the newest as well, so that few can be still to come. */
export function isSettled({ labels, values, minutes }: RecentMinutes): boolean {
  let newest = 0;
  let before = 0;
  for (let row = 1; row <= labels.length; row++) {
    if (!Number.isNaN(values[row * minutes - 1])) newest++;
    if (!Number.isNaN(values[row * minutes - 2])) before++;
  }
  return newest >= SETTLED_SHARE * before;
}

/** Series of one piece: some milliseconds of work for a table. */
const SERIES_PER_PIECE = 4096;

/** The samples, in pieces of some series. */
export function* piecesOf({ labels, values, minutes, newestSeconds }: RecentMinutes): Generator<SeriesSet> {
  for (let first = 0; first < labels.length; first += SERIES_PER_PIECE) {
    const own = labels.slice(first, first + SERIES_PER_PIECE);
    const offsets = new Uint32Array(own.length + 1);
    const timestampsSeconds = new Float64Array(own.length * minutes);
    const samples = new Float64Array(own.length * minutes);
    let count = 0;
    for (let series = 0; series < own.length; series++) {
      for (let minute = 0; minute < minutes; minute++) {
        const value = values[(first + series) * minutes + minute] as number;
        if (Number.isNaN(value)) continue;
        timestampsSeconds[count] = newestSeconds - (minutes - 1 - minute) * MINUTE_SECONDS;
        samples[count++] = value;
      }
      offsets[series + 1] = count;
    }
    yield { labels: own, offsets, timestampsSeconds, values: samples };
  }
}

type Rows = Pick<RecentMinutes, 'labels' | 'values' | 'minutes'>;

const NO_ROWS: Rows = { labels: [], values: new Float64Array(0), minutes: 0 };

/** Which series of two answers are one: each row has a series of the first, of the second, or of both; -1 for none. */
interface MergedOrder {
  readonly count: number;
  readonly remembered: Int32Array;
  readonly answered: Int32Array;
}

/** How far to look for the next series that two lists share, for each that they did not. */
const LOOK_AHEAD = 8;

/** Most comparisons for this, for each series. */
const COMPARISONS_PER_SERIES = 16;

/**
 * Servers keep the order of series, so those are compared that come next. Those that are further away, as behind many that
 * have gone, are found by the text of their labels. Where labels have another order, a series may have two rows, which only
 * costs room: a table takes both for one series.
 *
 * @param shift by how many minutes what is remembered is older: series without a value since then are left out.
 */
function mergedOrder({ labels: known, values, minutes }: Rows, labels: readonly Labels[], shift: number): MergedOrder {
  const remembered = new Int32Array(known.length + labels.length);
  const answered = new Int32Array(remembered.length);
  let count = 0;
  let next = 0;
  let misses = 0;
  let budget = COMPARISONS_PER_SERIES * remembered.length;
  const add = (old: number, series: number) => {
    remembered[count] = old;
    answered[count++] = series;
  };
  const isSame = (old: number, series: number) =>
    old < known.length && series < labels.length && haveSame(known[old] as Labels, labels[series] as Labels);
  // What the newest minute had is asked for again.
  const hasValue = (old: number) => {
    let minute = shift;
    while (minute < minutes - 1 && Number.isNaN(values[old * minutes + minute])) minute++;
    return minute < minutes - 1;
  };
  const skipTo = (end: number) => {
    for (; next < Math.min(end, known.length); next++) if (hasValue(next)) add(next, -1);
  };
  for (let series = 0; series < labels.length; series++) {
    if (!isSame(next, series)) {
      const farthest = Math.min(budget, LOOK_AHEAD * (1 + misses));
      let distance = 1;
      while (distance <= farthest && !isSame(next + distance, series) && !isSame(next, series + distance)) distance++;
      budget -= distance;
      if (distance > farthest || next >= known.length) {
        misses++;
        skipTo(next + 1);
        add(-1, series);
        continue;
      }
      if (isSame(next + distance, series)) skipTo(next + distance);
      else for (const end = series + distance; series < end; series++) add(-1, series);
    }
    misses = 0;
    add(next++, series);
  }
  skipTo(known.length);
  return withPairs({ count, remembered, answered }, known, labels);
}

/** With more rows of one answer alone, a server has no order: to ask for all minutes is less work than to find the pairs. */
const MOST_ROWS_ALONE = 8192;

/** Makes one row of two that are about one series. */
function withPairs(order: MergedOrder, known: readonly Labels[], labels: readonly Labels[]): MergedOrder {
  const { count, remembered, answered } = order;
  let rowsAlone = 0;
  for (let row = 0; row < count; row++) {
    if ((answered[row] as number) < 0 || (remembered[row] as number) < 0) rowsAlone++;
  }
  if (known.length === 0 || rowsAlone > MOST_ROWS_ALONE) return order;
  const alone = new Map<string, number>();
  for (let row = 0; row < count; row++) {
    if ((answered[row] as number) < 0) alone.set(JSON.stringify(known[remembered[row] as number]), row);
  }
  const isMoved = new Uint8Array(count);
  for (let row = 0; row < count && alone.size > 0; row++) {
    if ((remembered[row] as number) >= 0) continue;
    const other = alone.get(JSON.stringify(labels[answered[row] as number]));
    if (other === undefined || isMoved[other] === 1) continue;
    remembered[row] = remembered[other] as number;
    isMoved[other] = 1;
  }
  let kept = 0;
  for (let row = 0; row < count; row++) {
    if (isMoved[row] === 1) continue;
    remembered[kept] = remembered[row] as number;
    answered[kept++] = answered[row] as number;
  }
  return { count: kept, remembered, answered };
}

function haveSame(first: Labels, second: Labels): boolean {
  if (first === second) return true;
  let names = 0;
  for (const name in first) {
    if (first[name] !== second[name]) return false;
    names++;
  }
  for (const _ in second) names--;
  return names === 0;
}
