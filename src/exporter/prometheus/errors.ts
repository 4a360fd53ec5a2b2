/** What goes wrong between this program and Prometheus, in words that say what to do. */

import type { ServerTexts } from './server-texts.js';

/** What follows from the kind of a failure. */
interface Traits {
  /**
   * What is to blame: the `query`, the `setup` of the server and the way to it, or that there was no answer
   * this time (`availability`).
   */
  readonly about: 'availability' | 'setup' | 'query';
  /** Whether the same request may be answered a moment later. */
  readonly transient?: boolean;
  /** Whether a smaller request may be answered. */
  readonly tooMuch?: boolean;
}

const TRAITS = {
  refused: { about: 'availability', transient: true }, // nothing listens at the address
  unreachable: { about: 'availability', transient: true }, // packets get lost, or there is no route
  dns: { about: 'availability' }, // the host name has no address
  tls: { about: 'setup' }, // certificate, host name, or a port that does not speak TLS (or does)
  timeout: { about: 'availability', transient: true, tooMuch: true }, // of the request, or of connecting
  aborted: { about: 'availability' }, // the caller ended the request for another reason than its deadline
  connection: { about: 'availability', transient: true }, // any other failure, such as an incomplete answer
  bad_query: { about: 'query' }, // HTTP 400: the query is wrong
  unauthorized: { about: 'setup' }, // HTTP 401
  forbidden: { about: 'setup' }, // HTTP 403
  not_found: { about: 'setup' }, // HTTP 404: most often a missing path prefix
  method_not_allowed: { about: 'setup' }, // HTTP 405
  unprocessable: { about: 'query', tooMuch: true }, // HTTP 422: most often too many samples
  rate_limited: { about: 'setup', transient: true }, // HTTP 429
  unavailable: { about: 'availability', transient: true }, // HTTP 5xx, of Prometheus or of a proxy before it
  redirect: { about: 'setup' }, // HTTP 3xx; redirects are not followed
  http: { about: 'setup' }, // any other HTTP status
  not_json: { about: 'setup' }, // a successful answer that is not JSON: most often a login page
  bad_answer: { about: 'query' }, // JSON of another shape than asked for
  too_large: { about: 'setup', tooMuch: true }, // more bytes than the client accepts
} as const satisfies Readonly<Record<string, Traits>>;

/** The sort of failure, for code that decides; people read the message. */
export type PrometheusErrorKind = keyof typeof TRAITS;

/** What is known of a failure besides its kind. Plain data. */
export interface PrometheusErrorDetails {
  /** What to do: one or more sentences. */
  readonly advice?: string | undefined;
  /** The query, where the first sentence does not name it. */
  readonly query?: string | undefined;
  /** How long the server asks to wait, in seconds from its answer. */
  readonly retryAfterSeconds?: number | undefined;
  /** Whether a smaller request may be answered, where the answer says so and the kind does not. */
  readonly tooMuch?: boolean | undefined;
}

/**
 * A query that was not answered. There is no `cause`: the errors below hold the request with its password; their text
 * is part of `got`. `kind`, `got` and `details` are plain data, from which another thread makes the same error.
 */
export class PrometheusError extends Error {
  override readonly name = 'PrometheusError';

  /** @param got what came, and from where: a sentence. */
  constructor(
    readonly kind: PrometheusErrorKind,
    readonly got: string,
    readonly details: PrometheusErrorDetails = {},
  ) {
    const { advice, query } = details;
    const sentences = [got, advice, query && `The query was \`${query}\`.`];
    super(sentences.filter((sentence) => sentence !== undefined).join(' '));
  }

  get advice(): string | undefined {
    return this.details.advice;
  }

  get retryAfterSeconds(): number | undefined {
    return this.details.retryAfterSeconds;
  }

  get about(): Traits['about'] {
    return this.#traits.about;
  }

  get transient(): boolean {
    return this.#traits.transient ?? false;
  }

  get tooMuch(): boolean {
    return this.details.tooMuch ?? this.#traits.tooMuch ?? false;
  }

  get #traits(): Traits {
    return TRAITS[this.kind];
  }
}

/** One request, as far as a message about its failure needs it. */
export interface Asked {
  /** The address without user and password. */
  readonly url: string;
  /** The proxy on the way, without user and password. */
  readonly proxyUrl?: string | undefined;
  readonly query: string;
  /** For what the server said. */
  readonly texts: ServerTexts;
}

/** The form of all messages about an answer. `got` continues a sentence. */
export function failure(
  kind: PrometheusErrorKind,
  { url, query }: Asked,
  got: string,
  details: PrometheusErrorDetails,
): PrometheusError {
  const shown = startOf(query, WHOLE_QUERY_LENGTH);
  return new PrometheusError(kind, `Expected ${url} to answer the query \`${shown}\`, got ${got}.`, details);
}

/** A query that people wrote is shorter; the namespaces of a shard may make one of many kilobytes. */
const WHOLE_QUERY_LENGTH = 2_000;

/** Enough of a query to recognise it, where it is not to blame. */
const QUERY_LENGTH = 60;

/**
 * The form of all messages about a connection: the cause first, since it is the same for every query.
 *
 * @param what begins a sentence that the address ends: `Got no answer from`.
 */
export function connectionError(
  kind: PrometheusErrorKind,
  { url, proxyUrl, query }: Asked,
  what: string,
  advice?: string,
): PrometheusError {
  const way = proxyUrl === undefined ? '' : ` through the proxy ${proxyUrl}`;
  return new PrometheusError(kind, `${what} ${url}${way}.`, { advice, query: startOf(query, QUERY_LENGTH) });
}

const startOf = (query: string, length: number) => (query.length > length ? `${query.slice(0, length)}…` : query);
