/** A Prometheus HTTP API as one shard sees it: its own namespaces and nothing else. */

import type { InstantQuery, PrometheusApi, QueryResult, RangeQuery } from '../prometheus/api.js';
import { narrowToNamespaces } from './narrow.js';
import { namespacesOfShard, type Shard } from './shard.js';

/** What a sharded API works with. */
export interface ShardedPrometheusOptions {
  readonly shard: Shard;
  /** The names of all namespaces that have, or lately had, a series that the queries read. */
  readonly fetchNamespaces: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Told why the namespaces could not be asked for, when the last ones known go on to be used. */
  readonly onWarning: (sentence: string) => void;
}

/** A list that old is renewed beside the query that finds it so. */
const RENEW_AFTER_MILLISECONDS = 60_000;

/** A list that old is not used any more: what asks waits for the next one. */
const EXPIRE_AFTER_MILLISECONDS = 10 * 60_000;

/** Longest time for a renewal, which nobody waits for. */
const RENEWAL_LIMIT_MILLISECONDS = 30_000;

interface NamespaceList {
  readonly namespaces: readonly string[];
  readonly fetchedMilliseconds: number;
}

/** Asks for the namespaces of a shard, and narrows every query to them. */
export class ShardedPrometheus implements PrometheusApi {
  readonly #api: PrometheusApi;
  readonly #options: ShardedPrometheusOptions;
  #list: NamespaceList | undefined;
  #first: Promise<readonly string[]> | undefined;
  #renewal: Promise<unknown> | undefined;

  constructor(api: PrometheusApi, options: ShardedPrometheusOptions) {
    this.#api = api;
    this.#options = options;
  }

  /** The namespaces of this shard, as last known; `undefined` before the first answer. */
  get namespaces(): readonly string[] | undefined {
    return this.#list?.namespaces;
  }

  query(request: InstantQuery): Promise<QueryResult> {
    return this.#ask(request, (query) => this.#api.query({ ...request, query }));
  }

  queryRange(request: RangeQuery): Promise<QueryResult> {
    return this.#ask(request, (query) => this.#api.queryRange({ ...request, query }));
  }

  async #ask(
    { query, signal }: { readonly query: string; readonly signal: AbortSignal },
    ask: (query: string) => Promise<QueryResult>,
  ): Promise<QueryResult> {
    const namespaces = await this.#namespaces(signal);
    // A matcher for no namespace would match the series without one.
    if (namespaces.length === 0) return NOTHING;
    return onlyNamespaces(await ask(narrowToNamespaces(query, namespaces)), namespaces);
  }

  async #namespaces(signal: AbortSignal): Promise<readonly string[]> {
    const list = this.#list;
    const age =
      list === undefined ? Number.POSITIVE_INFINITY : this.#options.now() - list.fetchedMilliseconds;
    // A clock that was set back makes a list of the future, which would never be renewed.
    if (list === undefined || age > EXPIRE_AFTER_MILLISECONDS || age < 0) {
      // The queries of one pass start together, and share the signal too.
      this.#first ??= this.#fetch(signal).finally(() => {
        this.#first = undefined;
      });
      return this.#first;
    }
    if (age > RENEW_AFTER_MILLISECONDS) this.#renew();
    return list.namespaces;
  }

  async #fetch(signal: AbortSignal): Promise<readonly string[]> {
    const { shard, fetchNamespaces, now } = this.#options;
    const namespaces = namespacesOfShard(await fetchNamespaces(signal), shard);
    this.#list = { namespaces, fetchedMilliseconds: now() };
    return namespaces;
  }

  #renew(): void {
    this.#renewal ??= this.#fetch(AbortSignal.timeout(RENEWAL_LIMIT_MILLISECONDS))
      .catch((error: unknown) => {
        this.#options.onWarning(
          `The namespaces of this shard stay as they were: ${error instanceof Error ? error.message : String(error)}`,
        );
      })
      .finally(() => {
        this.#renewal = undefined;
      });
  }
}

const NOTHING: QueryResult = {
  labels: [],
  offsets: Uint32Array.of(0),
  timestampsSeconds: new Float64Array(0),
  values: new Float64Array(0),
  warnings: [],
  infos: [],
};

/** A query of a feature file may have selectors without a namespace; another shard has the rest of its series. */
function onlyNamespaces(result: QueryResult, namespaces: readonly string[]): QueryResult {
  const own = new Set(namespaces);
  const kept = result.labels.flatMap((labels, index) => (own.has(labels.namespace ?? '') ? [index] : []));
  if (kept.length === result.labels.length) return result;
  const offsets = new Uint32Array(kept.length + 1);
  kept.forEach((series, position) => {
    const length = (result.offsets[series + 1] as number) - (result.offsets[series] as number);
    offsets[position + 1] = (offsets[position] as number) + length;
  });
  const pick = (column: Float64Array) => {
    const picked = new Float64Array(offsets[kept.length] as number);
    kept.forEach((series, position) => {
      picked.set(column.subarray(result.offsets[series], result.offsets[series + 1]), offsets[position]);
    });
    return picked;
  };
  return {
    ...result,
    labels: kept.map((series) => result.labels[series] as QueryResult['labels'][number]),
    offsets,
    timestampsSeconds: pick(result.timestampsSeconds),
    values: pick(result.values),
  };
}
