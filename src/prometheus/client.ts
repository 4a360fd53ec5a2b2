/** A Prometheus HTTP API over axios. */

import * as http from 'node:http';
import * as https from 'node:https';
import type { Readable } from 'node:stream';
import axios, { type AxiosResponse, isAxiosError } from 'axios';
import { AnswerReader } from './answer-reader.js';
import type { PrometheusServerApi, QueryResult } from './api.js';
import { readBody, readText } from './body.js';
import { decodeBuildInfo } from './build-info.js';
import type { ResultType } from './decode.js';
import type { Asked } from './errors.js';
import { connectionFailure, notJsonFailure, statusFailure } from './failures.js';
import { KnownSeriesByQuery } from './known-series.js';
import { type BaseUrl, endpointUrl, parseBaseUrl } from './url.js';

export interface PrometheusClientOptions {
  /** An `http:` or `https:` URL. A path prefix is kept; `user:password@` means basic authentication. */
  readonly baseUrl: string;
  /** Longer answers are refused; counted after decompression. Default `DEFAULT_MAX_RESPONSE_BYTES`. */
  readonly maxResponseBytes?: number;
  /** PEM certificates of the authorities to trust, instead of those that Node trusts. */
  readonly ca?: string;
  /** Called once for each finished request with the HTTP status, or `error` if no whole answer came. */
  readonly onRequest?: (code: string) => void;
}

/**
 * 64 MiB: about 2 million samples, three times what one request of a training asks for. The three queries of a pass
 * together stay below the memory that a container of this program is given (512 MiB), even if none has an end.
 */
export const DEFAULT_MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/**
 * Requests go to the server itself (no proxy from the environment, no redirects) by POST, so that a query may be
 * long. Connections are kept; idle ones do not keep the process alive.
 *
 * @throws {Error} if the base URL is none.
 */
export function createPrometheusClient(options: PrometheusClientOptions): PrometheusServerApi {
  const base = parseBaseUrl(options.baseUrl);
  const quote = quoteWithout(base);
  const client = axios.create({
    ...(base.credentials && { auth: base.credentials }),
    headers: { Accept: 'application/json', 'User-Agent': 'k8s-anomaly-detector' },
    httpAgent: new http.Agent({ keepAlive: true }),
    httpsAgent: new https.Agent({ keepAlive: true, ca: options.ca }),
    maxContentLength: options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES,
    maxRedirects: 0,
    proxy: false,
    responseType: 'stream',
    validateStatus: () => true,
  });

  const knownSeries = new KnownSeriesByQuery();

  const post = async (
    asked: Asked,
    parameters: Record<string, string>,
    signal: AbortSignal,
  ): Promise<AxiosResponse<Readable>> => {
    try {
      return await client.post<Readable>(asked.url, new URLSearchParams(parameters), { signal });
    } catch (error) {
      if (wasStale(error)) return post(asked, parameters, signal);
      options.onRequest?.('error');
      throw connectionFailure(asked, error, signal);
    }
  };

  const ask = async (
    endpoint: string,
    resultType: ResultType,
    parameters: Record<string, string> & { query: string },
    signal: AbortSignal,
  ): Promise<QueryResult> => {
    const asked: Asked = { url: endpointUrl(base, endpoint), query: parameters.query, quote };
    const response = await post(asked, parameters, signal);
    const { status } = response;
    const isSuccess = status >= 200 && status <= 299;
    const reader = new AnswerReader(asked, resultType, knownSeries.get(parameters.query));
    let refusal = '';
    try {
      if (isSuccess) await readBody(response, (chunk) => reader.push(chunk));
      else refusal = await readText(response);
    } catch (error) {
      options.onRequest?.('error');
      throw connectionFailure(asked, error, signal);
    }
    options.onRequest?.(String(status));
    if (!isSuccess) throw statusFailure(asked, { ...response, data: refusal });
    const result = reader.finish((bytes, start) => notJsonFailure(asked, status, bytes, start));
    if (resultType === 'matrix') knownSeries.set(parameters.query, reader.known());
    return result;
  };

  return {
    query: ({ query, timeSeconds, signal }) =>
      ask('query', 'vector', { query, time: milliseconds(timeSeconds) }, signal),
    queryRange: ({ query, startSeconds, endSeconds, stepSeconds, signal }) =>
      ask(
        'query_range',
        'matrix',
        {
          query,
          start: milliseconds(startSeconds),
          end: milliseconds(endSeconds),
          step: milliseconds(stepSeconds),
        },
        signal,
      ),
    currentTimeSeconds: async (signal) => {
      const { values } = await ask('query', 'vector', { query: 'vector(time())' }, signal);
      return values[0] ?? Number.NaN;
    },
    buildInfo: async (signal) => {
      const url = endpointUrl(base, 'status/buildinfo');
      try {
        const response = await client.get<Readable>(url, { signal });
        const body = await readText(response);
        options.onRequest?.(String(response.status));
        return response.status === 200 ? decodeBuildInfo(body) : undefined;
      } catch (error) {
        options.onRequest?.('error');
        throw connectionFailure({ url, query: 'status/buildinfo', quote }, error, signal);
      }
    },
  };
}

/** Seconds as text, to the millisecond: the resolution of Prometheus. */
function milliseconds(seconds: number): string {
  return seconds.toFixed(3);
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

/** A server may repeat what it was sent, so its words are searched for the password before they are shown. */
function quoteWithout({ credentials }: BaseUrl): Asked['quote'] {
  const { username, password } = credentials ?? { username: '', password: '' };
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  const secrets = [basic, password, encodeURIComponent(password)].filter((secret) => secret !== '');
  return (text, length) => {
    const start = text.slice(0, QUOTED_WINDOW);
    const safe = secrets.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), start);
    return safe.replace(/\s+/g, ' ').trim().slice(0, length);
  };
}

/** Quotes are taken from the first characters only: a body may be large. */
const QUOTED_WINDOW = 10_000;
