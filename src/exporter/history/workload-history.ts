/** What workloads did during the last days: hour by hour, in bounded memory. */

import { finish, finishInTurns } from '../../lib/steps.js';
import { BINS_PER_HOUR, HISTORY_STEP_SECONDS, HOUR_SECONDS, HOURS_PER_DAY } from './grid.js';
import { BIN_FIELDS, type HourSummary, SIBLING_FIELDS } from './hour-summary.js';

/** Levels are kept to this precision, half a percent of the value, from -160 to 160; further ones are cut off. */
const LEVEL_STEP = 0.005;
const LEVEL_ZERO = 32_768;
const UNKNOWN_LEVEL = 65_535;

/** Deviations, and distances from a level, are kept to this precision, up to 5: a factor of 160. */
const DEVIATION_STEP = 0.02;
const UNKNOWN_DEVIATION = 255;

/** A column: its rows, the features that it has in each, and how many cells it has for an hour of a feature. */
interface HistoryColumn {
  readonly rows: 'workloads' | 'groups';
  /** `none`: it is about the workload as a whole. */
  readonly features: 'gauges' | 'counters' | 'none';
  readonly cellsPerHour: number;
  readonly unknown: number;
}

/** What `BIN_FIELDS` has after the level. They come in pairs: one above the level, one below it. */
const EXTREMES = BIN_FIELDS.length - 1;

/** All columns. Those of groups are only there for workloads whose pods have siblings: many workloads have one pod. */
export const HISTORY_COLUMNS = {
  levels: { rows: 'workloads', features: 'gauges', cellsPerHour: BINS_PER_HOUR, unknown: UNKNOWN_LEVEL },
  extremes: {
    rows: 'workloads',
    features: 'gauges',
    cellsPerHour: BINS_PER_HOUR * EXTREMES,
    unknown: UNKNOWN_DEVIATION,
  },
  rises: { rows: 'workloads', features: 'counters', cellsPerHour: 1, unknown: UNKNOWN_DEVIATION },
  releases: { rows: 'workloads', features: 'none', cellsPerHour: 1, unknown: 0 },
  siblings: { rows: 'groups', features: 'gauges', cellsPerHour: SIBLING_FIELDS.length, unknown: UNKNOWN_DEVIATION },
} as const satisfies Readonly<Record<string, HistoryColumn>>;

export type HistoryColumnName = keyof typeof HISTORY_COLUMNS;

export const COLUMN_NAMES = Object.keys(HISTORY_COLUMNS) as HistoryColumnName[];

/**
 * The arrays. Within a row, features follow one another, within a feature hours, each at its number modulo all hours.
 */
export type HistoryColumns = { readonly [Name in HistoryColumnName]: Name extends 'levels' ? Uint16Array : Uint8Array };

/** The names of the features of a history, by type, and how many days it holds. */
export interface HistoryShape {
  readonly days: number;
  readonly gauges: readonly string[];
  readonly counters: readonly string[];
}

/** A history as plain data: it can be copied to another thread, and written to a file. */
export interface HistoryState extends HistoryShape {
  /** Keys of the workloads (`podKey`), ascending, one for each row. */
  readonly workloads: readonly string[];
  /** The row of each group in `workloads`, ascending. */
  readonly groups: Uint32Array;
  /** The hour at each position, -1 where none is known. */
  readonly hours: Int32Array;
  /** How many pods were there in that hour. */
  readonly pods: Uint32Array;
  readonly columns: HistoryColumns;
}

/** Features that a column has cells of, for each row and hour. */
export function featuresOf(shape: HistoryShape, name: HistoryColumnName): number {
  const { features } = HISTORY_COLUMNS[name];
  return features === 'none' ? 1 : shape[features].length;
}

/** Cells of each column for one row. */
export function cellsPerRow(shape: HistoryShape): Readonly<Record<HistoryColumnName, number>> {
  const sizes = COLUMN_NAMES.map((name) => {
    const { cellsPerHour } = HISTORY_COLUMNS[name];
    return [name, featuresOf(shape, name) * shape.days * HOURS_PER_DAY * cellsPerHour];
  });
  return Object.fromEntries(sizes) as Record<HistoryColumnName, number>;
}

/** Memory for rows grows by this factor when it is used up. */
const GROWTH = 1.1;
const FIRST_ROWS = 64;

/** Workloads that are added, copied or forgotten at a stretch: a few milliseconds of work. */
const WORKLOADS_PER_TURN = 256;

/** The memory of all workloads over some days. Hours may be added in any order. */
export class WorkloadHistory implements HistoryShape {
  readonly days: number;
  readonly gauges: readonly string[];
  readonly counters: readonly string[];
  readonly #cells: Readonly<Record<HistoryColumnName, number>>;
  #workloads: string[] = [];
  #rows = new Map<string, number>();
  /** Row in `#workloads` of each group, and the group of each row, -1 where it has none. */
  #groups: number[] = [];
  #groupOf: number[] = [];
  readonly #hours: Int32Array;
  readonly #pods: Uint32Array;
  readonly #columns: Record<HistoryColumnName, Uint16Array | Uint8Array>;

  /** @param from takes over the arrays of a state, or begins with an empty history. */
  constructor(from: HistoryShape | HistoryState) {
    this.days = from.days;
    this.gauges = from.gauges;
    this.counters = from.counters;
    this.#cells = cellsPerRow(from);
    if ('columns' in from) {
      this.#workloads = [...from.workloads];
      this.#groups = [...from.groups];
      this.#index();
      this.#hours = from.hours;
      this.#pods = from.pods;
      this.#columns = { ...from.columns };
      return;
    }
    this.#hours = new Int32Array(this.hours).fill(-1);
    this.#pods = new Uint32Array(this.hours);
    this.#columns = {
      levels: new Uint16Array(0),
      extremes: new Uint8Array(0),
      rises: new Uint8Array(0),
      releases: new Uint8Array(0),
      siblings: new Uint8Array(0),
    };
  }

  #index(): void {
    this.#rows = new Map(this.#workloads.map((key, row) => [key, row]));
    this.#groupOf = this.#workloads.map(() => -1);
    for (const [group, row] of this.#groups.entries()) this.#groupOf[row] = group;
  }

  /** How many hours it holds when it is full. */
  get hours(): number {
    return this.days * HOURS_PER_DAY;
  }

  /** Keys of the workloads, one for each row. */
  get workloads(): readonly string[] {
    return this.#workloads;
  }

  /** Row of a workload, -1 where it is not known. */
  rowOf(key: string): number {
    return this.#rows.get(key) ?? -1;
  }

  knows(hour: number): boolean {
    return hour >= 0 && this.#hours[hour % this.hours] === hour;
  }

  /** The hours up to one that it can hold, ascending. */
  range(upToHour: number): number[] {
    const first = Math.max(0, upToHour - this.hours + 1);
    return Array.from({ length: upToHour + 1 - first }, (_, index) => first + index);
  }

  knownHours(upToHour: number): number[] {
    return this.range(upToHour).filter((hour) => this.knows(hour));
  }

  /** The pods that were there in a known hour; 0 for another. */
  podsIn(hour: number): number {
    return this.knows(hour) ? (this.#pods[hour % this.hours] as number) : 0;
  }

  /** The most pods of any known hour. */
  get mostPods(): number {
    return this.#pods.reduce((most, pods) => Math.max(most, pods), 0);
  }

  /** Adds an hour, in the place of the one that many days before. An hour that is known, or too old, changes nothing. */
  add(summary: HourSummary): void {
    finish(this.#addInSteps(summary));
  }

  /** Does the same; `pause` is awaited every few milliseconds, so that other work has its turn. */
  addInTurns(summary: HourSummary, pause: () => Promise<unknown>): Promise<void> {
    return finishInTurns(this.#addInSteps(summary), pause);
  }

  *#addInSteps(summary: HourSummary): Generator<undefined, void> {
    const { hour } = summary;
    const slot = hour % this.hours;
    if ((this.#hours[slot] as number) >= hour) return;
    yield* this.#forget(slot);
    const gauges = this.gauges.map((name) => summary.gauges.indexOf(name));
    const counters = this.counters.map((name) => summary.counters.indexOf(name));
    const newcomers = summary.workloads.filter((key) => !this.#rows.has(key)).length;
    yield* this.#makeRoom('workloads', this.#workloads.length + newcomers);
    yield;
    for (const [own, key] of summary.workloads.entries()) {
      if (isEndOfTurn(own)) yield;
      const row = this.#rowFor(key);
      for (const [gauge, column] of gauges.entries()) {
        if (column >= 0) this.#writeGauge(summary, own * summary.gauges.length + column, row, gauge, slot);
      }
      for (const [counter, column] of counters.entries()) {
        const rise = column < 0 ? Number.NaN : (summary.rises[own * summary.counters.length + column] as number);
        const code = Number.isNaN(rise) ? UNKNOWN_DEVIATION : Math.min(Math.round(rise), UNKNOWN_DEVIATION - 1);
        this.#columns.rises[this.#cell('rises', row, counter, slot)] = code;
      }
      this.#columns.releases[this.#cell('releases', row, 0, slot)] = summary.releases[own] as number;
    }
    // Known only now that it is complete: what reads between two steps does not find half of it.
    this.#hours[slot] = hour;
    this.#pods[slot] = summary.pods;
    yield;
    yield* this.#dropRarest();
  }

  /** Forgets what is older than its days, and the future: a clock that was set makes both of what was neither. */
  forgetAllBut(newestHour: number): void {
    finish(this.#forgetAllButInSteps(newestHour));
  }

  /** Does the same; `pause` is awaited every few milliseconds, so that other work has its turn. */
  forgetAllButInTurns(newestHour: number, pause: () => Promise<unknown>): Promise<void> {
    return finishInTurns(this.#forgetAllButInSteps(newestHour), pause);
  }

  *#forgetAllButInSteps(newestHour: number): Generator<undefined, void> {
    for (const [slot, hour] of this.#hours.entries()) {
      if (hour > newestHour || hour <= newestHour - this.hours) yield* this.#forget(slot);
    }
  }

  /** @param from cell in the summary. */
  #writeGauge({ bins, siblings: ofAll }: HourSummary, from: number, row: number, gauge: number, slot: number): void {
    const own = ofAll.subarray(from * SIBLING_FIELDS.length);
    const fields = bins.subarray(from * BINS_PER_HOUR * BIN_FIELDS.length);
    const levels = this.#cell('levels', row, gauge, slot);
    for (let bin = 0; bin < BINS_PER_HOUR; bin++) {
      const code = encodeLevel(fields[bin * BIN_FIELDS.length] as number);
      this.#columns.levels[levels + bin] = code;
      const level = decodeLevel(code);
      for (let extreme = 0; extreme < EXTREMES; extreme++) {
        const distance = ((fields[bin * BIN_FIELDS.length + 1 + extreme] as number) - level) * sideOf(extreme);
        this.#columns.extremes[(levels + bin) * EXTREMES + extreme] = encodeDeviation(distance);
      }
    }
    if (Number.isNaN(own[0])) return;
    const siblings = this.#cell('siblings', this.#groupFor(row), gauge, slot);
    for (let field = 0; field < SIBLING_FIELDS.length; field++) {
      this.#columns.siblings[siblings + field] = encodeDeviation(own[field] as number);
    }
  }

  /**
   * A field of all half hours of some hours: levels, `NaN` where they are not known.
   *
   * @param field position in `BIN_FIELDS`.
   * @param firstHour of the hours to read; `into` has room for `BINS_PER_HOUR` values of each.
   */
  copyBins(row: number, gauge: number, field: number, firstHour: number, into: Float64Array): void {
    into.fill(Number.NaN);
    const first = this.#cell('levels', row, gauge, 0);
    for (let bin = 0; bin < into.length; bin++) {
      const hour = firstHour + Math.floor(bin / BINS_PER_HOUR);
      if (!this.knows(hour)) continue;
      const cell = first + (hour % this.hours) * BINS_PER_HOUR + (bin % BINS_PER_HOUR);
      into[bin] = decodeLevel(this.#columns.levels[cell] as number);
      if (field === 0) continue;
      const extreme = field - 1;
      const distance = decodeDeviation(this.#columns.extremes[cell * EXTREMES + extreme] as number);
      into[bin] = (into[bin] as number) + sideOf(extreme) * distance;
    }
  }

  /**
   * The largest deviation of any pod from its siblings in each of some hours, at least 0; `NaN` where it is not known.
   *
   * @param field position in `SIBLING_FIELDS`.
   * @param firstHour of the hours to read; `into` has room for one value of each.
   */
  copySiblings(row: number, gauge: number, field: number, firstHour: number, into: Float64Array): void {
    into.fill(Number.NaN);
    const group = this.#groupOf[row] as number;
    if (group < 0) return;
    const first = this.#cell('siblings', group, gauge, 0) + field;
    for (let index = 0; index < into.length; index++) {
      const hour = firstHour + index;
      if (!this.knows(hour)) continue;
      const code = this.#columns.siblings[first + (hour % this.hours) * SIBLING_FIELDS.length] as number;
      into[index] = decodeDeviation(code);
    }
  }

  /** The largest rise of a counter of any pod in an hour; `NaN` where it is not known. */
  riseAt(row: number, counter: number, hour: number): number {
    if (!this.knows(hour)) return Number.NaN;
    const code = this.#columns.rises[this.#cell('rises', row, counter, hour % this.hours)] as number;
    return code === UNKNOWN_DEVIATION ? Number.NaN : code;
  }

  /** When a workload was released in an hour, Unix time in seconds; `NaN` where it was not, or where that is not known. */
  releaseAt(row: number, hour: number): number {
    if (!this.knows(hour)) return Number.NaN;
    const instant = this.#columns.releases[this.#cell('releases', row, 0, hour % this.hours)] as number;
    return instant === 0 ? Number.NaN : hour * HOUR_SECONDS + instant * HISTORY_STEP_SECONDS;
  }

  /**
   * All of it, as a copy without room for more, and without workloads that are known for no hour any more. The same hours
   * make the same state, in whatever order they came, unless there were too many workloads to keep all.
   */
  state(): HistoryState {
    return finish(this.#stateInSteps());
  }

  /** Does the same; `pause` is awaited every few milliseconds. Nothing may change meanwhile. */
  stateInTurns(pause: () => Promise<unknown>): Promise<HistoryState> {
    return finishInTurns(this.#stateInSteps(), pause);
  }

  *#stateInSteps(): Generator<undefined, HistoryState> {
    const rows: number[] = [];
    for (const row of this.#workloads.keys()) {
      if (isEndOfTurn(row)) yield;
      if (this.#isKnown(row)) rows.push(row);
    }
    rows.sort((a, b) => ((this.#workloads[a] as string) < (this.#workloads[b] as string) ? -1 : 1));
    const groups = rows.map((row) => this.#groupOf[row] as number).filter((group) => group >= 0);
    const places = new Map(rows.map((row, place) => [row, place]));
    const columns: [HistoryColumnName, Uint16Array | Uint8Array][] = [];
    for (const name of COLUMN_NAMES) {
      const kept = HISTORY_COLUMNS[name].rows === 'workloads' ? rows : groups;
      columns.push([name, yield* this.#copyRows(name, kept, kept.length)]);
    }
    return {
      days: this.days,
      gauges: this.gauges,
      counters: this.counters,
      workloads: rows.map((row) => this.#workloads[row] as string),
      groups: Uint32Array.from(groups, (group) => places.get(this.#groups[group] as number) as number),
      hours: this.#hours.slice(),
      pods: this.#pods.slice(),
      columns: Object.fromEntries(columns) as unknown as HistoryColumns,
    };
  }

  /** Memory of the columns, in bytes. */
  get sizeBytes(): number {
    return COLUMN_NAMES.reduce((sum, name) => sum + this.#columns[name].byteLength, 0);
  }

  /** The first cell of an hour of a feature. */
  #cell(name: HistoryColumnName, row: number, feature: number, slot: number): number {
    const { cellsPerHour } = HISTORY_COLUMNS[name];
    return row * this.#cells[name] + (feature * this.hours + slot) * cellsPerHour;
  }

  #rowFor(key: string): number {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = this.#workloads.length;
    finish(this.#makeRoom('workloads', row + 1));
    this.#workloads.push(key);
    this.#groupOf.push(-1);
    this.#rows.set(key, row);
    return row;
  }

  #groupFor(row: number): number {
    const known = this.#groupOf[row] as number;
    if (known >= 0) return known;
    const group = this.#groups.length;
    finish(this.#makeRoom('groups', group + 1));
    this.#groups.push(row);
    this.#groupOf[row] = group;
    return group;
  }

  *#makeRoom(table: HistoryColumn['rows'], rows: number): Generator<undefined, void> {
    for (const name of COLUMN_NAMES) {
      const size = this.#cells[name];
      const old = this.#columns[name];
      if (HISTORY_COLUMNS[name].rows !== table || old.length >= rows * size) continue;
      const room = Math.max(FIRST_ROWS, Math.ceil(rows * GROWTH));
      const grown = emptyColumn(name, room * size);
      for (let row = 0; row < room; row++) {
        if (isEndOfTurn(row)) yield;
        const [start, end] = [row * size, (row + 1) * size];
        if (end <= old.length) grown.set(old.subarray(start, end), start);
        else grown.fill(HISTORY_COLUMNS[name].unknown, start, end);
      }
      this.#columns[name] = grown;
    }
  }

  /** Forgets the hour at a position. */
  *#forget(slot: number): Generator<undefined, void> {
    if (this.#hours[slot] === -1) return;
    this.#hours[slot] = -1;
    this.#pods[slot] = 0;
    for (const name of COLUMN_NAMES) {
      const { cellsPerHour, unknown } = HISTORY_COLUMNS[name];
      const [first, distance] = [slot * cellsPerHour, this.hours * cellsPerHour];
      for (let line = 0; first + line * distance < this.#columns[name].length; line++) {
        if (isEndOfTurn(line)) yield;
        this.#columns[name].fill(unknown, first + line * distance, first + line * distance + cellsPerHour);
      }
    }
  }

  /**
   * Where there are more workloads than there were pods in any hour, forgets those that were there for the fewest hours,
   * of these the ones that were not seen for the longest time: jobs under names that never come again would fill the
   * memory otherwise.
   */
  *#dropRarest(): Generator<undefined, void> {
    const most = Math.max(FIRST_ROWS, this.mostPods);
    if (this.#workloads.length <= most * GROWTH) return;
    const hours: KnownHours[] = [];
    for (const row of this.#workloads.keys()) {
      if (isEndOfTurn(row)) yield;
      hours.push(this.#hoursOf(row));
    }
    const order = [...this.#workloads.keys()].sort((a, b) => {
      const [one, other] = [hours[a] as KnownHours, hours[b] as KnownHours];
      const byName = (this.#workloads[a] as string) < (this.#workloads[b] as string) ? -1 : 1;
      return other.count - one.count || other.newest - one.newest || byName;
    });
    const kept = order.slice(0, most).sort((a, b) => a - b);
    const keptGroups = kept.map((row) => this.#groupOf[row] as number).filter((group) => group >= 0);
    for (const name of COLUMN_NAMES) {
      const rows = HISTORY_COLUMNS[name].rows === 'workloads' ? kept : keptGroups;
      this.#columns[name] = yield* this.#copyRows(name, rows, Math.ceil(rows.length * GROWTH));
    }
    const newRows = new Map(kept.map((row, position) => [row, position]));
    this.#groups = keptGroups.map((group) => newRows.get(this.#groups[group] as number) as number);
    this.#workloads = kept.map((row) => this.#workloads[row] as string);
    this.#index();
  }

  /** Whether a workload was there in any hour. */
  #isKnown(row: number): boolean {
    for (let slot = 0; slot < this.hours; slot++) {
      if (this.#hours[slot] !== -1 && this.#isThere(row, slot)) return true;
    }
    return false;
  }

  /** The hours that a workload was there. */
  #hoursOf(row: number): KnownHours {
    const known: KnownHours = { count: 0, newest: -1 };
    for (let slot = 0; slot < this.hours; slot++) {
      if (this.#hours[slot] === -1 || !this.#isThere(row, slot)) continue;
      known.count++;
      known.newest = Math.max(known.newest, this.#hours[slot] as number);
    }
    return known;
  }

  /** Whether anything is known of a workload in an hour. */
  #isThere(row: number, slot: number): boolean {
    const { levels, rises } = this.#columns;
    for (let counter = 0; counter < this.counters.length; counter++) {
      if (rises[this.#cell('rises', row, counter, slot)] !== UNKNOWN_DEVIATION) return true;
    }
    for (let gauge = 0; gauge < this.gauges.length; gauge++) {
      const cell = this.#cell('levels', row, gauge, slot);
      for (let half = 0; half < BINS_PER_HOUR; half++) if (levels[cell + half] !== UNKNOWN_LEVEL) return true;
    }
    return false;
  }

  /** Some rows of a column, in the given order, with room for others. */
  *#copyRows(
    name: HistoryColumnName,
    rows: readonly number[],
    room: number,
  ): Generator<undefined, Uint16Array | Uint8Array> {
    const size = this.#cells[name];
    const column = this.#columns[name];
    const copied = emptyColumn(name, room * size);
    for (const [to, from] of rows.entries()) {
      if (isEndOfTurn(to)) yield;
      copied.set(column.subarray(from * size, (from + 1) * size), to * size);
    }
    return copied.fill(HISTORY_COLUMNS[name].unknown, rows.length * size);
  }
}

const isEndOfTurn = (index: number) => index % WORKLOADS_PER_TURN === WORKLOADS_PER_TURN - 1;

interface KnownHours {
  count: number;
  /** -1 without one. */
  newest: number;
}

/** Cells of which nothing is known. */
export function newColumn(name: HistoryColumnName, length: number): Uint16Array | Uint8Array {
  return emptyColumn(name, length).fill(HISTORY_COLUMNS[name].unknown);
}

/** Cells that are still to be written. */
function emptyColumn(name: HistoryColumnName, length: number): Uint16Array | Uint8Array {
  return name === 'levels' ? new Uint16Array(length) : new Uint8Array(length);
}

/** Extremes come in pairs: one above the level, one below it. */
function sideOf(extreme: number): 1 | -1 {
  return extreme % 2 === 0 ? 1 : -1;
}

/** A level in two bytes. */
export function encodeLevel(level: number): number {
  if (Number.isNaN(level)) return UNKNOWN_LEVEL;
  return Math.max(0, Math.min(UNKNOWN_LEVEL - 1, Math.round(level / LEVEL_STEP) + LEVEL_ZERO));
}

/** The level that `encodeLevel` made two bytes of, to `LEVEL_STEP`. */
export function decodeLevel(code: number): number {
  return code === UNKNOWN_LEVEL ? Number.NaN : (code - LEVEL_ZERO) * LEVEL_STEP;
}

/** Rounded up: what is remembered is not less than what was. */
function encodeDeviation(deviation: number): number {
  if (Number.isNaN(deviation)) return UNKNOWN_DEVIATION;
  return Math.max(0, Math.min(UNKNOWN_DEVIATION - 1, Math.ceil(deviation / DEVIATION_STEP - 1e-6)));
}

function decodeDeviation(code: number): number {
  return code === UNKNOWN_DEVIATION ? Number.NaN : code * DEVIATION_STEP;
}
