/** Features of many pods at one or more instants: the one shape of data for training and for scoring. */

import type { SeriesSet } from '../prometheus/api.js';
import type { FeatureDefinition } from './catalog.js';
import { isObjectName } from './object-name.js';

/** A pod, and what it belongs to. */
export interface PodIdentity {
  readonly namespace: string;
  readonly pod: string;
  /** Name of the Deployment, StatefulSet, DaemonSet, Job, … that made the pod; the pod's own name without one. */
  readonly workload: string;
}

/** Pods × instants × features. Each instant of a pod is complete, or `NaN` in all its cells. */
export interface FeatureTable {
  /** Names of the columns. */
  readonly features: readonly string[];
  /** Sorted by namespace, then pod. */
  readonly pods: readonly PodIdentity[];
  /** Unix time in seconds, ascending, at equal distances. */
  readonly timestampsSeconds: Float64Array;
  /** The cell of pod p, instant t, feature f is at `(p * instants + t) * features + f`. */
  readonly values: Float64Array;
}

/** A table, and what did not make it into it. */
export interface BuiltTable {
  /** Only pods that have every required feature at one instant or more. */
  readonly table: FeatureTable;
  /** Pods that were seen at the last instant without every required feature, by reason. */
  readonly unscored: ReadonlyMap<string, number>;
  /** Series that were left out whole or in part, by reason. */
  readonly droppedSeries: ReadonlyMap<string, number>;
}

/** Identifies a pod, or anything else that has a name in a namespace. Neither part holds the separator (`isObjectName`). */
export function podKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** Instants that are less than this apart are one: Prometheus counts in milliseconds. */
const SAME_INSTANT_SECONDS = 0.0015;

interface Row {
  readonly namespace: string;
  readonly pod: string;
  /** Instants × features. */
  readonly cells: Float64Array;
  /** Why a value that came for the last instant is not in a cell. */
  lost: 'not_finite' | 'misaligned' | undefined;
}

/** Gathers the answers of queries into a table. Samples find their place by time, never by position. */
export class FeatureTableBuilder {
  readonly #features: readonly FeatureDefinition[];
  readonly #timestampsSeconds: Float64Array;
  readonly #rows = new Map<string, Row>();
  readonly #droppedSeries = new Map<string, number>();

  /**
   * @param features the columns.
   * @param timestampsSeconds the instants, ascending, at equal distances.
   */
  constructor(features: readonly FeatureDefinition[], timestampsSeconds: Float64Array) {
    this.#features = features;
    this.#timestampsSeconds = timestampsSeconds;
  }

  /**
   * Adds the answer to one feature's query, or a part of it. Of two values for one cell the larger stays, as in
   * the built-in queries.
   */
  add(feature: FeatureDefinition, series: SeriesSet): void {
    const column = this.#features.indexOf(feature);
    if (column < 0) throw new Error(`Feature ${feature.name} is not a column of this table.`);
    for (let index = 0; index < series.labels.length; index++) {
      const namespace = series.labels[index]?.namespace;
      const pod = series.labels[index]?.[feature.podLabel];
      if (!namespace || !pod) this.#drop('unlabelled');
      else if (!isObjectName(namespace) || !isObjectName(pod)) this.#drop('bad_name');
      else this.#addSamples(this.#row(namespace, pod), column, series, index);
    }
  }

  #addSamples(row: Row, column: number, series: SeriesSet, index: number): void {
    const width = this.#features.length;
    const end = series.offsets[index + 1] ?? 0;
    let duplicate = false;
    let misaligned = false;
    let notFinite = false;
    for (let sample = series.offsets[index] ?? end; sample < end; sample++) {
      const seconds = series.timestampsSeconds[sample] as number;
      const instant = this.#instantAt(seconds);
      const value = series.values[sample] as number;
      if (instant < 0) {
        misaligned = true;
        if (this.#isOfLastInstant(seconds)) row.lost ??= 'misaligned';
      } else if (!Number.isFinite(value)) {
        notFinite = true;
        if (this.#isOfLastInstant(seconds)) row.lost = 'not_finite';
      } else {
        const cell = instant * width + column;
        const present = row.cells[cell] as number;
        if (Number.isNaN(present)) row.cells[cell] = value;
        else {
          row.cells[cell] = Math.max(present, value);
          duplicate = true;
        }
      }
    }
    if (duplicate) this.#drop('duplicate');
    if (misaligned) this.#drop('misaligned');
    if (notFinite) this.#drop('not_finite');
  }

  /** Whether a sample came after the instant before the last: a pod may be gone since. */
  #isOfLastInstant(timestampSeconds: number): boolean {
    const before = this.#timestampsSeconds[this.#timestampsSeconds.length - 2];
    return before === undefined || timestampSeconds > before + SAME_INSTANT_SECONDS;
  }

  /** Position of an instant on the grid, -1 off it. */
  #instantAt(timestampSeconds: number): number {
    const grid = this.#timestampsSeconds;
    const first = grid[0] ?? Number.NaN;
    const step = (grid[1] ?? first + 1) - first;
    const instant = Math.round((timestampSeconds - first) / step);
    const onGrid = grid[instant];
    return onGrid !== undefined && Math.abs(onGrid - timestampSeconds) < SAME_INSTANT_SECONDS ? instant : -1;
  }

  #row(namespace: string, pod: string): Row {
    const key = podKey(namespace, pod);
    const existing = this.#rows.get(key);
    if (existing !== undefined) return existing;
    const cells = new Float64Array(this.#timestampsSeconds.length * this.#features.length).fill(Number.NaN);
    const row: Row = { namespace, pod, cells, lost: undefined };
    this.#rows.set(key, row);
    return row;
  }

  /** All pods that any series named, in no order. */
  podsSeen(): { readonly namespace: string; readonly pod: string }[] {
    return [...this.#rows.values()];
  }

  #drop(reason: string): void {
    this.#droppedSeries.set(reason, (this.#droppedSeries.get(reason) ?? 0) + 1);
  }

  /**
   * The table of all that was added. A feature that is not required reads as 0 in the rows that have the required
   * ones: call this only when its query succeeded.
   *
   * @param workloadOf the workload of a pod, by namespace and name.
   */
  build(workloadOf: (namespace: string, pod: string) => string): BuiltTable {
    const usable: Row[] = [];
    const unscored = new Map<string, number>();
    for (const row of this.#rows.values()) {
      if (this.#hasCompleteInstant(row)) usable.push(row);
      const reason = this.#whyUnscored(row);
      if (reason !== undefined) unscored.set(reason, (unscored.get(reason) ?? 0) + 1);
    }
    usable.sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.pod, b.pod));
    const size = this.#timestampsSeconds.length * this.#features.length;
    const values = new Float64Array(usable.length * size);
    usable.forEach((row, index) => {
      values.set(this.#complete(row), index * size);
    });
    return {
      table: {
        features: this.#features.map((feature) => feature.name),
        pods: usable.map(({ namespace, pod }) => ({ namespace, pod, workload: workloadOf(namespace, pod) })),
        timestampsSeconds: this.#timestampsSeconds,
        values,
      },
      unscored,
      droppedSeries: this.#droppedSeries,
    };
  }

  /** Fills what may be absent, and blanks the instants that lack a required feature. */
  #complete({ cells }: Row): Float64Array {
    const completed = cells.slice();
    const width = this.#features.length;
    this.#features.forEach((feature, column) => {
      if (!feature.required) fillGaps(completed, column, width);
    });
    for (let start = 0; start < cells.length; start += width) {
      if (!this.#isComplete(cells, start)) completed.fill(Number.NaN, start, start + width);
    }
    return completed;
  }

  #hasCompleteInstant({ cells }: Row): boolean {
    for (let start = 0; start < cells.length; start += this.#features.length) {
      if (this.#isComplete(cells, start)) return true;
    }
    return false;
  }

  #isComplete(cells: Float64Array, start: number): boolean {
    return this.#features.every(
      (feature, column) => !feature.required || !Number.isNaN(cells[start + column]),
    );
  }

  /** Why a pod that is there at the last instant has no score then; `undefined` where it has one, or is gone. */
  #whyUnscored({ cells, lost }: Row): string | undefined {
    const last = cells.length - this.#features.length;
    if (this.#isComplete(cells, last)) return undefined;
    if (lost !== undefined) return lost;
    if (cells.subarray(last).every(Number.isNaN)) return undefined;
    const required = this.#features.filter((feature) => feature.required);
    const missing = this.#features.filter(
      (feature, column) => feature.required && Number.isNaN(cells[last + column]),
    );
    // kube-state-metrics goes on with a pod that has ended, until the object is deleted.
    return missing.length === required.length ? 'completed' : `missing_${missing[0]?.name}`;
  }
}

/**
 * Fills a column's gaps with the value before, at the beginning with the first one, and with 0 where there is none. A
 * counter that read 0 in a gap would seem to rise by all it has at its end.
 *
 * @param cells rows × `width`.
 */
export function fillGaps(cells: Float64Array, column: number, width: number): void {
  let known = 0;
  for (let cell = column; cell < cells.length; cell += width) {
    if (Number.isNaN(cells[cell])) continue;
    known = cells[cell] as number;
    break;
  }
  for (let cell = column; cell < cells.length; cell += width) {
    if (Number.isNaN(cells[cell])) cells[cell] = known;
    else known = cells[cell] as number;
  }
}

/** Order of code units: the same on every machine, unlike a locale's. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
