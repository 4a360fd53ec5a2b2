/**
 * From what workloads did during the last days to the boundaries of what is worth an alert.
 *
 * A deviation that a workload shows by itself is no news: its limit is the largest that it showed. How far beyond that a
 * deviation must be is learned from all workloads together. One day is left out, and the largest deviations of that day
 * are compared with the limits of the other days, in units of how much the days of a workload differ. The margin is the
 * one that as many workloads and days exceed as the budget has messages.
 */

import { quantileInPlace } from '../../lib/statistics.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { BINS_PER_DAY, BINS_PER_HOUR, HOURS_PER_DAY, isWeekend } from '../history/grid.js';
import { BIN_FIELDS, HOURLY_VIEWS } from '../history/hour-summary.js';
import { encodeLevel, type WorkloadHistory } from '../history/workload-history.js';

/** Extremes of half hours are compared with the season, in the order of `BIN_FIELDS`. */
const SEASON_VIEWS = BIN_FIELDS.length - 1;

/**
 * What a pod is compared with: its workload at this time of the day, its own hour before, and its siblings now. Even
 * positions are rises and odd ones falls; deviations of `Long` views last for an hour.
 */
export const VIEWS = ['seasonUp', 'seasonDown', 'seasonLongUp', 'seasonLongDown', ...HOURLY_VIEWS] as const;

export type View = (typeof VIEWS)[number];

/** Of a counter, only its rise within an hour is judged; it has the place of the first view. */
export const RISE_VIEW = 0;

/** Where the views of the hour before are. */
export const HOUR_VIEWS = VIEWS.indexOf('hourUp');
export const SIBLING_VIEWS = VIEWS.indexOf('siblingsUp');

/** Half hours of a working day, then those of a day of a weekend. */
export const SEASON_SLOTS = 2 * BINS_PER_DAY;

/** The last day is not learned from: what is wrong since this morning must not be usual by noon. */
const HELD_BACK_HOURS = HOURS_PER_DAY;

/** With fewer hours, hours are compared with one another, and the margin is fixed. */
const DAYS_FROM_HOURS = 3 * HOURS_PER_DAY;
const FIRST_MARGIN = 6;
/** The fixed margin is larger by this many units, divided by the hours known: what was not seen yet may come. */
const FIRST_MARGIN_HOURS = 4;

/** A unit is at least this, and this share of the limit more. */
const UNIT_FLOOR = 0.05;
const UNIT_SHARE = 0.1;
/** In the spread of a workload, that of the fleet counts like this many days. */
const FLEET_BLOCKS = 3;

/** A standard deviation of Gumbel's distribution, which largest values follow, is 1.28 of its scales. */
const SCALES_PER_DEVIATION = Math.sqrt(6) / Math.PI;

/** The limit of a workload that did not deviate at all. */
const LEAST_LIMIT = 0.05;

/** How fast the rate falls beyond the largest excesses is taken from this many of them. */
const TAIL = 10;

/** A restart by itself is part of life. */
const LEAST_RISES = 2;

/** What lasts needs to deviate by less than what is there for a minute: this share of the spreads. */
const SUSTAINED_SHARE = 0.5;

export interface CalibrationOptions {
  /** The newest hour that may be known. */
  readonly lastHour: number;
  readonly features: readonly FeatureDefinition[];
  /** Messages a day that all workloads together may make when nothing is wrong. */
  readonly budgetPerDay: number;
  /** Spreads that a deviation must reach whatever the workload did, of at least `relativeSpreadFloor` each. */
  readonly sensitivity: number;
}

/** Boundaries of all workloads that are known. */
export interface Limits {
  /** Keys of the workloads. */
  readonly keys: readonly string[];
  /** workloads × features × `SEASON_SLOTS`: the level to expect, as `encodeLevel` writes it. */
  readonly season: Uint16Array;
  /**
   * workloads × features × `VIEWS`: the deviation above which a pod is anomalous, as a difference of levels; of a counter
   * a number of rises. `NaN` where the workload is not known in a view.
   */
  readonly boundaries: Float32Array;
  /** features × `VIEWS`: the same for workloads that are not known. `NaN`: such a view is not used for them. */
  readonly unknown: Float32Array;
  /** Hours that the boundaries rest on. */
  readonly hours: number;
  /** Messages a day that the boundaries let through, on days that are left out; `NaN` where too little is known. */
  readonly expectedPerDay: number;
}

/** The largest deviations of a workload, feature and view in each block of time. */
interface Blocks {
  readonly row: number;
  readonly column: number;
  readonly view: number;
  /** `NaN` where nothing is known. */
  readonly maxima: Float64Array;
  /** What a deviation must reach in any case. */
  readonly floor: number;
}

/** Calibrates the boundaries on all that is known, but for the last day. `undefined` where nothing is known yet. */
export function calibrate(history: WorkloadHistory, options: CalibrationOptions): Limits | undefined {
  const { features, budgetPerDay } = options;
  const known = history.knownHours(options.lastHour).filter((hour) => history.podsIn(hour) > 0);
  const [first] = known;
  if (first === undefined) return undefined;
  const heldBack = Math.max(0, Math.min(HELD_BACK_HOURS, known.length - HOURS_PER_DAY));
  const hours = known.length - heldBack;
  const last = known[hours - 1] as number;
  const byDays = hours >= DAYS_FROM_HOURS;
  const span: Span = { first, last, blockHours: byDays ? HOURS_PER_DAY : 1 };
  const rows = history.workloads.length;
  const season = new Uint16Array(rows * features.length * SEASON_SLOTS).fill(encodeLevel(Number.NaN));
  const all = [...allBlocks(history, options, span, season)];
  const spreads = fleetSpreads(all, features.length);
  const spreadOf = ({ column, view }: Blocks) => spreads[column * VIEWS.length + view] as number;
  const margin = byDays
    ? dailyMargin(all, spreadOf, budgetPerDay * blocksIn(span))
    : { margin: FIRST_MARGIN + FIRST_MARGIN_HOURS / hours, exceeding: Number.NaN };
  const boundaries = new Float32Array(rows * features.length * VIEWS.length).fill(Number.NaN);
  for (const blocks of all) {
    const usual = byDays ? blocks.maxima : withoutFlagged(blocks, spreadOf(blocks));
    const boundary = boundaryOf(usual, blocks.floor, spreadOf(blocks), margin.margin);
    boundaries[(blocks.row * features.length + blocks.column) * VIEWS.length + blocks.view] = boundary;
  }
  writeRises(history, features, span, boundaries);
  const unknown = boundariesOfUnknown(boundaries, features.length);
  if (byDays) leaveOutHours(boundaries, season);
  return {
    keys: history.workloads,
    season,
    boundaries,
    unknown,
    hours,
    expectedPerDay: margin.exceeding / blocksIn(span),
  };
}

/** Hours that are learned from, both included, and how they are cut, counted from the last. */
interface Span {
  readonly first: number;
  readonly last: number;
  readonly blockHours: number;
}

const blocksIn = ({ first, last, blockHours }: Span): number => Math.ceil((last - first + 1) / blockHours);

/** The blocks of all workloads, gauges and views that anything is known of. @param season is written to. */
function* allBlocks(
  history: WorkloadHistory,
  { features, sensitivity }: CalibrationOptions,
  span: Span,
  season: Uint16Array,
): Generator<Blocks> {
  const calendar = new Calendar(span);
  const hourly = new Float64Array(span.last - span.first + 1);
  const bins = Array.from(BIN_FIELDS, () => new Float64Array(hourly.length * BINS_PER_HOUR));
  const maxima = () => new Float64Array(blocksIn(span)).fill(Number.NaN);
  for (let row = 0; row < history.workloads.length; row++) {
    for (const [column, feature] of features.entries()) {
      const gauge = history.gauges.indexOf(feature.name);
      if (gauge < 0) continue;
      const floor = Math.log1p(SUSTAINED_SHARE * sensitivity * feature.relativeSpreadFloor);
      const isJudged = (view: number) => feature.direction === 'both' || view % 2 === 0;
      for (const [field, values] of bins.entries()) history.copyBins(row, gauge, field, span.first, values);
      const slots = season.subarray((row * features.length + column) * SEASON_SLOTS);
      const expected = calendar.seasonOf(bins[0] as Float64Array, slots);
      for (let view = 0; view < SEASON_VIEWS; view++) {
        if (!isJudged(view)) continue;
        const side = view % 2 === 0 ? 1 : -1;
        const values = bins[view + 1] as Float64Array;
        const blocks = { row, column, view, maxima: maxima(), floor };
        for (let bin = 0; bin < values.length; bin++) {
          const deviation = side * ((values[bin] as number) - (expected[bin] as number));
          raise(blocks.maxima, calendar.blockOf(Math.floor(bin / BINS_PER_HOUR)), deviation);
        }
        if (!blocks.maxima.every(Number.isNaN)) yield blocks;
      }
      for (let own = 0; own < HOURLY_VIEWS.length; own++) {
        const view = SEASON_VIEWS + own;
        if (!isJudged(view)) continue;
        history.copyMaxima(row, gauge, own, span.first, hourly);
        const blocks = { row, column, view, maxima: maxima(), floor };
        hourly.forEach((deviation, index) => {
          raise(blocks.maxima, calendar.blockOf(index), deviation);
        });
        if (!blocks.maxima.every(Number.isNaN)) yield blocks;
      }
    }
  }
}

function raise(values: Float64Array, cell: number, value: number): void {
  if (!Number.isNaN(value) && !((values[cell] as number) >= value)) values[cell] = value;
}

/** Which half hours of some days are the same time of day, of the same kind of day. */
class Calendar {
  readonly #span: Span;
  /** Bins from the first hour on: where the same time of day is, for each bin of it. */
  readonly #bins: number;
  readonly #room = new Float64Array(3);

  constructor(span: Span) {
    this.#span = span;
    this.#bins = (span.last - span.first + 1) * BINS_PER_HOUR;
  }

  /** The block of an hour, counted from the first one; the last block ends with the span. */
  blockOf(index: number): number {
    const { first, last, blockHours } = this.#span;
    const fromEnd = Math.floor((last - first - index) / blockHours);
    return blocksIn(this.#span) - 1 - fromEnd;
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
    const first = this.#span.first * BINS_PER_HOUR;
    const days = Math.ceil(this.#bins / BINS_PER_DAY) + 1;
    const [same, any] = [new Float64Array(days), new Float64Array(days)];
    const all = smooth.filter((level) => !Number.isNaN(level));
    const usual = all.length === 0 ? Number.NaN : quantileInPlace(all, all.length, 0.5);
    for (let slot = 0; slot < BINS_PER_DAY; slot++) {
      const offset = (((slot - first) % BINS_PER_DAY) + BINS_PER_DAY) % BINS_PER_DAY;
      for (const weekend of [false, true]) {
        const counts = this.#gather(smooth, offset, weekend, -1, same, any);
        slots[(weekend ? BINS_PER_DAY : 0) + slot] = encodeLevel(medianOf(same, any, counts) ?? usual);
      }
      for (let bin = offset; bin < this.#bins; bin += BINS_PER_DAY) {
        if (Number.isNaN(smooth[bin])) continue;
        const weekend = isWeekend(Math.floor((first + bin) / BINS_PER_DAY));
        expected[bin] = medianOf(same, any, this.#gather(smooth, offset, weekend, bin, same, any)) ?? usual;
      }
    }
    return expected;
  }

  /** The levels at a time of day: on days of a kind, and on all days; the bin `without` does not count. */
  #gather(
    smooth: Float64Array,
    offset: number,
    weekend: boolean,
    without: number,
    same: Float64Array,
    any: Float64Array,
  ): readonly [same: number, any: number] {
    let [sameCount, anyCount] = [0, 0];
    const first = this.#span.first * BINS_PER_HOUR;
    for (let bin = offset; bin < this.#bins; bin += BINS_PER_DAY) {
      const level = smooth[bin] as number;
      if (bin === without || Number.isNaN(level)) continue;
      any[anyCount++] = level;
      if (isWeekend(Math.floor((first + bin) / BINS_PER_DAY)) === weekend) same[sameCount++] = level;
    }
    return [sameCount, anyCount];
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

function medianOf(same: Float64Array, any: Float64Array, [sameCount, anyCount]: readonly [number, number]) {
  if (sameCount > 0) return quantileInPlace(same, sameCount, 0.5);
  return anyCount > 0 ? quantileInPlace(any, anyCount, 0.5) : undefined;
}

/** Limit, spread and number of the blocks of a workload. */
interface Statistics {
  readonly limit: number;
  readonly variance: number;
  readonly count: number;
}

/** @param without position of a block that does not count; -1 for all. */
function statisticsOf(maxima: Float64Array, without = -1): Statistics {
  let [limit, sum, squares, count] = [LEAST_LIMIT, 0, 0, 0];
  for (let block = 0; block < maxima.length; block++) {
    const value = maxima[block] as number;
    if (block === without || Number.isNaN(value)) continue;
    if (value > limit) limit = value;
    sum += value;
    squares += value * value;
    count++;
  }
  const mean = sum / count;
  return { limit, variance: count === 0 ? Number.NaN : Math.max(0, squares / count - mean * mean), count };
}

/** How much the blocks of a workload differ, drawn towards the fleet: few blocks say little. */
function drawnVariance({ variance, count }: Statistics, fleetVariance: number): number {
  return (count * variance + FLEET_BLOCKS * fleetVariance) / (count + FLEET_BLOCKS);
}

/** The unit that margins are counted in. */
function unitOf(statistics: Statistics, fleetVariance: number): number {
  return Math.sqrt(drawnVariance(statistics, fleetVariance)) + UNIT_FLOOR + UNIT_SHARE * statistics.limit;
}

/**
 * The deviation above which a pod of a workload is anomalous. Of what is known for fewer blocks than others, the largest
 * of as many blocks is estimated: the largest of n values grows with ln n.
 */
function boundaryOf(maxima: Float64Array, floor: number, fleetVariance: number, margin: number): number {
  const statistics = statisticsOf(maxima);
  const { limit, count } = statistics;
  const growth =
    SCALES_PER_DEVIATION * Math.sqrt(drawnVariance(statistics, fleetVariance)) * Math.log(maxima.length / count);
  return Math.max(floor, limit + growth + margin * unitOf(statistics, fleetVariance));
}

/** features × views: the mean variance of a workload's blocks. */
function fleetSpreads(all: readonly Blocks[], features: number): Float64Array {
  const sums = new Float64Array(features * VIEWS.length);
  const counts = new Float64Array(features * VIEWS.length);
  for (const { column, view, maxima } of all) {
    const { variance, count } = statisticsOf(maxima);
    if (count < 2) continue;
    const cell = column * VIEWS.length + view;
    sums[cell] = (sums[cell] as number) + variance;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return sums.map((sum, cell) => (counts[cell] === 0 ? 0 : sum / (counts[cell] as number)));
}

/**
 * On the first days: without the blocks that were flagged when they came, since they may have been faults. The first
 * block is believed.
 */
function withoutFlagged({ maxima, floor }: Blocks, fleetVariance: number): Float64Array {
  const kept = new Float64Array(maxima.length).fill(Number.NaN);
  let hours = 0;
  for (let block = 0; block < maxima.length; block++) {
    const value = maxima[block] as number;
    if (Number.isNaN(value)) continue;
    const margin = FIRST_MARGIN + FIRST_MARGIN_HOURS / Math.max(1, hours);
    if (hours > 0 && value > boundaryOf(kept, floor, fleetVariance, margin)) continue;
    kept[block] = value;
    hours++;
  }
  return kept;
}

/**
 * The margin at which days that are left out exceed the limits of the other days as often as they may.
 *
 * @param allowed how many workloads and days may.
 * @returns also how many do.
 */
function dailyMargin(
  all: readonly Blocks[],
  spreadOf: (blocks: Blocks) => number,
  allowed: number,
): { readonly margin: number; readonly exceeding: number } {
  const worst = new Map<number, Float64Array>();
  for (const blocks of all) {
    const { row, maxima, floor } = blocks;
    const ofRow = worst.get(row) ?? new Float64Array(maxima.length).fill(Number.NEGATIVE_INFINITY);
    worst.set(row, ofRow);
    for (let block = 0; block < maxima.length; block++) {
      const value = maxima[block] as number;
      if (!(value > floor)) continue;
      const others = statisticsOf(maxima, block);
      if (others.count < 2) continue;
      const excess = (value - others.limit) / unitOf(others, spreadOf(blocks));
      if (excess > (ofRow[block] as number)) ofRow[block] = excess;
    }
  }
  const excesses = [...worst.values()].flatMap((ofRow) => [...ofRow]).filter((excess) => excess > 0);
  excesses.sort((a, b) => b - a);
  const margin = marginFor(excesses, allowed);
  return { margin, exceeding: excesses.filter((excess) => excess > margin).length };
}

/** @param excesses descending. */
function marginFor(excesses: readonly number[], allowed: number): number {
  if (excesses.length <= allowed) return 0;
  const rank = Math.floor(allowed);
  if (rank >= 1) {
    const [above, below] = [excesses[rank - 1] as number, excesses[rank] as number];
    return below + (above - below) * (1 - (allowed - rank));
  }
  // Beyond the largest, the rate falls exponentially: peaks over a threshold (Pickands, 1975), with shape 0.
  const tail = excesses.slice(0, TAIL + 1);
  const threshold = tail.at(-1) as number;
  const scale = tail.reduce((sum, excess) => sum + excess - threshold, 0) / Math.max(1, tail.length - 1);
  return threshold + scale * Math.log((tail.length - 1 || 1) / allowed);
}

/** Boundaries of counters: more rises than there ever were in an hour, and at least two. */
function writeRises(
  history: WorkloadHistory,
  features: readonly FeatureDefinition[],
  { first, last }: Span,
  boundaries: Float32Array,
): void {
  for (const [column, { name }] of features.entries()) {
    const counter = history.counters.indexOf(name);
    if (counter < 0) continue;
    for (let row = 0; row < history.workloads.length; row++) {
      let largest = LEAST_RISES - 1;
      for (let hour = first; hour <= last; hour++) {
        const rise = history.riseAt(row, counter, hour);
        if (rise > largest) largest = rise;
      }
      // Halfway to the next number: a boundary must be exceeded.
      boundaries[(row * features.length + column) * VIEWS.length + RISE_VIEW] = largest + 0.5;
    }
  }
}

/** The hour before stands in for the season, and says nothing that the season does not say better. */
function leaveOutHours(boundaries: Float32Array, season: Uint16Array): void {
  const unknown = encodeLevel(Number.NaN);
  for (let start = 0; start < boundaries.length; start += VIEWS.length) {
    const first = (start / VIEWS.length) * SEASON_SLOTS;
    if (season.subarray(first, first + SEASON_SLOTS).some((level) => level !== unknown)) {
      boundaries.fill(Number.NaN, start + HOUR_VIEWS, start + HOUR_VIEWS + 2);
    }
  }
}

/** What nobody knows is judged by what is far for nearly all workloads. */
const UNKNOWN_QUANTILE = 0.95;

function boundariesOfUnknown(boundaries: Float32Array, features: number): Float32Array {
  const size = features * VIEWS.length;
  return Float32Array.from({ length: size }, (_, cell) => {
    const known: number[] = [];
    for (let own = cell; own < boundaries.length; own += size) {
      const boundary = boundaries[own] as number;
      if (!Number.isNaN(boundary)) known.push(boundary);
    }
    return known.length === 0 ? Number.NaN : quantileInPlace(Float64Array.from(known), known.length, UNKNOWN_QUANTILE);
  });
}
