/** What goes wrong between this program and Prometheus, in words that say what to do. */

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

/** A `PrometheusError` as plain data, to send to another thread or to put into JSON. */
export interface PlainPrometheusError {
  readonly kind: PrometheusErrorKind;
  readonly message: string;
  readonly retryAfterSeconds: number | undefined;
}

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

  static fromPlain({ kind, message, retryAfterSeconds }: PlainPrometheusError): PrometheusError {
    return new PrometheusError(kind, message, retryAfterSeconds);
  }

  toPlain(): PlainPrometheusError {
    return { kind: this.kind, message: this.message, retryAfterSeconds: this.retryAfterSeconds };
  }
}

/** One request, as far as a message about its failure needs it. */
export interface Asked {
  /** The address without user and password. */
  readonly url: string;
  readonly query: string;
  /** The start of what a server said, at most `length` characters, on one line, without the password. */
  quote(text: string, length: number): string;
}

/** The one form of all messages. `got` continues a sentence, `advice` is one or more sentences. */
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
