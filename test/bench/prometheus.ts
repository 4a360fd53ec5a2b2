/**
 * A Prometheus that answers from memory, as a process of its own: `fork(prometheus.js, [PODS])`. It sends its address
 * as `{ url }` and ends with the process that started it.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import '../support/ends-with-parent.js';
import { Bodies, topicOf } from './bodies.js';
import { clusterOf } from './cluster.js';

const bodies = new Bodies(clusterOf(Number(process.argv[2])));

async function parametersOf(request: IncomingMessage): Promise<URLSearchParams> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return new URLSearchParams([...url.searchParams, ...new URLSearchParams(body)]);
}

function fail(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ status: 'error', errorType: 'bad_data', error }));
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isRange = request.url?.startsWith('/api/v1/query_range') === true;
  if (!isRange && request.url?.startsWith('/api/v1/query') !== true) {
    return fail(response, 404, `Nobody has told the stub about ${request.url}.`);
  }
  const parameters = await parametersOf(request);
  const query = parameters.get('query') ?? '';
  const topic = topicOf(query);
  if (topic === undefined) return fail(response, 400, `Nobody has told the stub how to answer ${query}.`);
  const milliseconds = (name: string) => Math.round(1000 * Number(parameters.get(name)));
  const instants: number[] = [];
  if (isRange) {
    for (let time = milliseconds('start'); time <= milliseconds('end'); time += milliseconds('step')) {
      instants.push(time);
    }
  } else instants.push(milliseconds('time'));
  const body = bodies.answer({ topic, type: isRange ? 'matrix' : 'vector', instants });
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => fail(response, 500, String(error)));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
