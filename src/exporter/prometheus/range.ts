/** Fetches long ranges in requests that a server can answer. */

import { withDeadline } from '../../lib/deadline.js';
import type { PrometheusApi, QueryResult } from './api.js';
import { PrometheusError } from './errors.js';

/** Instants at equal distances. */
export interface Instants {
  /** Unix time of the first, in seconds. */
  readonly startSeconds: number;
  readonly stepSeconds: number;
  /** How many there are. */
  readonly instants: number;
}

interface RangeOptions {
  /** Most points in one answer; 600,000 are about 20 MB of JSON, and far below Prometheus' limits on samples. */
  readonly pointsPerRequest: number;
  /** Longest time for one request, in seconds; unlimited if unset. */
  readonly timeoutSeconds?: number;
}

/** Prometheus answers at most this many points for each series (`exceeded maximum resolution`). */
const MAXIMUM_INSTANTS = 11_000;

/** Instants in the first request for a query, before the number of its series is known. */
const FIRST_REQUEST_INSTANTS = 60;

/** How many instants one request asks for. `series`: how many the query has; 0 where that is not known. */
export function instantsPerRequest(series: number, pointsPerRequest: number): number {
  if (series === 0) return FIRST_REQUEST_INSTANTS;
  return Math.max(1, Math.min(MAXIMUM_INSTANTS, Math.floor(pointsPerRequest / series)));
}

interface Experience {
  /** The most series of an answer so far; 0 before the first. */
  series: number;
  /** The most instants that are not too much. */
  ceiling: number;
}

/** Learns how much each query brings, and asks for as much at a time as is reasonable. */
export class RangeFetcher {
  readonly #experience = new Map<string, Experience>();

  /** Requests so far. */
  requests = 0;
  /** How often a request was too much, and a smaller one followed. */
  splits = 0;

  constructor(
    private readonly api: PrometheusApi,
    private readonly options: RangeOptions,
  ) {}

  /** Says how many series a query has, where that is known before its first range. */
  expect(query: string, series: number): void {
    this.#of(query).series = Math.max(this.#of(query).series, series);
  }

  /**
   * All answers over a range, in order of time; together they have each instant once.
   *
   * @throws {PrometheusError} when Prometheus does not answer even for a single instant.
   */
  async *fetch(
    query: string,
    range: Instants,
    signal?: AbortSignal,
  ): AsyncGenerator<{ readonly part: Instants; readonly answer: QueryResult }> {
    const experience = this.#of(query);
    for (let first = 0; first < range.instants; ) {
      const fitting = instantsPerRequest(experience.series, this.options.pointsPerRequest);
      const instants = Math.min(fitting, experience.ceiling, range.instants - first);
      const part = { ...range, startSeconds: range.startSeconds + first * range.stepSeconds, instants };
      let answer: QueryResult;
      try {
        answer = await this.#request(query, part, signal);
      } catch (error) {
        const mayBeSmaller = error instanceof PrometheusError && error.tooMuch && instants > 1;
        if (signal?.aborted || !mayBeSmaller) throw error;
        this.splits++;
        experience.ceiling = Math.floor(instants / 2);
        continue;
      }
      experience.series = Math.max(experience.series, answer.labels.length);
      first += instants;
      yield { part, answer };
    }
  }

  #request(query: string, part: Instants, signal: AbortSignal | undefined): Promise<QueryResult> {
    const { startSeconds, stepSeconds, instants } = part;
    const { timeoutSeconds } = this.options;
    this.requests++;
    return this.api.queryRange({
      query,
      startSeconds,
      endSeconds: startSeconds + (instants - 1) * stepSeconds,
      stepSeconds,
      signal: timeoutSeconds === undefined ? signal : withDeadline(signal, timeoutSeconds),
    });
  }

  #of(query: string): Experience {
    const experience = this.#experience.get(query) ?? { series: 0, ceiling: MAXIMUM_INSTANTS };
    this.#experience.set(query, experience);
    return experience;
  }
}
