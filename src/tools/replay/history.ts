/** A piece of the past in memory, which is asked like Prometheus: the service's own code replays on it. */

import type { Labels, PrometheusApi, QueryResult } from '../../exporter/prometheus/api.js';
import { PrometheusError } from '../../exporter/prometheus/errors.js';
import { type Grid, gridBetween, lastOf, type Slab } from './range-matrix.js';

/** The slabs of each query, in order of time, without gaps between them. */
export type SlabsByQuery = ReadonlyMap<string, readonly Slab[]>;

/** The slabs of one query as one. */
interface Matrix {
  readonly grid: Grid;
  readonly labels: readonly Labels[];
  /** Series × instants. */
  readonly values: Float64Array;
}

/**
 * Answers from memory what a range query with the same step, or a multiple of it, would have answered: at each instant,
 * a range query does not depend on where the range begins or ends.
 */
export class History implements PrometheusApi {
  readonly #matrices: ReadonlyMap<string, Matrix>;

  constructor(slabs: SlabsByQuery) {
    this.#matrices = new Map([...slabs].map(([query, ofQuery]) => [query, merge(ofQuery)]));
  }

  /**
   * The samples from one instant to another, both included. Instants outside of the history have none.
   *
   * @throws {PrometheusError} when this query is not in the history.
   */
  range(query: string, startSeconds: number, endSeconds: number, stepSeconds: number): QueryResult {
    const { grid, labels, values } = this.#matrix(query);
    const wanted = gridBetween(startSeconds, endSeconds, stepSeconds);
    const stride = stepSeconds / grid.stepSeconds;
    const offset = (startSeconds - grid.startSeconds) / grid.stepSeconds;
    if (!isWhole(stride) || !isWhole(offset)) {
      throw unknown(query, `instants that are not on its grid of ${grid.stepSeconds} s`);
    }
    const found: Labels[] = [];
    const offsets: number[] = [0];
    const times: number[] = [];
    const samples: number[] = [];
    for (let series = 0; series < labels.length; series++) {
      for (let index = 0; index < wanted.instants; index++) {
        const instant = Math.round(offset + index * stride);
        if (instant < 0 || instant >= grid.instants) continue;
        const value = values[series * grid.instants + instant] as number;
        if (Number.isNaN(value)) continue;
        times.push(startSeconds + index * stepSeconds);
        samples.push(value);
      }
      if (times.length === offsets[offsets.length - 1]) continue;
      found.push(labels[series] as Labels);
      offsets.push(times.length);
    }
    return {
      labels: found,
      offsets: Uint32Array.from(offsets),
      timestampsSeconds: Float64Array.from(times),
      values: Float64Array.from(samples),
      warnings: [],
      infos: [],
    };
  }

  async queryRange(request: Parameters<PrometheusApi['queryRange']>[0]): Promise<QueryResult> {
    return this.range(request.query, request.startSeconds, request.endSeconds, request.stepSeconds);
  }

  /**
   * All series of the history with their last samples, whatever the time: instant queries ask for the owners of pods,
   * which never change.
   */
  async query({ query, timeSeconds }: Parameters<PrometheusApi['query']>[0]): Promise<QueryResult> {
    const { labels } = this.#matrix(query);
    return {
      labels,
      offsets: Uint32Array.from({ length: labels.length + 1 }, (_, index) => index),
      timestampsSeconds: new Float64Array(labels.length).fill(timeSeconds),
      values: new Float64Array(labels.length).fill(1),
      warnings: [],
      infos: [],
    };
  }

  #matrix(query: string): Matrix {
    const matrix = this.#matrices.get(query);
    if (matrix === undefined) throw unknown(query, 'none of it');
    return matrix;
  }
}

function isWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) < 1e-9;
}

function unknown(query: string, got: string): PrometheusError {
  return new PrometheusError('bad_query', `Expected the replayed history to have \`${query}\`, got ${got}.`);
}

function merge(slabs: readonly Slab[]): Matrix {
  const [first] = slabs;
  const last = slabs[slabs.length - 1];
  if (first === undefined || last === undefined) {
    return {
      grid: { startSeconds: 0, stepSeconds: 1, instants: 0 },
      labels: [],
      values: new Float64Array(0),
    };
  }
  const grid = gridBetween(first.grid.startSeconds, lastOf(last.grid), first.grid.stepSeconds);
  const rows = new Map<string, number>();
  const labels: Labels[] = [];
  for (const slab of slabs) {
    for (const own of slab.labels) {
      const key = keyOf(own);
      if (rows.has(key)) continue;
      rows.set(key, labels.length);
      // Between threads, labels lose that they inherit nothing.
      labels.push(Object.assign(Object.create(null) as Record<string, string>, own));
    }
  }
  const values = new Float64Array(labels.length * grid.instants).fill(Number.NaN);
  for (const slab of slabs) {
    const offset = Math.round((slab.grid.startSeconds - grid.startSeconds) / grid.stepSeconds);
    slab.labels.forEach((own, series) => {
      const row = rows.get(keyOf(own)) as number;
      const from = series * slab.grid.instants;
      values.set(slab.values.subarray(from, from + slab.grid.instants), row * grid.instants + offset);
    });
  }
  return { grid, labels, values };
}

/** The same for the same labels in any order. */
function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
