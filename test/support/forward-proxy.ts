/** A small real HTTP proxy for tests: forwards requests, and opens tunnels. `closeServers` ends it. */

import * as http from 'node:http';
import * as net from 'node:net';
import { listenForTest } from './http-server.js';

/** A running proxy. */
export interface ForwardProxy {
  readonly url: string;
  /** What came so far: `POST http://…` or `CONNECT host:port`. */
  readonly requests: string[];
}

/** @param authorization What `Proxy-Authorization` must be; anything if unset. */
export async function startForwardProxy(authorization?: string, host = '127.0.0.1'): Promise<ForwardProxy> {
  const requests: string[] = [];
  const mayPass = ({ headers }: http.IncomingMessage) =>
    authorization === undefined || headers['proxy-authorization'] === authorization;
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (!mayPass(request)) {
      response.writeHead(407).end('Proxy Authentication Required');
      return;
    }
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const onward = http.request(request.url ?? '', { method: request.method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end('The proxy cannot reach the server.'));
    request.pipe(onward);
  });
  server.on('connect', (request, client: net.Socket, head: Buffer) => {
    requests.push(`CONNECT ${request.url}`);
    if (!mayPass(request)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const onward = net.connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(client);
      client.pipe(onward);
    });
    onward.on('error', () => client.destroy());
    client.on('error', () => onward.destroy());
    client.on('close', () => onward.destroy());
  });
  const name = net.isIPv6(host) ? `[${host}]` : host;
  return { url: `http://${name}:${await listenForTest(server, host)}`, requests };
}
