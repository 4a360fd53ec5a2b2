/** A proxy before Prometheus that can be told to fail, in every way that a server, a network or a proxy can. */

import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from './http-server.js';

/** One whole answer of the server behind the proxy. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly body: string;
}

/** Answers a request in place of Prometheus, or by asking it. `form` is the body of the request. */
export type Upstream = (path: string, form: URLSearchParams) => Promise<UpstreamAnswer>;

/** One request to the proxy. */
export interface Exchange {
  readonly path: string;
  readonly form: URLSearchParams;
  /** The PromQL that was asked for. */
  readonly query: string;
  readonly response: http.ServerResponse;
  /** What the server behind answers. */
  readonly upstream: () => Promise<UpstreamAnswer>;
}

/** What the proxy does with a request, in place of passing it on. A rejection breaks the connection off. */
export type Behaviour = (exchange: Exchange) => void | Promise<void>;

/** `refuse` is no behaviour of a request: nothing listens. */
export type FaultSwitch = Behaviour | 'refuse' | undefined;

export interface FaultProxy {
  readonly url: string;
  /** Requests that have neither been answered nor given up. */
  readonly open: number;
  /** From now on; `undefined` passes everything on. What has begun goes on as it began, unless it is cut off. */
  switchTo(fault: FaultSwitch): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy on 127.0.0.1, on a free port that it keeps. */
export async function startFaultProxy(upstream: Upstream | string): Promise<FaultProxy> {
  const ask = typeof upstream === 'string' ? serverAt(upstream) : upstream;
  const open = new Set<http.ServerResponse>();
  let behaviour: Behaviour = passOn;
  const server = http.createServer(async (request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    response.on('error', () => {});
    const chosen = behaviour;
    try {
      const form = new URLSearchParams(await readBody(request));
      const path = request.url ?? '';
      await chosen({ path, form, query: form.get('query') ?? '', response, upstream: () => ask(path, form) });
    } catch {
      // The exporter sees what a broken server shows: a connection that ends.
      response.destroy();
    }
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const stop = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    get open() {
      return open.size;
    },
    async switchTo(fault) {
      behaviour = fault === 'refuse' || fault === undefined ? passOn : fault;
      if (fault === 'refuse') await stop();
      else if (!server.listening) await listen(port);
    },
    close: stop,
  };
}

/** What the proxy does when nothing is wrong. */
export const passOn: Behaviour = async ({ response, upstream }) => {
  const { status, body } = await upstream();
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(body);
};

function serverAt(url: string): Upstream {
  return async (path, form) => {
    // Only questions for labels have no form.
    const answer = await fetch(url + path, form.size === 0 ? {} : { method: 'POST', body: form });
    return { status: answer.status, body: await answer.text() };
  };
}
