/** Gets stretches of the past from Prometheus, in requests that it can answer. */

import type { PrometheusApi } from '../../exporter/prometheus/api.js';
import { PrometheusError } from '../../exporter/prometheus/errors.js';
import { type Grid, type Slab, toSlab } from './range-matrix.js';

/** Points in one answer: about 10 MB of JSON, and far below Prometheus' limits on samples and on points. */
const POINTS_PER_REQUEST = 300_000;

/** Prometheus answers at most this many points for each series (`exceeded maximum resolution`). */
const MAXIMUM_INSTANTS = 11_000;

/** Instants in the first request for a query, before the number of its series is known. */
const FIRST_REQUEST_INSTANTS = 60;

/** What was asked and answered so far. */
export interface Traffic {
  requests: number;
  points: number;
  /** Of the JSON, estimated from the points. */
  bytes: number;
  /** Times that a question had to be made smaller. */
  splits: number;
}

/** Characters of a point in JSON besides its value: `[1777593600,""],`. */
const CHARACTERS_BESIDE_VALUE = 16;

/** Fetches queries over grids. Learns how much each query brings, and asks for as much at a time as is reasonable. */
export class Fetcher {
  readonly traffic: Traffic = { requests: 0, points: 0, bytes: 0, splits: 0 };
  /** Warnings of Prometheus, each once. */
  readonly warnings = new Set<string>();
  readonly #api: PrometheusApi;
  /** Instants for the next request, by query. */
  readonly #instants = new Map<string, number>();
  /** The most instants that were not too much, by query. */
  readonly #ceilings = new Map<string, number>();

  constructor(api: PrometheusApi) {
    this.#api = api;
  }

  /**
   * All samples of a query on a grid, in slabs in order of time.
   *
   * @throws {PrometheusError} when Prometheus does not answer even for a single instant.
   */
  async fetch(query: string, grid: Grid, signal: AbortSignal): Promise<Slab[]> {
    const slabs: Slab[] = [];
    for (let first = 0; first < grid.instants; ) {
      const instants = Math.min(this.#instants.get(query) ?? FIRST_REQUEST_INSTANTS, grid.instants - first);
      const slab = await this.#request(query, part(grid, first, instants), signal);
      if (slab === undefined) continue;
      slabs.push(slab);
      first += instants;
    }
    return slabs;
  }

  /** One request; `undefined` when it was too much, and a smaller one is to follow. */
  async #request(query: string, grid: Grid, signal: AbortSignal): Promise<Slab | undefined> {
    const { startSeconds, stepSeconds, instants } = grid;
    const endSeconds = startSeconds + (instants - 1) * stepSeconds;
    this.traffic.requests++;
    try {
      const answer = await this.#api.queryRange({ query, startSeconds, endSeconds, stepSeconds, signal });
      for (const warning of [...answer.warnings, ...answer.infos]) this.warnings.add(warning);
      this.traffic.points += answer.values.length;
      this.traffic.bytes += answer.values.length * (CHARACTERS_BESIDE_VALUE + meanLength(answer.values));
      const fitting = Math.floor(POINTS_PER_REQUEST / Math.max(1, answer.labels.length));
      this.#instants.set(query, Math.max(1, Math.min(fitting, this.#ceiling(query))));
      return toSlab(answer, grid);
    } catch (error) {
      if (signal.aborted || instants === 1 || !(error instanceof PrometheusError && error.tooMuch))
        throw error;
      this.traffic.splits++;
      const half = Math.floor(instants / 2);
      this.#instants.set(query, half);
      this.#ceilings.set(query, half);
      return undefined;
    }
  }

  #ceiling(query: string): number {
    return this.#ceilings.get(query) ?? MAXIMUM_INSTANTS;
  }
}

function part({ startSeconds, stepSeconds }: Grid, first: number, instants: number): Grid {
  return { startSeconds: startSeconds + first * stepSeconds, stepSeconds, instants };
}

/** Values whose text is measured. */
const MEASURED_VALUES = 100;

/** Mean length of values as text, from some of them. */
function meanLength(values: Float64Array): number {
  if (values.length === 0) return 0;
  const stride = Math.max(1, Math.floor(values.length / MEASURED_VALUES));
  let characters = 0;
  let measured = 0;
  for (let index = 0; index < values.length; index += stride) {
    characters += String(values[index]).length;
    measured++;
  }
  return characters / measured;
}
