/** Real servers on 127.0.0.1 for tests. `closeServers` ends all of them, with every connection. */

import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import * as net from 'node:net';
import { freePort } from '../../src/tools/demo/listen.js';

/** Closes one server. */
const closers: (() => Promise<void>)[] = [];

/** For `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all(closers.splice(0).map((close) => close()));
}

/** @returns The server's base URL, `http://127.0.0.1:<port>`. */
export async function startServer(listener: http.RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listenForTest(http.createServer(listener))}`;
}

/** @returns The server's base URL, `https://127.0.0.1:<port>`. */
export async function startTlsServer(options: https.ServerOptions, listener: http.RequestListener): Promise<string> {
  return `https://127.0.0.1:${await listenForTest(https.createServer({ ...options }, listener))}`;
}

/** A server that speaks no protocol of its own. @returns `127.0.0.1:<port>`. */
export async function startRawServer(listener: (socket: Socket) => void): Promise<string> {
  return `127.0.0.1:${await listenForTest(net.createServer(listener))}`;
}

/** @returns `127.0.0.1:<port>` where nothing listens. */
export async function freeAddress(): Promise<string> {
  return `127.0.0.1:${await freePort()}`;
}

/** Listens on 127.0.0.1, or on another address of this machine, until `closeServers`. @returns The port. */
export async function listenForTest(server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  closers.push(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** The whole body of a request, as text. */
export async function readBody(request: http.IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
}

/** Where the server under test listens: an error of its socket fails the test. */
export const LOCAL = {
  host: '127.0.0.1',
  port: 0,
  onError: (error: Error): void => {
    throw error;
  },
};
