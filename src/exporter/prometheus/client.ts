/** A Prometheus HTTP API over axios. */

import * as http from 'node:http';
import type { Readable } from 'node:stream';
import axios, { type AxiosProxyConfig, type AxiosResponse, isAxiosError } from 'axios';
import { AnswerReader } from './answer/answer-reader.js';
import type { ResultType } from './answer/decode.js';
import { KnownSeriesByQuery } from './answer/label-cache.js';
import type { LabelValuesApi, PrometheusServerApi, QueryResult } from './api.js';
import { HandlerError, readBody, readText } from './body.js';
import { decodeBuildInfo } from './build-info.js';
import type { PrometheusConnection } from './connection.js';
import type { Asked } from './errors.js';
import { connectionFailure, notJsonFailure, statusFailure } from './failures.js';
import { type Identity, RenewableIdentity } from './identity.js';
import { decodeLabelValues } from './label-values.js';
import { endpointUrl, parseBaseUrl } from './url.js';

export interface PrometheusClientOptions {
  /** Called once for each finished request with the HTTP status, or `error` if no whole answer came. */
  readonly onRequest?: (code: string) => void;
  /** Told, once each time, of a file of the connection that cannot be used any more. */
  readonly onWarning?: (sentence: string) => void;
}

/** Names and values in the order in which they are sent. */
type Parameters = readonly (readonly [name: string, value: string])[];

/**
 * Requests go to the server itself (no redirects, no proxy but that of the connection) by POST, so that a query may
 * be long, unless the connection says GET. Connections are kept; idle ones do not keep the process alive.
 *
 * @throws {Error} if the base URL or the proxy URL is none.
 */
export function createPrometheusClient(
  connection: PrometheusConnection,
  { onRequest, onWarning }: PrometheusClientOptions = {},
): PrometheusServerApi & LabelValuesApi {
  const base = parseBaseUrl(connection.baseUrl);
  const proxy = connection.proxyUrl === undefined ? undefined : parseBaseUrl(connection.proxyUrl);
  const identity = new RenewableIdentity(connection, onWarning ?? (() => undefined));
  const client = axios.create({
    headers: { Accept: 'application/json', 'User-Agent': 'k8s-anomaly-detector', ...connection.headers },
    httpAgent: new http.Agent({ keepAlive: true }),
    maxContentLength: connection.maxResponseBytes,
    // To follow one would carry the headers elsewhere, and turn POST into GET without the query.
    maxRedirects: 0,
    proxy: connection.proxyUrl === undefined ? false : proxyConfiguration(connection.proxyUrl),
    responseType: 'stream',
    validateStatus: () => true,
  });

  const knownSeries = new KnownSeriesByQuery();

  const send = async (
    asked: Asked,
    method: PrometheusConnection['method'],
    parameters: Parameters,
    identified: Identity,
    signal: AbortSignal,
  ): Promise<AxiosResponse<Readable>> => {
    const { authorization, httpsAgent } = identified;
    // Tenancy proxies look for their parameters in the URL, and a form is no place for them.
    const isGet = method === 'GET';
    const search = form([...connection.queryParameters, ...(isGet ? parameters : [])]).toString();
    try {
      return await client.request<Readable>({
        method,
        url: search === '' ? asked.url : `${asked.url}?${search}`,
        ...(!isGet && { data: form(parameters) }),
        ...(authorization !== undefined && { headers: { Authorization: authorization } }),
        httpsAgent,
        signal,
      });
    } catch (error) {
      if (wasStale(error)) return send(asked, method, parameters, identified, signal);
      onRequest?.('error');
      throw connectionFailure(asked, error, signal);
    }
  };

  const askedOf = (endpoint: string, query: string, { quote }: Identity): Asked => ({
    url: endpointUrl(base, endpoint),
    query,
    quote,
    proxyUrl: proxy?.display,
  });

  /** What is read of a body, or why it did not come to its end. */
  const whole = async <Body>(asked: Asked, reading: Promise<Body>, signal: AbortSignal): Promise<Body> => {
    try {
      return await reading;
    } catch (error) {
      onRequest?.('error');
      // Nobody shall look for a fault of this program in the network.
      if (error instanceof HandlerError) throw error.cause;
      throw connectionFailure(asked, error, signal);
    }
  };

  const ask = async (
    endpoint: string,
    resultType: ResultType,
    query: string,
    times: Parameters,
    signal: AbortSignal,
  ): Promise<QueryResult> => {
    const current = await identity.current();
    const asked = askedOf(endpoint, query, current);
    const response = await send(asked, connection.method, [['query', query], ...times], current, signal);
    const { status } = response;
    if (status < 200 || status > 299) {
      const data = await whole(asked, readText(response), signal);
      onRequest?.(String(status));
      throw statusFailure(asked, { ...response, data });
    }
    const reader = new AnswerReader(asked, resultType, knownSeries.get(query));
    await whole(
      asked,
      readBody(response, (chunk) => reader.push(chunk)),
      signal,
    );
    onRequest?.(String(status));
    const result = reader.finish((bytes, start) => notJsonFailure(asked, status, bytes, start));
    if (resultType === 'matrix') knownSeries.set(query, reader.known());
    return result;
  };

  return {
    query: ({ query, timeSeconds, signal }) =>
      ask('query', 'vector', query, [['time', milliseconds(timeSeconds)]], signal),
    queryRange: ({ query, startSeconds, endSeconds, stepSeconds, signal }) =>
      ask(
        'query_range',
        'matrix',
        query,
        [
          ['start', milliseconds(startSeconds)],
          ['end', milliseconds(endSeconds)],
          ['step', milliseconds(stepSeconds)],
        ],
        signal,
      ),
    currentTimeSeconds: async (signal) => {
      const { values } = await ask('query', 'vector', 'vector(time())', [], signal);
      return values[0] ?? Number.NaN;
    },
    labelValues: async ({ label, selectors, startSeconds, endSeconds, signal }) => {
      const current = await identity.current();
      const asked = askedOf(`label/${label}/values`, selectors.join(' or '), current);
      const response = await send(
        asked,
        // Prometheus takes no POST here.
        'GET',
        [
          ...selectors.map((selector) => ['match[]', selector] as const),
          ['start', milliseconds(startSeconds)],
          ['end', milliseconds(endSeconds)],
        ],
        current,
        signal,
      );
      const { status } = response;
      const data = await whole(asked, readText(response), signal);
      onRequest?.(String(status));
      if (status < 200 || status > 299) throw statusFailure(asked, { ...response, data });
      return decodeLabelValues(asked, data, (bytes, start) => notJsonFailure(asked, status, bytes, start));
    },
    buildInfo: async (signal) => {
      const current = await identity.current();
      const asked = askedOf('status/buildinfo', 'status/buildinfo', current);
      const response = await send(asked, 'GET', [], current, signal);
      const body = await whole(asked, readText(response), signal);
      onRequest?.(String(response.status));
      return response.status === 200 ? decodeBuildInfo(body) : undefined;
    },
  };
}

/** Seconds as text, to the millisecond: the resolution of Prometheus. */
function milliseconds(seconds: number): string {
  return seconds.toFixed(3);
}

function form(parameters: Parameters): URLSearchParams {
  return new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value]));
}

function proxyConfiguration(proxyUrl: string): AxiosProxyConfig {
  const { protocol, hostname, port } = new URL(proxyUrl);
  const { credentials } = parseBaseUrl(proxyUrl);
  return { protocol, host: hostname, port: Number(port || 80), ...(credentials && { auth: credentials }) };
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
