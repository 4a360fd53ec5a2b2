/** A Prometheus HTTP API as one shard sees it: its own namespaces and nothing else. */

import type { BuildInfo, InstantQuery, PrometheusServerApi, QueryResult, RangeQuery } from '../prometheus/api.js';
import { narrowToNamespaces } from './narrow.js';
import type { ShardNamespaces } from './shard-namespaces.js';

/** Narrows every query to the namespaces of a shard. What the server says about itself stays as it is. */
export class ShardedPrometheus implements PrometheusServerApi {
  constructor(
    private readonly api: PrometheusServerApi,
    private readonly namespaces: ShardNamespaces,
  ) {}

  query(request: InstantQuery): Promise<QueryResult> {
    return this.#ask(request, (query) => this.api.query({ ...request, query }));
  }

  queryRange(request: RangeQuery): Promise<QueryResult> {
    return this.#ask(request, (query) => this.api.queryRange({ ...request, query }));
  }

  buildInfo(signal: AbortSignal): Promise<BuildInfo | undefined> {
    return this.api.buildInfo(signal);
  }

  currentTimeSeconds(signal: AbortSignal): Promise<number> {
    return this.api.currentTimeSeconds(signal);
  }

  async #ask(
    { query, signal }: InstantQuery | RangeQuery,
    send: (query: string) => Promise<QueryResult>,
  ): Promise<QueryResult> {
    const own = await this.namespaces.get(signal);
    const { incompleteness, label } = this.namespaces;
    // An empty expression would match the series without a namespace.
    const answer = own.length === 0 ? NOTHING : withoutOthers(await send(narrowToNamespaces(query, own, label)), own);
    const warnings = incompleteness === undefined ? answer.warnings : [...answer.warnings, incompleteness];
    return { ...answer, warnings, scope: own.join() };
  }
}

const NO_NUMBERS = new Float64Array(0);
const NO_SERIES = {
  labels: [],
  offsets: Uint32Array.of(0),
  timestampsSeconds: NO_NUMBERS,
  values: NO_NUMBERS,
};
const NOTHING: QueryResult = Object.freeze({ ...NO_SERIES, warnings: [], infos: [] });

/**
 * The result without the series of other shards, which a query may bring whose selectors cannot be narrowed. What has no
 * namespace at all stays: it is the number of a check, or the fault of a query, and no pod of anybody's.
 */
function withoutOthers(result: QueryResult, namespaces: readonly string[]): QueryResult {
  const own = new Set(namespaces);
  const kept = result.labels.flatMap(({ namespace }, index) =>
    namespace === undefined || own.has(namespace) ? [index] : [],
  );
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
