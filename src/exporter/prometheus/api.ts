/** The part of Prometheus that the rest of the program sees: two kinds of query, decoded to typed arrays. */

/** The labels of one series. A label that is not there reads as `undefined`, never as an empty string. */
export type Labels = Readonly<Record<string, string>>;

/**
 * The series of one answer, column by column: the samples of series `i` are those from `offsets[i]` up to, but
 * not including, `offsets[i + 1]`.
 */
export interface SeriesSet {
  readonly labels: readonly Labels[];
  /** Length `labels.length + 1`, ascending. */
  readonly offsets: Uint32Array;
  /** Unix time in seconds, one for each sample. */
  readonly timestampsSeconds: Float64Array;
  /** One for each sample. `NaN` and infinities stand as they came. */
  readonly values: Float64Array;
}

/** What a query answered, with what the server had to say about it. */
export interface QueryResult extends SeriesSet {
  /** Parts of the answer may be missing or wrong (a store that is down, for example). */
  readonly warnings: readonly string[];
  /** Hints about the query (Prometheus 3). */
  readonly infos: readonly string[];
  /**
   * By how much samples of a range are older than the instants that they stand for, at most, in seconds and below its step;
   * unset where each is as it was asked for.
   */
  readonly shiftSeconds?: number;
  /** What the query was narrowed to, where it was: answers with different scopes are about different pods. */
  readonly scope?: string;
}

/** How remarks of Prometheus about its own language begin: nothing is missing because of them. */
export const LANGUAGE_REMARK = 'PromQL ';

/**
 * Whether an answer may lack a part of the data: then nothing follows from what it does not name.
 */
export function isPartial({ warnings }: { readonly warnings: readonly string[] }): boolean {
  return warnings.some((warning) => !warning.startsWith(LANGUAGE_REMARK));
}

/** A query at one instant. */
export interface InstantQuery {
  readonly query: string;
  /** Unix time in seconds at which the query is evaluated. */
  readonly timeSeconds: number;
  /** Ends the request: its abort reason `TimeoutError` is reported as a timeout. */
  readonly signal?: AbortSignal | undefined;
}

/** A query over a range. Both ends are included. */
export interface RangeQuery {
  readonly query: string;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly stepSeconds: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether the query will not be sent again: its series are then not kept for the next answer. */
  readonly isOneOff?: boolean;
}

/** What a server says about itself at `/api/v1/status/buildinfo`. Each part may be absent. */
export interface BuildInfo {
  /** `Grafana Mimir`; Prometheus itself names none. */
  readonly application: string | undefined;
  readonly version: string | undefined;
  readonly revision: string | undefined;
}

/** A Prometheus HTTP API. Where Prometheus is to blame, both calls reject with a `PrometheusError`. */
export interface PrometheusApi {
  query(request: InstantQuery): Promise<QueryResult>;
  queryRange(request: RangeQuery): Promise<QueryResult>;
}

/** The values that a label has in some series, over a time. Both ends are included. */
export interface LabelValuesRequest {
  readonly label: string;
  /** Selectors of the series: those of any count. */
  readonly selectors: readonly string[];
  /** Unix time in seconds. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly signal: AbortSignal;
}

/** The values that a label has, with what the server had to say about them. */
export interface LabelValues {
  readonly values: readonly string[];
  /** As in `QueryResult`: values may be missing. */
  readonly warnings: readonly string[];
}

/** What a shard asks besides queries. Rejects with a `PrometheusError`. */
export interface LabelValuesApi {
  labelValues(request: LabelValuesRequest): Promise<LabelValues>;
}

/** What only a check of the installation asks, besides queries. Each call rejects with a `PrometheusError`. */
export interface PrometheusServerApi extends PrometheusApi {
  /** `undefined` where the server, or a proxy before it, has nothing to say: many backends have no such endpoint. */
  buildInfo(signal: AbortSignal): Promise<BuildInfo | undefined>;
  /** Unix time in seconds at which the server evaluates a query that names no time; `NaN` where its answer is empty. */
  currentTimeSeconds(signal: AbortSignal): Promise<number>;
}
