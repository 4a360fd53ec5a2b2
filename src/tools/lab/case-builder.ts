/** From the lines of a file to a case: the pure part of reading. */

import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import { LEAST_SPREAD_FLOOR } from '../../exporter/features/feature-spec.js';
import { comparePods, podKey } from '../../exporter/features/table.js';
import { LARGEST_VALUE } from '../../exporter/features/table-builder.js';
import { workloadFromName } from '../../exporter/features/workload.js';
import { quantileInPlace } from '../../lib/statistics.js';
import { BIN_SECONDS, type Case, type Defect, type PodMinutes } from './case.js';
import { type Counts, count, sumCounts } from './counts.js';
import { splitFields } from './csv.js';
import type { Layout } from './layout.js';
import { type HourRange, MinuteBins, type MinuteSeries, seriesOf } from './minute-bins.js';

/** Later than the year 5000 in seconds: milliseconds, or something else. */
const LATEST_TIMESTAMP_SECONDS = 1e11;

/** Hours without any row that part a stray timestamp from the case. */
const FAR_HOURS = 7 * 24;

/** Share of a usual value that is a spread at the least, for columns whose unit nobody knows. */
const DERIVED_FLOOR_SHARE = 0.01;

/** A namespace and a pod, each without separators, quotes and blanks. Stricter than this is not our business. */
const POD_KEY = /^[^\s/",]+\/[^\s/",]+$/;

interface GrowingPod {
  readonly bins: MinuteBins;
  lastTimestampSeconds: number;
}

/** What a case has besides what is in its lines. */
export interface CaseDetails {
  readonly name: string;
  /** Columns that hold no value, and were passed over. */
  readonly emptyColumns: readonly string[];
  /** Minutes at the start that are only learned from, counted from the first sample. */
  readonly learningMinutes: number;
  /** Workload of a pod, by its key (`podKey`); the names of the others tell. */
  readonly workloads: ReadonlyMap<string, string>;
}

/** Takes lines in any order and gives a case. Holds one value for each pod, minute and column, not the rows. */
export class CaseBuilder {
  readonly #layout: Layout;
  readonly #pods = new Map<string, GrowingPod>();
  readonly #rowsOfHour = new Map<number, number>();
  readonly #valuesOfColumn: number[];
  readonly #defects = new Map<Defect, number>();
  #rows = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#valuesOfColumn = layout.columns.map(() => 0);
  }

  /** Counts a defect that has no line number. */
  defect(reason: Defect): void {
    count(this.#defects, reason);
  }

  /** Adds a row. One that cannot be used is counted by reason; a blank line is passed over. */
  addLine(line: string): void {
    if (line.trim() === '') return;
    this.#rows++;
    const problem = this.#addRow(splitFields(line));
    if (problem !== undefined) this.defect(problem);
  }

  /** Why a row was left out; `undefined` when it was not. */
  #addRow(fields: readonly string[]): Defect | undefined {
    const { timestamp, namespace, pod, fields: expected } = this.#layout;
    // Some programs end each line with a comma.
    const hasComma = fields.length === expected + 1 && fields[expected] === '';
    if (fields.length !== expected && !hasComma) return 'field_count';
    const seconds = Number(fields[timestamp]);
    if (!(seconds > 0 && seconds < LATEST_TIMESTAMP_SECONDS)) return 'bad_timestamp';
    const growing = this.#pod(fields[namespace] as string, fields[pod] as string);
    if (typeof growing === 'string') return growing;
    if (seconds < growing.lastTimestampSeconds) this.defect('out_of_order');
    growing.lastTimestampSeconds = seconds;
    const hour = Math.floor(seconds / 3600);
    this.#rowsOfHour.set(hour, (this.#rowsOfHour.get(hour) ?? 0) + 1);
    return this.#addValues(growing, seconds, fields);
  }

  /** The pod of a row, or why it cannot be one. */
  #pod(namespace: string, pod: string): GrowingPod | Defect {
    const key = podKey(namespace, pod);
    const known = this.#pods.get(key);
    if (known !== undefined) return known;
    if (namespace.trim() === '' || pod.trim() === '') return 'no_name';
    if (!POD_KEY.test(key)) return 'bad_name';
    const growing: GrowingPod = {
      bins: new MinuteBins(this.#layout.columns.map(({ reduction }) => reduction)),
      lastTimestampSeconds: Number.NEGATIVE_INFINITY,
    };
    this.#pods.set(key, growing);
    return growing;
  }

  #addValues(pod: GrowingPod, seconds: number, fields: readonly string[]): Defect | undefined {
    let duplicate = false;
    const { columns } = this.#layout;
    for (let column = 0; column < columns.length; column++) {
      const text = fields[columns[column]?.position as number] as string;
      const value = Number(text);
      // `Number` makes 0 of a blank text.
      if (value === 0 && text.trim() === '') this.defect('empty_value');
      else if (!(Math.abs(value) <= LARGEST_VALUE)) this.defect('not_a_number');
      else if (value < 0) this.defect('negative_value');
      else if (!pod.bins.add(seconds, column, value)) duplicate = true;
      else this.#valuesOfColumn[column] = (this.#valuesOfColumn[column] as number) + 1;
    }
    return duplicate ? 'duplicate' : undefined;
  }

  /** Names of the columns that have had no value, while others had. */
  emptyColumns(): readonly string[] {
    if (this.#valuesOfColumn.every((values) => values === 0)) return [];
    return this.#layout.columns.filter((_, column) => this.#valuesOfColumn[column] === 0).map(({ source }) => source);
  }

  /** The case of all rows so far. It may have no pods. */
  build({ name, emptyColumns, learningMinutes, workloads }: CaseDetails): Case {
    const features = this.#layout.columns.map(({ feature }) => feature);
    const range = this.#densestHours();
    const series = [...this.#pods].flatMap(([key, { bins }]) => {
      const minutes = seriesOf(bins, range, features.length);
      return minutes === undefined ? [] : [{ key, ...minutes }];
    });
    const { start, end } = spanOf(series, features.length);
    const pods = series.flatMap((own) => placePod(own, start, features, workloads));
    return {
      name,
      features: this.#layout.columns.map(({ feature, floorFromData }, column) =>
        floorFromData ? withFloorFromData(feature, column, pods, learningMinutes) : feature,
      ),
      startSeconds: start * BIN_SECONDS,
      minutes: end - start,
      learningMinutes,
      pods: pods.sort((a, b) => comparePods(a.identity, b.identity)),
      rows: this.#rows,
      defects: this.#defects,
      gapMinutes: pods.reduce((sum, { complete }) => sum + complete.filter((is) => is === 0).length, 0),
      incomplete: sumCounts(series.map((own) => countIncomplete(own, features, start + learningMinutes))),
      emptyColumns,
    };
  }

  /** The stretch of hours with the most rows, of those that a week without any row parts; the others count as defects. */
  #densestHours(): HourRange {
    const stretches: { first: number; last: number; rows: number }[] = [];
    for (const [hour, rows] of [...this.#rowsOfHour].sort(([a], [b]) => a - b)) {
      const current = stretches.at(-1);
      if (current === undefined || hour - current.last > FAR_HOURS) stretches.push({ first: hour, last: hour, rows });
      else {
        current.last = hour;
        current.rows += rows;
      }
    }
    const densest = stretches.reduce((most, stretch) => (stretch.rows > most.rows ? stretch : most), {
      first: 0,
      last: -1,
      rows: 0,
    });
    for (const stretch of stretches) {
      if (stretch !== densest) count(this.#defects, 'far_timestamp', stretch.rows);
    }
    return densest;
  }
}

/** First minute of all, and the one after the last, since 1970; both 0 without any. */
function spanOf(series: readonly MinuteSeries[], width: number) {
  if (series.length === 0) return { start: 0, end: 0 };
  let start = Infinity;
  let end = -Infinity;
  for (const { firstMinute, cells } of series) {
    start = Math.min(start, firstMinute);
    end = Math.max(end, firstMinute + cells.length / width);
  }
  return { start, end };
}

/** A pod on the minutes of the case, from its first complete minute to its last; nothing without a complete one. */
function placePod(
  { key, firstMinute, cells }: MinuteSeries & { readonly key: string },
  start: number,
  features: readonly FeatureDefinition[],
  workloads: ReadonlyMap<string, string>,
): PodMinutes[] {
  const width = features.length;
  const required = features.flatMap((feature, column) => (feature.required ? [column] : []));
  const complete = Uint8Array.from({ length: cells.length / width }, (_, minute) =>
    required.some((column) => Number.isNaN(cells[minute * width + column])) ? 0 : 1,
  );
  const first = complete.indexOf(1);
  if (first < 0) return [];
  const end = complete.lastIndexOf(1) + 1;
  const [namespace = '', pod = ''] = key.split('/');
  return [
    {
      identity: { namespace, pod, workload: workloads.get(key) ?? workloadFromName(pod) },
      firstMinute: firstMinute + first - start,
      minutes: end - first,
      cells: cells.slice(first * width, end * width),
      complete: complete.slice(first, end),
    },
  ];
}

/**
 * The minutes that have some of the required features but not all, by the first one that is missing (`missing_cpu`).
 *
 * @param fromMinute minutes since 1970; earlier ones do not count.
 */
function countIncomplete(
  { firstMinute, cells }: MinuteSeries,
  features: readonly FeatureDefinition[],
  fromMinute: number,
): Counts {
  const incomplete = new Map<string, number>();
  const width = features.length;
  for (let row = Math.max(0, fromMinute - firstMinute) * width; row < cells.length; row += width) {
    const missing = features.filter(({ required }, column) => required && Number.isNaN(cells[row + column]));
    const present = features.some(({ required }, column) => required && !Number.isNaN(cells[row + column]));
    if (present && missing[0] !== undefined) count(incomplete, `missing_${missing[0].name}`);
  }
  return incomplete;
}

/**
 * The floor of a column whose unit is unknown: a hundredth of its median over all pods in the learning minutes; zeros say
 * nothing of a unit and do not count.
 */
function withFloorFromData(
  feature: FeatureDefinition,
  column: number,
  pods: readonly PodMinutes[],
  learningMinutes: number,
): FeatureDefinition {
  const values: number[] = [];
  for (const pod of pods) {
    const width = pod.cells.length / pod.minutes;
    const minutes = Math.min(pod.minutes, learningMinutes - pod.firstMinute);
    for (let minute = 0; minute < minutes; minute++) {
      const value = pod.cells[minute * width + column] as number;
      if (value > 0) values.push(value);
    }
  }
  if (values.length === 0) return feature;
  const median = quantileInPlace(Float64Array.from(values), values.length, 0.5);
  return { ...feature, spreadFloor: Math.max(DERIVED_FLOOR_SHARE * median, LEAST_SPREAD_FLOOR) };
}
