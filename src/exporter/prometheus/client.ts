/** A Prometheus HTTP API over axios. */

import * as http from 'node:http';
import type { Readable } from 'node:stream';
import axios, {
  type AxiosInstance,
  type AxiosProxyConfig,
  type AxiosRequestConfig,
  type AxiosResponse,
  isAxiosError,
} from 'axios';
import { LRUCache } from 'lru-cache';
import { AnswerReader } from './answer/answer-reader.js';
import { onAskedInstants } from './answer/asked-instants.js';
import type { ResultType } from './answer/decode.js';
import { type KnownSeries, NO_KNOWN_SERIES } from './answer/label-cache.js';
import type {
  BuildInfo,
  InstantQuery,
  LabelValues,
  LabelValuesApi,
  LabelValuesRequest,
  PrometheusServerApi,
  QueryResult,
  RangeQuery,
} from './api.js';
import { HandlerError, readBody, readText } from './body.js';
import { followedTransport } from './connecting.js';
import type { PrometheusConnection } from './connection.js';
import { RenewableCredentials, type RequestCredentials } from './credentials.js';
import { type Asked, PrometheusError } from './errors.js';
import { connectionFailure, notJsonFailure, statusFailure } from './failures.js';
import { decodeBuildInfo, decodeLabelValues, LONGEST_LIST_BYTES } from './metadata.js';
import { type BaseUrl, endpointUrl, parseBaseUrl } from './url.js';

export interface PrometheusClientOptions {
  /** Called once for each finished request with the HTTP status, or `error` if no whole answer came. */
  readonly onRequest?: (code: string) => void;
  /** Told, once each time, of a file of the connection that cannot be used any more. */
  readonly onWarning?: (sentence: string) => void;
}

/** The largest number of features of a model, and so of queries of a pass. */
const REMEMBERED_QUERIES = 16;

/** Errors, and what a server says about itself, are short; the rest of a longer text is not kept. */
const MOST_BYTES_OF_A_MESSAGE = 256 * 1024;

/** Names and values in the order in which they are sent. */
type Parameters = readonly (readonly [name: string, value: string])[];

interface Call {
  /** Path behind `/api/v1/`. */
  readonly endpoint: string;
  readonly method: PrometheusConnection['method'];
  /** What a message names. */
  readonly query: string;
  readonly parameters: Parameters;
  readonly signal: AbortSignal | undefined;
}

/** What was read of a success. */
interface Answered<Body> {
  readonly asked: Asked;
  readonly body: Body;
  /** Makes the error about a body that is not JSON, from its length and its start. */
  readonly notJson: (bytes: number, start: string) => PrometheusError;
}

/**
 * Requests go to the server itself (no redirects, no proxy but that of the connection) by POST, so that a query may
 * be long, unless the connection says GET. Connections are kept; idle ones do not keep the process alive.
 */
export class PrometheusClient implements PrometheusServerApi, LabelValuesApi {
  readonly #connection: PrometheusConnection;
  readonly #onRequest: (code: string) => void;
  readonly #base: BaseUrl;
  readonly #proxy: BaseUrl | undefined;
  readonly #credentials: RenewableCredentials;
  readonly #http: AxiosInstance;
  /** The series of the last answer to each query. */
  readonly #knownSeries = new LRUCache<string, KnownSeries>({ max: REMEMBERED_QUERIES });

  /** @throws {Error} if the base URL or the proxy URL is invalid. */
  constructor(
    connection: PrometheusConnection,
    { onRequest = () => undefined, onWarning = () => undefined }: PrometheusClientOptions = {},
  ) {
    const { baseUrl, proxyUrl, headers, compression, maxResponseBytes } = connection;
    this.#connection = connection;
    this.#onRequest = onRequest;
    this.#base = parseBaseUrl(baseUrl);
    this.#proxy = proxyUrl === undefined ? undefined : parseBaseUrl(proxyUrl);
    this.#credentials = new RenewableCredentials(connection, onWarning);
    this.#http = axios.create({
      headers: {
        Accept: 'application/json',
        // With compression, axios says itself what it can undo.
        ...(!compression && { 'Accept-Encoding': 'identity' }),
        'User-Agent': 'k8s-anomaly-detector',
        ...headers,
      },
      httpAgent: new http.Agent({ keepAlive: true }),
      maxContentLength: maxResponseBytes,
      // To follow one would carry the headers elsewhere, and turn POST into GET without the query.
      maxRedirects: 0,
      proxy: proxyUrl === undefined ? false : proxyConfiguration(proxyUrl),
      responseType: 'stream',
      transport: followedTransport,
      validateStatus: () => true,
    });
  }

  query({ query, timeSeconds, signal }: InstantQuery): Promise<QueryResult> {
    return this.#ask('query', 'vector', query, [['time', milliseconds(timeSeconds)]], signal);
  }

  async queryRange(request: RangeQuery): Promise<QueryResult> {
    const { query, startSeconds, endSeconds, stepSeconds, signal, isOneOff = false } = request;
    const times: Parameters = [...between(startSeconds, endSeconds), ['step', milliseconds(stepSeconds)]];
    return onAskedInstants(await this.#ask('query_range', 'matrix', query, times, signal, isOneOff), request);
  }

  async currentTimeSeconds(signal: AbortSignal): Promise<number> {
    const { values } = await this.#ask('query', 'vector', 'vector(time())', [], signal);
    return values[0] ?? Number.NaN;
  }

  async labelValues(request: LabelValuesRequest): Promise<LabelValues> {
    const { label, selectors, startSeconds, endSeconds, signal } = request;
    const call: Call = {
      endpoint: `label/${label}/values`,
      // Prometheus takes no POST here.
      method: 'GET',
      query: selectors.join(' or '),
      parameters: [
        ...selectors.map((selector) => ['match[]', selector] as const),
        ...between(startSeconds, endSeconds),
      ],
      signal,
    };
    // One byte more tells a list that is too long.
    const answered = await this.#exchange(call, (response) => readText(response, LONGEST_LIST_BYTES + 1));
    if (answered instanceof PrometheusError) throw answered;
    return decodeLabelValues(answered.asked, answered.body, answered.notJson);
  }

  async buildInfo(signal: AbortSignal): Promise<BuildInfo | undefined> {
    const endpoint = 'status/buildinfo';
    const call: Call = { endpoint, method: 'GET', query: endpoint, parameters: [], signal };
    const answered = await this.#exchange(call, (response) => readText(response, MOST_BYTES_OF_A_MESSAGE));
    return answered instanceof PrometheusError ? undefined : decodeBuildInfo(answered.asked, answered.body);
  }

  async #ask(
    endpoint: string,
    resultType: ResultType,
    query: string,
    times: Parameters,
    signal: AbortSignal | undefined,
    isOneOff = true,
  ): Promise<QueryResult> {
    const { method } = this.#connection;
    const call: Call = { endpoint, method, query, parameters: [['query', query], ...times], signal };
    const answered = await this.#exchange(call, async (response, asked) => {
      const reader = new AnswerReader(asked, resultType, this.#knownSeries.get(query) ?? NO_KNOWN_SERIES);
      await readBody(response, (chunk) => reader.push(chunk));
      return reader;
    });
    if (answered instanceof PrometheusError) throw answered;
    const { body: reader, notJson } = answered;
    const result = reader.finish(notJson);
    if (!isOneOff) this.#knownSeries.set(query, reader.known());
    return result;
  }

  /**
   * Sends a request, reads the body of a success with `read`, and counts how the request ended.
   *
   * @returns an error for a response that came whole, and whose status is not a success.
   * @throws {PrometheusError} when no whole response comes.
   * @throws what `read` throws as the cause of a `HandlerError`: a bug of this program is not a failure of the network.
   */
  async #exchange<Body>(
    call: Call,
    read: (response: AxiosResponse<Readable>, asked: Asked) => Promise<Body>,
  ): Promise<Answered<Body> | PrometheusError> {
    const credentials = await this.#credentials.current();
    const asked: Asked = {
      url: endpointUrl(this.#base, call.endpoint),
      query: call.query,
      texts: credentials.texts,
      proxyUrl: this.#proxy?.display,
    };
    try {
      const response = await this.#send(asked.url, call, credentials);
      const { status } = response;
      const isSuccess = status >= 200 && status <= 299;
      const answered = isSuccess
        ? {
            asked,
            body: await read(response, asked),
            notJson: (bytes: number, start: string) => notJsonFailure(asked, status, bytes, start),
          }
        : statusFailure(asked, { ...response, data: await readText(response, MOST_BYTES_OF_A_MESSAGE) });
      this.#onRequest(String(status));
      return answered;
    } catch (error) {
      this.#onRequest('error');
      throw error instanceof HandlerError ? error.cause : connectionFailure(asked, error, call.signal);
    }
  }

  async #send(
    url: string,
    { method, parameters, signal }: Call,
    { authorization, httpsAgent }: RequestCredentials,
  ): Promise<AxiosResponse<Readable>> {
    // Tenancy proxies look for their parameters in the URL, and a form is no place for them.
    const isGet = method === 'GET';
    const search = form([...this.#connection.queryParameters, ...(isGet ? parameters : [])]).toString();
    const request: AxiosRequestConfig = {
      method,
      url: search === '' ? url : `${url}?${search}`,
      ...(!isGet && { data: form(parameters) }),
      ...(authorization !== undefined && { headers: { Authorization: authorization } }),
      httpsAgent,
      ...(signal !== undefined && { signal }),
    };
    for (;;) {
      try {
        return await this.#http.request<Readable>(request);
      } catch (error) {
        if (!wasStale(error)) throw error;
      }
    }
  }
}

/** Seconds as text, to the millisecond: the resolution of Prometheus. */
const milliseconds = (seconds: number): string => seconds.toFixed(3);

const between = (startSeconds: number, endSeconds: number): Parameters => [
  ['start', milliseconds(startSeconds)],
  ['end', milliseconds(endSeconds)],
];

const form = (parameters: Parameters): URLSearchParams =>
  new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value]));

function proxyConfiguration(proxyUrl: string): AxiosProxyConfig {
  const { protocol, hostname, port } = new URL(proxyUrl);
  const { credentials } = parseBaseUrl(proxyUrl);
  // A URL puts an IPv6 address in brackets, a connection takes it without.
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { protocol, host, port: Number(port || 80), ...(credentials && { auth: credentials }) };
}

/**
 * The server closed a kept connection at the moment of its reuse: nothing is wrong, and another connection will do.
 * This ends, since each time one kept connection fewer is left.
 */
function wasStale(error: unknown): boolean {
  return (
    isAxiosError(error) &&
    error.code === 'ECONNRESET' &&
    error.response === undefined &&
    error.request instanceof http.ClientRequest &&
    error.request.reusedSocket
  );
}
