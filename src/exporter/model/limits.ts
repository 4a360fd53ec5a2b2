/**
 * From what workloads did during the last days to the boundaries of what is worth an alert.
 *
 * A deviation that a workload shows by itself is usual: its limit is the largest that it showed. How far beyond that a
 * deviation must be is learned from all workloads together. One day is left out, and the largest deviations of that day
 * are compared with the limits of the other days, in units of how much the days of a workload differ. The margin is the
 * one that as many workloads and days exceed as the budget has messages.
 */

import { quantileInPlace } from '../../lib/statistics.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { BINS_PER_DAY, BINS_PER_HOUR, HOURS_PER_DAY, isWeekend } from '../history/grid.js';
import { BIN_FIELDS, SIBLING_FIELDS } from '../history/hour-summary.js';
import { encodeLevel, type WorkloadHistory } from '../history/workload-history.js';

/**
 * What a pod is compared with: its workload at this time of the day, and its siblings now. Even positions are rises and
 * odd ones falls; deviations of `Long` views last for an hour.
 */
export const VIEWS = ['seasonUp', 'seasonDown', 'seasonLongUp', 'seasonLongDown', ...SIBLING_FIELDS] as const;

export type View = (typeof VIEWS)[number];

/** Where the views of siblings begin; those of the season have the order of `BIN_FIELDS` after the level. */
export const SIBLING_VIEWS = BIN_FIELDS.length - 1;

/** Of a counter, only its rise within an hour is judged; it has the place of the first view. */
export const RISE_VIEW = 0;

/** Half hours of a working day, then those of a day of a weekend. */
export const SEASON_SLOTS = 2 * BINS_PER_DAY;

/** The last day is not learned from: what is wrong since this morning must not be usual by noon. */
const HELD_BACK_HOURS = HOURS_PER_DAY;

/** With fewer hours, no day can be left out, and the margin comes from theory. */
const LEAST_HOURS_TO_CALIBRATE = 3 * HOURS_PER_DAY;
/** Units from one e-th of the rate to the next: the largest of many values have an exponential tail. */
const FIRST_SCALE = 0.85;
/** That margin is larger by this many units, divided by the hours known: what was not seen yet may come. */
const FIRST_HOURS = 8;

/**
 * A unit is at least this. To the spread of the days of a workload, a share of its limit counts like one day more: few
 * days say little, and what is large differs much.
 */
const LEAST_UNIT = 0.1;
const LIMIT_SHARE = 0.3;

/** The limit of a workload that did not deviate at all. */
const LEAST_LIMIT = 0.05;

/**
 * A day that is beyond the limit of the others by this many units, and by this many margins, was an incident, and is not
 * learned from.
 */
const INCIDENT_UNITS = 3;
const INCIDENT_MARGINS = 2;
/** Days that must remain. */
const LEAST_DAYS = 3;

/** How fast the rate falls beyond the largest excesses is taken from this many of them. */
const TAIL = 40;

/** A restart by itself is part of life. */
const FREE_RISES = 1;
/** What rises on fewer days than this is not usual. */
const DAYS_OF_USUAL_RISES = 3;

/** Halfway to the next number: a boundary must be exceeded. */
const boundaryAbove = (rises: number) => rises + 0.5;

/** The boundary of a counter that did not rise, or of which nothing is known. */
export const LEAST_RISE_BOUNDARY = boundaryAbove(FREE_RISES);

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
  /** features × `VIEWS`: the same for workloads that are not known. `NaN`: the view is not used for them. */
  readonly unknown: Float32Array;
  /** Hours that the boundaries rest on. */
  readonly hours: number;
  /** Messages a day that the boundaries let through, on days that are left out; `NaN` where too little is known. */
  readonly expectedPerDay: number;
  /** How many workloads exceed their boundaries on each of these days, the last one last; empty where too little is known. */
  readonly exceedingByDay: readonly number[];
  /** Number of the last hour that the boundaries rest on. */
  readonly lastHour: number;
}

/** The largest deviations of a workload, feature and view in each block of time. */
interface Blocks {
  readonly row: number;
  readonly column: number;
  readonly view: number;
  /** `NaN` where nothing is known. */
  readonly maxima: Float64Array;
  /** The same without the blocks that are not learned from. */
  readonly usual: Float64Array;
  /** What a deviation must reach in any case. */
  readonly floor: number;
}

/** Calibrates the boundaries on all that is known, except the last day. `undefined` where nothing is known yet. */
export function calibrate(history: WorkloadHistory, options: CalibrationOptions): Limits | undefined {
  const { features, budgetPerDay } = options;
  const known = history.knownHours(options.lastHour).filter((hour) => history.podsIn(hour) > 0);
  const [first] = known;
  if (first === undefined) return undefined;
  const hours = known.length - Math.max(0, Math.min(HELD_BACK_HOURS, known.length - HOURS_PER_DAY));
  const isByDays = hours >= LEAST_HOURS_TO_CALIBRATE;
  const span: Span = { first, last: known[hours - 1] as number, blockHours: isByDays ? HOURS_PER_DAY : 1 };
  const rows = history.workloads.length;
  const season = new Uint16Array(rows * features.length * SEASON_SLOTS).fill(encodeLevel(Number.NaN));
  const all = [...allBlocks(history, options, span, season)];
  const { margin, exceeding } = isByDays
    ? calibrateByDays(all, budgetPerDay * blocksIn(span), span)
    : calibrateFirstDays(all, budgetPerDay / HOURS_PER_DAY);
  const boundaries = new Float32Array(rows * features.length * VIEWS.length).fill(Number.NaN);
  for (const { row, column, view, usual, floor } of all) {
    boundaries[(row * features.length + column) * VIEWS.length + view] = boundaryOf(usual, floor, margin);
  }
  writeRises(history, features, span, boundaries);
  return {
    keys: history.workloads,
    season,
    boundaries,
    unknown: boundariesOfUnknown(boundaries, features.length),
    hours,
    expectedPerDay: isByDays ? exceeding.reduce((sum, count) => sum + count, 0) / blocksIn(span) : Number.NaN,
    exceedingByDay: exceeding,
    lastHour: span.last,
  };
}

/** Hours that are learned from, both included, and the length of the blocks, which are counted from the last. */
interface Span {
  readonly first: number;
  readonly last: number;
  readonly blockHours: number;
}

const blocksIn = ({ first, last, blockHours }: Span): number => Math.ceil((last - first + 1) / blockHours);

/** The block of an hour; the last block ends with the span. */
const blockOf = (span: Span, hour: number): number =>
  blocksIn(span) - 1 - Math.floor((span.last - hour) / span.blockHours);

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
  const [levels] = bins as [Float64Array];
  for (let row = 0; row < history.workloads.length; row++) {
    for (const [column, feature] of features.entries()) {
      const gauge = history.gauges.indexOf(feature.name);
      if (gauge < 0) continue;
      const floor = Math.log1p(SUSTAINED_SHARE * sensitivity * feature.relativeSpreadFloor);
      for (const [field, values] of bins.entries()) history.copyBins(row, gauge, field, span.first, values);
      const start = (row * features.length + column) * SEASON_SLOTS;
      const expected = calendar.seasonOf(levels, season.subarray(start, start + SEASON_SLOTS));
      for (let view = 0; view < VIEWS.length; view++) {
        const isFall = view % 2 === 1;
        if (isFall && feature.direction !== 'both') continue;
        const maxima = new Float64Array(blocksIn(span)).fill(Number.NaN);
        if (view < SIBLING_VIEWS) {
          const values = bins[view + 1] as Float64Array;
          for (let bin = 0; bin < values.length; bin++) {
            const deviation = (values[bin] as number) - (expected[bin] as number);
            raise(maxima, blockOf(span, span.first + Math.floor(bin / BINS_PER_HOUR)), isFall ? -deviation : deviation);
          }
        } else {
          history.copySiblings(row, gauge, view - SIBLING_VIEWS, span.first, hourly);
          for (let hour = 0; hour < hourly.length; hour++) {
            raise(maxima, blockOf(span, span.first + hour), hourly[hour] as number);
          }
        }
        if (!maxima.every(Number.isNaN)) yield { row, column, view, maxima, usual: maxima.slice(), floor };
      }
    }
  }
}

function raise(values: Float64Array, cell: number, value: number): void {
  if (!Number.isNaN(value) && !((values[cell] as number) >= value)) values[cell] = value;
}

/** Which half hours of some days are the same time of day, on the same kind of day. */
class Calendar {
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
    const all = smooth.filter((level) => !Number.isNaN(level));
    if (all.length === 0) return expected;
    const usual = quantileInPlace(all, all.length, 0.5);
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

/** The largest deviation of a workload, and the unit in which margins beyond it are counted. */
interface Scale {
  readonly limit: number;
  readonly unit: number;
  /** Blocks that it comes from. */
  readonly count: number;
}

/** @param without positions of blocks that do not count, from one to another. */
function scaleOf(maxima: Float64Array, without = -1, withoutEnd = without): Scale {
  let [limit, sum, squares, count] = [LEAST_LIMIT, 0, 0, 0];
  for (let block = 0; block < maxima.length; block++) {
    const value = maxima[block] as number;
    if ((block >= without && block <= withoutEnd) || Number.isNaN(value)) continue;
    if (value > limit) limit = value;
    sum += value;
    squares += value * value;
    count++;
  }
  const days = Math.max(1, count);
  const deviations = Math.max(0, squares - (sum * sum) / days);
  return { limit, unit: LEAST_UNIT + Math.sqrt((deviations + (LIMIT_SHARE * limit) ** 2) / days), count };
}

/** The deviation above which a pod of a workload is anomalous. */
function boundaryOf(maxima: Float64Array, floor: number, margin: number, without = -1, withoutEnd = without): number {
  const { limit, unit } = scaleOf(maxima, without, withoutEnd);
  return Math.max(floor, limit + margin * unit);
}

interface Margin {
  /** In units. */
  readonly margin: number;
  /** How many workloads exceed it in each block; empty where that is not known. */
  readonly exceeding: readonly number[];
}

/**
 * The margin of the first days. Hours that were flagged when they came are not learned from; the first one is believed.
 *
 * @param allowed how many workloads may exceed it in an hour.
 */
function calibrateFirstDays(all: readonly Blocks[], allowed: number): Margin {
  const workloads = new Set(all.map(({ row }) => row)).size;
  const marginAfter = (hours: number) =>
    FIRST_SCALE * Math.log(Math.max(2, workloads / allowed)) + FIRST_HOURS / Math.max(1, hours);
  let hours = 1;
  for (const { maxima, usual, floor } of all) {
    usual.fill(Number.NaN);
    let believed = 0;
    for (const [block, value] of maxima.entries()) {
      if (Number.isNaN(value) || (believed > 0 && value > boundaryOf(usual, floor, marginAfter(block)))) continue;
      usual[block] = value;
      believed++;
    }
    hours = Math.max(hours, maxima.length);
  }
  return { margin: marginAfter(hours), exceeding: [] };
}

/**
 * The margin that days which are left out exceed as often as they may; incidents are not learned from.
 *
 * @param allowed how many workloads and days may.
 */
function calibrateByDays(all: readonly Blocks[], allowed: number, span: Span): Margin {
  const { margin } = leaveOneOut(all, allowed);
  for (const blocks of all) forgetIncidents(blocks, Math.max(INCIDENT_UNITS, INCIDENT_MARGINS * margin), span);
  return leaveOneOut(all, allowed);
}

function leaveOneOut(all: readonly Blocks[], allowed: number): Margin {
  const worst = new Map<number, Float64Array>();
  for (const { row, maxima, usual, floor } of all) {
    const ofRow = worst.get(row) ?? new Float64Array(maxima.length);
    worst.set(row, ofRow);
    for (let block = 0; block < maxima.length; block++) {
      const value = maxima[block] as number;
      if (!(value > floor)) continue;
      const { limit, unit, count } = scaleOf(usual, block);
      if (count > 0) ofRow[block] = Math.max(ofRow[block] as number, (value - limit) / unit);
    }
  }
  const excesses = [...worst.values()].flatMap((ofRow) => [...ofRow]).filter((excess) => excess > 0);
  excesses.sort((a, b) => b - a);
  const margin = marginFor(excesses, allowed);
  const exceeding = Array.from({ length: all[0]?.maxima.length ?? 0 }, (_, block) => {
    let count = 0;
    for (const ofRow of worst.values()) if ((ofRow[block] as number) > margin) count++;
    return count;
  });
  return { margin, exceeding };
}

/** @param excesses descending. */
function marginFor(excesses: readonly number[], allowed: number): number {
  if (excesses.length <= allowed) return 0;
  const rank = Math.floor(allowed);
  if (rank >= 1) {
    const [above, below] = [excesses[rank - 1] as number, excesses[rank] as number];
    return above + (below - above) * (allowed - rank);
  }
  // Beyond the largest, the rate falls as it did up to there: peaks over a threshold (Pickands, 1975), with shape 0.
  const tail = excesses.slice(0, TAIL);
  const threshold = tail.at(-1) as number;
  const scale = tail.reduce((sum, excess) => sum + excess - threshold, 0) / tail.length;
  return threshold + scale * Math.log(tail.length / allowed);
}

/**
 * Takes a day, or two in a row, out of what is usual where they are far beyond the other days, and the day after is not: a
 * day is usual when it comes again. A weekend comes again only after a week, and stays.
 */
function forgetIncidents({ maxima, usual, floor }: Blocks, margin: number, span: Span): void {
  const isOfWeekend = (block: number) =>
    isWeekend(Math.floor((span.last - (maxima.length - 1 - block) * span.blockHours) / HOURS_PER_DAY));
  for (let block = 0; block < maxima.length - 1; block++) {
    for (const end of [block, block + 1]) {
      if (end >= maxima.length - 1 || (end > block && isOfWeekend(block) && isOfWeekend(end))) continue;
      if (scaleOf(usual, block, end).count < LEAST_DAYS) continue;
      const boundary = boundaryOf(usual, floor, margin, block, end);
      const isBeyond = (own: number) => (maxima[own] as number) > boundary;
      if (!isBeyond(block) || !isBeyond(end) || !((maxima[end + 1] as number) <= boundary)) continue;
      usual.fill(Number.NaN, block, end + 1);
    }
  }
}

/** Boundaries of counters: more than one rise in an hour, and more than on the days that had the most. */
function writeRises(
  history: WorkloadHistory,
  features: readonly FeatureDefinition[],
  { first, last }: Span,
  boundaries: Float32Array,
): void {
  const days: Span = { first, last, blockHours: HOURS_PER_DAY };
  for (const [column, { name }] of features.entries()) {
    const counter = history.counters.indexOf(name);
    if (counter < 0) continue;
    for (let row = 0; row < history.workloads.length; row++) {
      const largest = new Float64Array(blocksIn(days)).fill(Number.NaN);
      for (let hour = first; hour <= last; hour++) {
        raise(largest, blockOf(days, hour), history.riseAt(row, counter, hour));
      }
      const known = largest
        .filter((rise) => !Number.isNaN(rise))
        .sort()
        .reverse();
      const usual = known[Math.min(known.length, DAYS_OF_USUAL_RISES) - 1] ?? 0;
      const boundary = boundaryAbove(Math.max(FREE_RISES, usual));
      boundaries[(row * features.length + column) * VIEWS.length + RISE_VIEW] = boundary;
    }
  }
}

/** What is not known of a workload is judged by what is far for nearly all workloads. */
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
