/** A proxy before Prometheus that can be told to fail. */

import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the proxy does with a request. */
export type Fault =
  /** Passes it on. */
  | 'none'
  /** Closes the connection without an answer, as a server does that is stopped. */
  | 'stopped'
  /** Answers 200 with a page. */
  | 'garbage'
  /** Never answers. */
  | 'hanging'
  /** Sends half of the answer, then a byte a second. */
  | 'slow';

export interface FaultProxy {
  readonly url: string;
  fault: Fault;
  close(): Promise<void>;
}

/** Starts a proxy on 127.0.0.1 before the server at `upstream`. */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const handlers: Record<Fault, http.RequestListener> = {
    none: (request, response) => {
      passOn(upstream, request, (answer, body) => {
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        response.end(body);
      });
    },
    stopped: (request) => request.socket.destroy(),
    garbage: (_, response) => response.end('<!doctype html><title>Sign in</title>'),
    hanging: () => {},
    slow: (request, response) => {
      passOn(upstream, request, (answer, body) => {
        response.writeHead(answer.status);
        response.write(body.subarray(0, body.length / 2));
        const rest = setInterval(() => response.write(' '), 1000);
        response.on('close', () => clearInterval(rest));
      });
    },
  };
  const proxy = { fault: 'none' as Fault };
  const server = http.createServer((request, response) => handlers[proxy.fault](request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  });
}

function passOn(
  upstream: string,
  request: http.IncomingMessage,
  answered: (answer: Response, body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    try {
      const answer = await fetch(upstream + request.url, {
        method: request.method ?? 'GET',
        headers: { 'content-type': request.headers['content-type'] ?? '' },
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      });
      answered(answer, Buffer.from(await answer.arrayBuffer()));
    } catch {
      // The exporter sees what a broken server shows: a connection that ends.
      request.socket.destroy();
    }
  });
}
