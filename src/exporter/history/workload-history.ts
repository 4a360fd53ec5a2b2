/** What workloads did during the last days: hour by hour, in bounded memory, the same whatever the order of the hours. */

import { BINS_PER_HOUR, HOURS_PER_DAY } from './grid.js';
import { BIN_FIELDS, HOURLY_VIEWS, type HourSummary } from './hour-summary.js';

/** Levels are kept to this precision: half a percent of the value. */
const LEVEL_STEP = 0.005;
/** A level of 0; levels reach from -160 to 160 and further ones are cut off. */
const LEVEL_ZERO = 32_768;
const UNKNOWN_LEVEL = 65_535;

/** Deviations and distances from a level are kept to this precision, up to 5: a factor of 160. */
const DEVIATION_STEP = 0.02;
const UNKNOWN_DEVIATION = 255;

/** Distances of the other fields of a bin from its level. */
const DISTANCES = BIN_FIELDS.length - 1;
/** `high` and `middleHigh` are above the level, `low` and `middleLow` below it. */
const SIDES = [1, -1, 1, -1] as const;

/** Memory grows by this factor when it is used up. */
const GROWTH = 1.25;
const FIRST_ROWS = 64;

/** The columns of a history. Rows are workloads; within a row, hours stand at their number modulo all hours. */
export interface HistoryColumns {
  /** rows × gauges × hours × `BINS_PER_HOUR`. */
  readonly levels: Uint16Array;
  /** rows × gauges × hours × `BINS_PER_HOUR` × `DISTANCES`. */
  readonly distances: Uint8Array;
  /** rows × gauges × hours × `HOURLY_VIEWS`. */
  readonly maxima: Uint8Array;
  /** rows × counters × hours. */
  readonly rises: Uint8Array;
}

/** A history as plain data: it can be copied to another thread, and written to a file. */
export interface HistoryState extends HistoryColumns {
  readonly days: number;
  readonly gauges: readonly string[];
  readonly counters: readonly string[];
  /** Keys of the workloads (`podKey`), one for each row. */
  readonly workloads: readonly string[];
  /** The hour at each position, -1 where none is known. */
  readonly hours: Int32Array;
  /** Pods of that hour. */
  readonly pods: Uint32Array;
}

/** A bin of a workload and gauge: levels (`levelOf`), `NaN` where they are not known. */
export type Bin = Readonly<Record<(typeof BIN_FIELDS)[number], number>>;

/** The names of the features of a history, by type. */
export interface HistoryFeatures {
  readonly gauges: readonly string[];
  readonly counters: readonly string[];
}

/** The memory of all workloads over some days. */
export class WorkloadHistory {
  readonly days: number;
  readonly gauges: readonly string[];
  readonly counters: readonly string[];
  #workloads: string[];
  #rows: Map<string, number>;
  readonly #hours: Int32Array;
  readonly #pods: Uint32Array;
  #columns: HistoryColumns;
  #capacity: number;

  /** @param days how far back it reaches, at least 1. */
  constructor(days: number, { gauges, counters }: HistoryFeatures);
  /** Takes over the arrays of a state. */
  constructor(state: HistoryState);
  constructor(daysOrState: number | HistoryState, features?: HistoryFeatures) {
    const state = typeof daysOrState === 'number' ? undefined : daysOrState;
    this.days = state?.days ?? (daysOrState as number);
    this.gauges = (state ?? (features as HistoryFeatures)).gauges;
    this.counters = (state ?? (features as HistoryFeatures)).counters;
    this.#workloads = [...(state?.workloads ?? [])];
    this.#rows = new Map(this.#workloads.map((key, row) => [key, row]));
    this.#hours = state?.hours ?? new Int32Array(this.hours).fill(-1);
    this.#pods = state?.pods ?? new Uint32Array(this.hours);
    this.#capacity = state === undefined ? 0 : this.#workloads.length;
    this.#columns = state ?? this.#allocate(0);
  }

  /** How many hours it holds when it is full. */
  get hours(): number {
    return this.days * HOURS_PER_DAY;
  }

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

  /** The known hours among the last `hours` up to one, ascending. */
  knownHours(upToHour: number): number[] {
    return this.#range(upToHour).filter((hour) => this.knows(hour));
  }

  /** The hours up to one that are not known yet, the newest first. */
  missingHours(upToHour: number): number[] {
    return this.#range(upToHour)
      .filter((hour) => !this.knows(hour))
      .reverse();
  }

  #range(upToHour: number): number[] {
    return Array.from({ length: this.hours }, (_, index) => upToHour - this.hours + 1 + index).filter((h) => h >= 0);
  }

  /** Adds an hour, in the place of the one that many days before. An hour that is known, or too old, changes nothing. */
  add(summary: HourSummary): void {
    const { hour } = summary;
    const slot = hour % this.hours;
    if ((this.#hours[slot] as number) >= hour) return;
    if (this.#hours[slot] !== -1) this.#clear(slot);
    this.#hours[slot] = hour;
    this.#pods[slot] = summary.pods;
    const gaugeColumns = this.gauges.map((name) => summary.gauges.indexOf(name));
    const counterColumns = this.counters.map((name) => summary.counters.indexOf(name));
    for (const [own, key] of summary.workloads.entries()) {
      const row = this.#rowFor(key);
      gaugeColumns.forEach((column, gauge) => {
        if (column >= 0) this.#writeGauge(summary, own * summary.gauges.length + column, row, gauge, slot);
      });
      counterColumns.forEach((column, counter) => {
        const rise = column < 0 ? Number.NaN : (summary.rises[own * summary.counters.length + column] as number);
        this.#columns.rises[(row * this.counters.length + counter) * this.hours + slot] = Number.isNaN(rise)
          ? UNKNOWN_DEVIATION
          : Math.min(Math.round(rise), UNKNOWN_DEVIATION - 1);
      });
    }
    this.#dropRarest();
  }

  #writeGauge({ bins, maxima }: HourSummary, from: number, row: number, gauge: number, slot: number): void {
    const to = (row * this.gauges.length + gauge) * this.hours + slot;
    for (let bin = 0; bin < BINS_PER_HOUR; bin++) {
      const source = (from * BINS_PER_HOUR + bin) * BIN_FIELDS.length;
      const target = to * BINS_PER_HOUR + bin;
      const level = bins[source] as number;
      this.#columns.levels[target] = encodeLevel(level);
      const kept = decodeLevel(this.#columns.levels[target] as number);
      for (let field = 0; field < DISTANCES; field++) {
        const distance = ((bins[source + 1 + field] as number) - kept) * (SIDES[field] as number);
        this.#columns.distances[target * DISTANCES + field] = encodeDeviation(distance);
      }
    }
    for (let view = 0; view < HOURLY_VIEWS.length; view++) {
      const value = maxima[from * HOURLY_VIEWS.length + view] as number;
      this.#columns.maxima[to * HOURLY_VIEWS.length + view] = encodeDeviation(value);
    }
  }

  /**
   * The half hours of a workload and gauge.
   *
   * @param field position in `BIN_FIELDS`.
   * @param hour any; where it is not known, the result is `NaN`.
   * @param half 0 or 1: the first or second half of the hour.
   */
  binAt(row: number, gauge: number, hour: number, half: number, field: number): number {
    if (!this.knows(hour)) return Number.NaN;
    const cell = ((row * this.gauges.length + gauge) * this.hours + (hour % this.hours)) * BINS_PER_HOUR + half;
    const level = decodeLevel(this.#columns.levels[cell] as number);
    if (field === 0) return level;
    const distance = decodeDeviation(this.#columns.distances[cell * DISTANCES + field - 1] as number);
    return level + (SIDES[field - 1] as number) * distance;
  }

  /** The largest deviation of any pod in an hour; 0 stands for none above it. @param view position in `HOURLY_VIEWS`. */
  maximumAt(row: number, gauge: number, hour: number, view: number): number {
    if (!this.knows(hour)) return Number.NaN;
    const cell = (row * this.gauges.length + gauge) * this.hours + (hour % this.hours);
    return decodeDeviation(this.#columns.maxima[cell * HOURLY_VIEWS.length + view] as number);
  }

  /** The largest rise of any pod in an hour. */
  riseAt(row: number, counter: number, hour: number): number {
    if (!this.knows(hour)) return Number.NaN;
    const rise = this.#columns.rises[(row * this.counters.length + counter) * this.hours + (hour % this.hours)];
    return rise === UNKNOWN_DEVIATION ? Number.NaN : (rise as number);
  }

  /** All of it, without room for more. The arrays are copies. */
  state(): HistoryState {
    const rows = this.#workloads.length;
    const cells = sizesOf(rows, this);
    const { levels, distances, maxima, rises } = this.#columns;
    return {
      days: this.days,
      gauges: this.gauges,
      counters: this.counters,
      workloads: [...this.#workloads],
      hours: this.#hours.slice(),
      pods: this.#pods.slice(),
      levels: levels.slice(0, cells.levels),
      distances: distances.slice(0, cells.distances),
      maxima: maxima.slice(0, cells.maxima),
      rises: rises.slice(0, cells.rises),
    };
  }

  /** Memory of the columns, in bytes. */
  get sizeBytes(): number {
    const { levels, distances, maxima, rises } = this.#columns;
    return levels.byteLength + distances.byteLength + maxima.byteLength + rises.byteLength;
  }

  #rowFor(key: string): number {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = this.#workloads.length;
    if (row >= this.#capacity) {
      this.#capacity = Math.max(FIRST_ROWS, Math.ceil(row * GROWTH));
      const columns = this.#allocate(this.#capacity);
      for (const name of COLUMN_NAMES) columns[name].set(this.#columns[name]);
      this.#columns = columns;
    }
    this.#workloads.push(key);
    this.#rows.set(key, row);
    return row;
  }

  #allocate(rows: number): HistoryColumns {
    const sizes = sizesOf(rows, this);
    return {
      levels: new Uint16Array(sizes.levels).fill(UNKNOWN_LEVEL),
      distances: new Uint8Array(sizes.distances).fill(UNKNOWN_DEVIATION),
      maxima: new Uint8Array(sizes.maxima).fill(UNKNOWN_DEVIATION),
      rises: new Uint8Array(sizes.rises).fill(UNKNOWN_DEVIATION),
    };
  }

  /** Forgets an hour. */
  #clear(slot: number): void {
    const unknown = { levels: UNKNOWN_LEVEL, distances: UNKNOWN_DEVIATION, maxima: UNKNOWN_DEVIATION } as const;
    const widths = { levels: BINS_PER_HOUR, distances: BINS_PER_HOUR * DISTANCES, maxima: HOURLY_VIEWS.length };
    for (let cell = slot; cell < this.#workloads.length * this.gauges.length * this.hours; cell += this.hours) {
      for (const name of ['levels', 'distances', 'maxima'] as const) {
        this.#columns[name].fill(unknown[name], cell * widths[name], (cell + 1) * widths[name]);
      }
    }
    for (let cell = slot; cell < this.#workloads.length * this.counters.length * this.hours; cell += this.hours) {
      this.#columns.rises[cell] = UNKNOWN_DEVIATION;
    }
  }

  /**
   * Where there are more workloads than there ever were pods, forgets those that were there for the fewest hours: jobs
   * under names that never come again would fill the memory otherwise.
   */
  #dropRarest(): void {
    const most = Math.max(FIRST_ROWS, ...this.#pods);
    if (this.#workloads.length <= most * GROWTH) return;
    const hours = this.#workloads.map((_, row) => this.#hoursOf(row));
    const order = [...this.#workloads.keys()].sort(
      (a, b) =>
        (hours[b] as number) - (hours[a] as number) ||
        ((this.#workloads[a] as string) < (this.#workloads[b] as string) ? -1 : 1),
    );
    this.#keepRows(order.slice(0, most).sort((a, b) => a - b));
  }

  /** For how many hours a workload is known. */
  #hoursOf(row: number): number {
    const start = row * this.gauges.length * this.hours * BINS_PER_HOUR;
    let count = 0;
    for (let cell = start; cell < start + this.hours * BINS_PER_HOUR; cell += BINS_PER_HOUR) {
      for (let half = 0; half < BINS_PER_HOUR; half++) {
        if (this.#columns.levels[cell + half] === UNKNOWN_LEVEL) continue;
        count++;
        break;
      }
    }
    return count;
  }

  #keepRows(kept: readonly number[]): void {
    const sizes = sizesOf(1, this);
    kept.forEach((from, to) => {
      for (const name of COLUMN_NAMES) {
        this.#columns[name].copyWithin(to * sizes[name], from * sizes[name], (from + 1) * sizes[name]);
      }
    });
    const unknown = { levels: UNKNOWN_LEVEL, distances: UNKNOWN_DEVIATION, maxima: UNKNOWN_DEVIATION } as const;
    for (const name of COLUMN_NAMES) {
      this.#columns[name].fill(name === 'rises' ? UNKNOWN_DEVIATION : unknown[name], kept.length * sizes[name]);
    }
    this.#workloads = kept.map((row) => this.#workloads[row] as string);
    this.#rows = new Map(this.#workloads.map((key, row) => [key, row]));
  }
}

const COLUMN_NAMES = ['levels', 'distances', 'maxima', 'rises'] as const;

/** Cells of each column for some rows. */
export function sizesOf(
  rows: number,
  { days, gauges, counters }: Pick<HistoryState, 'days' | 'gauges' | 'counters'>,
): Record<keyof HistoryColumns, number> {
  const hours = rows * days * HOURS_PER_DAY;
  const bins = hours * gauges.length * BINS_PER_HOUR;
  return {
    levels: bins,
    distances: bins * DISTANCES,
    maxima: hours * gauges.length * HOURLY_VIEWS.length,
    rises: hours * counters.length,
  };
}

function encodeLevel(level: number): number {
  if (Number.isNaN(level)) return UNKNOWN_LEVEL;
  return Math.max(0, Math.min(UNKNOWN_LEVEL - 1, Math.round(level / LEVEL_STEP) + LEVEL_ZERO));
}

function decodeLevel(code: number): number {
  return code === UNKNOWN_LEVEL ? Number.NaN : (code - LEVEL_ZERO) * LEVEL_STEP;
}

/** Rounded up: what is remembered is not less than what was. */
function encodeDeviation(deviation: number): number {
  if (Number.isNaN(deviation)) return UNKNOWN_DEVIATION;
  return Math.max(0, Math.min(UNKNOWN_DEVIATION - 1, Math.ceil(deviation / DEVIATION_STEP)));
}

function decodeDeviation(code: number): number {
  return code === UNKNOWN_DEVIATION ? Number.NaN : code * DEVIATION_STEP;
}
