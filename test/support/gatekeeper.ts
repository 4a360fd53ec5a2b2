/** Stands before a real Prometheus as what guards it on a platform does: lets through what it would, and refuses the rest. */

import * as http from 'node:http';
import type * as https from 'node:https';
import { readBody, startServer, startTlsServer } from './http-server.js';

/** One request, before it is passed on. */
export interface Guarded {
  readonly path: string;
  /** Query of the address and body together. */
  readonly form: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
}

/** Why it is refused. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

export interface GatekeeperRules {
  /** For HTTPS. */
  readonly tls?: https.ServerOptions;
  /** Nothing lets it through. */
  readonly refusal: (request: Guarded) => Refusal | undefined;
  /** The path at the server behind; by default the same. */
  readonly pathBehind?: (path: string) => string;
}

/** Listens until `closeServers`. @returns Its base URL. */
export function startGatekeeper(upstream: string, { tls, refusal, pathBehind = (path) => path }: GatekeeperRules) {
  const listener: http.RequestListener = async (request, response) => {
    const body = await readBody(request);
    const { pathname, search, searchParams } = new URL(request.url ?? '', 'http://gatekeeper');
    const form = new URLSearchParams([...searchParams, ...new URLSearchParams(body)]);
    const refused = refusal({ path: pathname, form, headers: request.headers });
    if (refused !== undefined) {
      response.writeHead(refused.status, { 'content-type': 'text/plain' }).end(refused.text);
      return;
    }
    // What was shown to the gatekeeper is not for the server behind.
    const { authorization: _, host: __, connection: ___, ...headers } = request.headers;
    const options = { method: request.method ?? 'GET', headers };
    const onward = http.request(upstream + pathBehind(pathname) + search, options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', () => response.destroy()).pipe(response);
    });
    onward.on('error', () => response.destroy()).end(body);
  };
  return tls === undefined ? startServer(listener) : startTlsServer(tls, listener);
}
