/** A piece of the past in memory, which is asked like Prometheus: the service's own code replays on it. */

import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import { FeatureTableBuilder } from '../../exporter/features/table-builder.js';
import type { Labels, PrometheusApi, QueryResult } from '../../exporter/prometheus/api.js';
import { PrometheusError } from '../../exporter/prometheus/errors.js';
import { gridBetween, lastOf, type Slab } from './range-matrix.js';

/**
 * Answers from memory what a range query with the same step, or a multiple of it, would have answered: at each instant,
 * a range query does not depend on where the range begins or ends.
 */
export class History implements PrometheusApi {
  readonly #matrices: ReadonlyMap<string, Slab>;

  /** @param slabs of each query, in order of time, without gaps between them. */
  constructor(slabs: ReadonlyMap<string, readonly Slab[]>) {
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

  /** What is known of features from one instant to another, both included. */
  features(
    features: readonly FeatureDefinition[],
    startSeconds: number,
    endSeconds: number,
    stepSeconds: number,
  ): FeatureTableBuilder {
    const { instants } = gridBetween(startSeconds, endSeconds, stepSeconds);
    const times = Float64Array.from({ length: instants }, (_, index) => startSeconds + index * stepSeconds);
    const builder = new FeatureTableBuilder(features, times);
    for (const feature of features) {
      builder.add(feature, this.range(feature.query, startSeconds, endSeconds, stepSeconds));
    }
    return builder;
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

  #matrix(query: string): Slab {
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

function merge(slabs: readonly Slab[]): Slab {
  const { startSeconds, stepSeconds } = slabs[0]?.grid ?? { startSeconds: 0, stepSeconds: 1 };
  const last = slabs.at(-1);
  const end = last === undefined ? startSeconds - stepSeconds : lastOf(last.grid);
  const grid = gridBetween(startSeconds, end, stepSeconds);
  const rows = new Map<string, number>();
  const labels: Labels[] = [];
  for (const own of slabs.flatMap((slab) => slab.labels)) {
    const key = keyOf(own);
    if (rows.has(key)) continue;
    rows.set(key, labels.length);
    // Between threads, labels lose that they inherit nothing.
    labels.push(Object.assign(Object.create(null) as Record<string, string>, own));
  }
  const values = new Float64Array(labels.length * grid.instants).fill(Number.NaN);
  for (const slab of slabs) {
    const { instants } = slab.grid;
    const offset = Math.round((slab.grid.startSeconds - startSeconds) / stepSeconds);
    for (const [series, own] of slab.labels.entries()) {
      const row = rows.get(keyOf(own)) as number;
      values.set(slab.values.subarray(series * instants, (series + 1) * instants), row * grid.instants + offset);
    }
  }
  return { grid, labels, values };
}

/** The same for the same labels in any order. */
function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort());
}
