/** A Prometheus HTTP API in this process, with data from a function and faults at the turn of a switch. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { recentSecondsOf } from '../../src/exporter/detection/detect.js';
import { type AskedQuery, instantsOf, seriesOf } from './fake-api.js';
import type { Upstream } from './fault-proxy.js';
import { readBody } from './http-server.js';
import { type Answer, isOfCheck } from './small-cluster.js';

/** One request that arrived. An instant query has both ends equal. */
export interface RecordedRequest extends Omit<AskedQuery, 'signal'> {
  readonly authorization: string | undefined;
}

/** What a detection pass asks for after the first one, without longer gaps between scrapes, in seconds. */
const FEW_MINUTES_SECONDS = 240;

/** Whether a request is a training's: a detection pass asks for the same minutes each time, or for few; a check for counts. */
export function isOfTraining({
  kind,
  query,
  startSeconds,
  endSeconds,
}: Omit<RecordedRequest, 'authorization'>): boolean {
  if (isOfCheck(query)) return false;
  const ofPasses = (['gauge', 'counter'] as const).map((type) => recentSecondsOf({ type }));
  const seconds = endSeconds - startSeconds;
  return kind === 'range' && seconds > FEW_MINUTES_SECONDS && !ofPasses.includes(seconds);
}

/** How a request fails. */
export type FaultKind =
  /** HTTP 500 with an error in JSON. */
  | 'error_500'
  /** HTTP 429: too many requests, come again in a second. */
  | 'rate_limited'
  /** No answer at all. */
  | 'hang'
  /** HTTP 200 and a login page. */
  | 'html'
  /** The whole answer, a byte at a time, slower than anyone waits. */
  | 'slow_body'
  /** Half of the answer, then the connection breaks off. */
  | 'close_mid_body';

export const FAULT_KINDS: readonly FaultKind[] = ['error_500', 'hang', 'html', 'slow_body', 'close_mid_body'];

/** A fault, of all requests or of some. */
export interface Fault {
  readonly kind: FaultKind;
  readonly only?: (request: RecordedRequest) => boolean;
}

/** A running fake. */
export interface FakePrometheus {
  /** Base URL: `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** Of the questions for the namespaces. */
  readonly labelRequests: URLSearchParams[];
  /** Requests that have neither been answered nor given up. */
  readonly open: number;
  /** What is wrong from now on; `undefined` heals. */
  fault: Fault | undefined;
  /** Ends the server and every connection. */
  close(): Promise<void>;
}

/** Starts a fake on 127.0.0.1; port 0 takes a free one. */
export async function startFakePrometheus(answer: Answer, wantedPort = 0): Promise<FakePrometheus> {
  const openResponses = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    openResponses.add(response);
    response.once('close', () => openResponses.delete(response));
    void respond(fake, answer, request, response);
  });
  server.listen(wantedPort, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const fake: FakePrometheus = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    labelRequests: [],
    get open() {
      return openResponses.size;
    },
    fault: undefined,
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return fake;
}

async function respond(
  fake: FakePrometheus,
  answer: Answer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '', 'http://fake');
  if (url.pathname === '/api/v1/label/namespace/values' && fake.fault === undefined) {
    fake.labelRequests.push(url.searchParams);
    const found = url.searchParams
      .getAll('match[]')
      .flatMap((selector) => answer(selector, Number(url.searchParams.get('end'))));
    const data = [...new Set(found.map(({ labels }) => labels.namespace))].sort();
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ status: 'success', data }));
    return;
  }
  const recorded = await read(request).catch((error: unknown) => String(error));
  if (typeof recorded === 'string') {
    response.writeHead(400).end(JSON.stringify({ status: 'error', errorType: 'bad_data', error: recorded }));
    return;
  }
  fake.requests.push(recorded);
  const { fault } = fake;
  const kind = fault !== undefined && (fault.only?.(recorded) ?? true) ? fault.kind : undefined;
  if (kind === 'hang') return;
  if (kind === 'error_500') {
    response.writeHead(500, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ status: 'error', errorType: 'internal', error: 'the disk is full' }));
    return;
  }
  if (kind === 'rate_limited') {
    response.writeHead(429, { 'Retry-After': '1' }).end('slow down');
    return;
  }
  if (kind === 'html') {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html><title>Log in</title></html>');
    return;
  }
  let data: unknown;
  try {
    data = dataFor(answer, recorded);
  } catch (error) {
    response.writeHead(400).end(JSON.stringify({ status: 'error', errorType: 'bad_data', error: String(error) }));
    return;
  }
  const body = Buffer.from(JSON.stringify({ status: 'success', data }));
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  if (kind === 'slow_body') trickle(response, body);
  else if (kind === 'close_mid_body') {
    response.write(body.subarray(0, body.length / 2), () => response.destroy());
  } else response.end(body);
}

function trickle(response: ServerResponse, body: Buffer): void {
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < body.length - 1) response.write(body.subarray(sent, ++sent));
  }, 50);
  response.once('close', () => clearInterval(timer));
}

/** @throws {Error} on what Prometheus would not take, or the exporter must not send. */
async function read(request: IncomingMessage): Promise<RecordedRequest> {
  const form = new URLSearchParams(await readBody(request));
  if (request.method !== 'POST') throw new Error(`Expected POST, got ${request.method}.`);
  return { ...readForm(request.url ?? '', form), authorization: request.headers.authorization };
}

/** The same without a server: for a proxy that asks nobody. */
export function upstreamOf(answer: Answer): Upstream {
  return async (path, form) => {
    const request = { ...readForm(path, form), authorization: undefined };
    return { status: 200, body: JSON.stringify({ status: 'success', data: dataFor(answer, request) }) };
  };
}

/** @throws {Error} on what Prometheus would not take. */
export function readForm(path: string, form: URLSearchParams): Omit<RecordedRequest, 'authorization'> {
  const number = (name: string): number => {
    const value = Number(form.get(name) ?? Number.NaN);
    if (!Number.isFinite(value)) throw new Error(`Expected a number as ${name}, got ${form.get(name)}.`);
    return value;
  };
  const query = form.get('query') ?? '';
  if (path === '/api/v1/query') {
    const time = form.has('time') ? number('time') : Date.now() / 1000;
    return { kind: 'instant', query, startSeconds: time, endSeconds: time, stepSeconds: 1 };
  }
  if (path !== '/api/v1/query_range') throw new Error(`There is nothing at ${path}.`);
  const stepSeconds = number('step');
  if (stepSeconds <= 0) {
    throw new Error('zero or negative query resolution step widths are not accepted. Try a positive integer');
  }
  return {
    kind: 'range',
    query,
    startSeconds: number('start'),
    endSeconds: number('end'),
    stepSeconds,
  };
}

function dataFor(answer: Answer, request: RecordedRequest): unknown {
  if (request.kind === 'instant') {
    const result = answer(request.query, request.startSeconds).map(({ labels, value }) => ({
      metric: labels,
      value: [request.startSeconds, String(value)],
    }));
    return { resultType: 'vector', result };
  }
  const result = seriesOf(answer, request.query, instantsOf(request)).map(({ labels, samples }) => ({
    metric: labels,
    values: samples.map(({ timeSeconds, value }) => [timeSeconds, String(value)]),
  }));
  return { resultType: 'matrix', result };
}
