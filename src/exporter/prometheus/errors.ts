/** What goes wrong between this program and Prometheus, in words that say what to do. */

import type { Quote } from './redaction.js';

/** The sort of failure, for code that decides; people read the message. */
export type PrometheusErrorKind =
  /** Nothing listens at the address. */
  | 'refused'
  /** The host name has no address. */
  | 'dns'
  /** No secure connection: certificate, host name, or a port that does not speak TLS (or does). */
  | 'tls'
  /** The deadline of the request passed, or the system gave up connecting. */
  | 'timeout'
  /** The caller ended the request for another reason than its deadline. */
  | 'aborted'
  /** Any other failure of the connection, such as one that broke off in the middle of the answer. */
  | 'connection'
  /** HTTP 400: the query is wrong. */
  | 'bad_query'
  /** HTTP 401. */
  | 'unauthorized'
  /** HTTP 403. */
  | 'forbidden'
  /** HTTP 404: most often a missing path prefix. */
  | 'not_found'
  /** HTTP 405. */
  | 'method_not_allowed'
  /** HTTP 422: the query is right but cannot be executed. */
  | 'unprocessable'
  /** HTTP 429. */
  | 'rate_limited'
  /** HTTP 5xx, of Prometheus or of a proxy before it. */
  | 'unavailable'
  /** HTTP 3xx; redirects are not followed. */
  | 'redirect'
  /** Any other HTTP status. */
  | 'http'
  /** A successful answer that is not JSON: most often a login page. */
  | 'not_json'
  /** JSON of another shape than asked for. */
  | 'bad_answer'
  /** More bytes than the client accepts. */
  | 'too_large';

/**
 * A query that was not answered. The message says what was expected, what came, where, and what to do. There is no
 * `cause`: the errors below hold the request with its password; their text is part of the message.
 */
export class PrometheusError extends Error {
  override readonly name = 'PrometheusError';

  /** @param retryAfterSeconds How long the server asks to wait, in seconds from its answer. */
  constructor(
    readonly kind: PrometheusErrorKind,
    message: string,
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }
}

/** One request, as far as a message about its failure needs it. */
export interface Asked {
  /** The address without user and password. */
  readonly url: string;
  /** The proxy on the way, without user and password. */
  readonly proxyUrl?: string | undefined;
  readonly query: string;
  /** Shows what a server said, without secrets. */
  readonly quote: Quote;
}

/** The form of all messages about an answer. `got` continues a sentence, `advice` is one or more sentences. */
export function failure(
  kind: PrometheusErrorKind,
  { url, query }: Asked,
  got: string,
  advice: string,
  retryAfterSeconds?: number,
): PrometheusError {
  const message = `Expected ${url} to answer the query \`${query}\`, got ${got}. ${advice}`;
  return new PrometheusError(kind, message, retryAfterSeconds);
}

/** Enough of a query to recognise it, where it is not to blame. */
const QUERY_LENGTH = 60;

/** The form of all messages about a connection: the cause first, since it is the same for every query. */
export function connectionError(
  kind: PrometheusErrorKind,
  { url, proxyUrl, query }: Asked,
  got: string,
  advice: string,
): PrometheusError {
  const way = proxyUrl === undefined ? '' : ` through the proxy ${proxyUrl}`;
  const shown = query.length > QUERY_LENGTH ? `${query.slice(0, QUERY_LENGTH)}…` : query;
  return new PrometheusError(kind, `Got ${got} from ${url}${way}. ${advice} The query was \`${shown}\`.`);
}
