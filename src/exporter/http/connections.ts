/** The connections of a server: how many there may be, whose, and what each of them is doing. */

import type * as http from 'node:http';
import type * as https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { networkOf } from '../../lib/client-network.js';
import { FairPlaces } from '../../lib/fair-places.js';

/** Some Prometheus servers and browsers need a few dozen; each takes some ten kilobytes. */
const MAXIMUM_CONNECTIONS = 512;

/** Requests of one connection that may wait for the answer to the one before them. Hardly any client sends more than one. */
const MAXIMUM_WAITING = 16;

/** A request, and who answers it. */
type Exchange = readonly [request: http.IncomingMessage, response: http.ServerResponse, app: http.RequestListener];

/** One connection. */
interface Connection {
  /** Of a TLS connection, which has two, the later one. */
  socket: Socket;
  /** The response to the request that is being answered. */
  current: http.ServerResponse | undefined;
  readonly waiting: Exchange[];
  /** No request after the one that is being answered. */
  isEnding: boolean;
}

/**
 * Keeps account of the connections, and gives their requests to the application.
 *
 * A connection has one request answered at a time, and the next one when its client has taken the answer: one who sends
 * requests without reading costs no more than one who sends one of them. Above the limit a new connection takes the place of
 * another, which is one of the client that has the most: one that is idle, and for the longest time. So nobody keeps out
 * the probes of Kubernetes.
 *
 * `closeIdleConnections` of Node.js is replaced: it spares connections without a request so far (browsers open some in
 * advance) and cuts off responses that are written but not yet sent.
 */
export class Connections {
  /** By the address of the client. */
  readonly #connections = new Map<string, Connection>();
  readonly #places = new FairPlaces<Connection>(MAXIMUM_CONNECTIONS);

  constructor(server: http.Server | https.Server, app: http.RequestListener) {
    // `close` of Node.js calls this as well.
    server.closeIdleConnections = () => this.#closeIdle();
    for (const event of ['connection', 'secureConnection']) server.on(event, (socket: Socket) => this.#open(socket));
    const receiveFor =
      (answer: http.RequestListener) => (request: http.IncomingMessage, response: http.ServerResponse) =>
        this.#receive([request, response, answer]);
    server.on('request', receiveFor(app));
    // A client that asks before it sends a body gets its answer without being asked for the body.
    server.on('checkContinue', receiveFor(app));
    // As Node.js does, which would not let it wait for its turn.
    server.on(
      'checkExpectation',
      receiveFor((_request, response) => response.writeHead(417).end()),
    );
  }

  /** Whether a request on this socket is being answered. */
  isAtWork(socket: Duplex): boolean {
    return this.#of(socket)?.current !== undefined;
  }

  /** Whether a part of an answer has been sent on this socket, and not all of it. */
  hasBegunToAnswer(socket: Duplex): boolean {
    return this.#of(socket)?.current?.headersSent === true;
  }

  /** Closes every idle connection, and each other one after its last response. */
  renew(): void {
    for (const connection of this.#connections.values()) {
      connection.isEnding = true;
      const { current } = connection;
      if (current?.headersSent === false) current.setHeader('Connection', 'close');
    }
    this.#closeIdle();
  }

  #of(socket: Duplex): Connection | undefined {
    return this.#connections.get(keyOf(socket as Socket));
  }

  #open(socket: Socket): void {
    const key = keyOf(socket);
    const known = this.#connections.get(key);
    const connection = known ?? { socket, current: undefined, waiting: [], isEnding: false };
    connection.socket = socket;
    socket.once('close', () => {
      if (connection.socket !== socket) return;
      this.#places.leave(connection);
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
    if (known !== undefined) return;
    const client = networkOf(socket.remoteAddress);
    if (this.#places.isFull) this.#makeRoom(client);
    this.#connections.set(key, connection);
    this.#places.enter(connection, client);
  }

  #makeRoom(client: string): void {
    const rivals = this.#places.rivalsOf(client);
    const leaving = rivals.find(({ current }) => current === undefined) ?? rivals[0];
    if (leaving === undefined) return;
    this.#places.leave(leaving);
    leaving.socket.destroy();
  }

  #receive(exchange: Exchange): void {
    const [{ socket }] = exchange;
    const connection = this.#of(socket);
    // Node.js goes on with what it has read already from a connection that is gone.
    if (connection === undefined || connection.isEnding || socket.destroyed) return;
    if (connection.current === undefined) this.#answer(connection, exchange);
    else if (connection.waiting.length < MAXIMUM_WAITING) connection.waiting.push(exchange);
    else {
      socket.destroy();
      stopParsing(socket);
    }
  }

  #answer(connection: Connection, [request, response, app]: Exchange): void {
    connection.current = response;
    response.once('close', () => {
      connection.current = undefined;
      const { socket, isEnding, waiting } = connection;
      if (socket.destroyed) return;
      if (isEnding) return void socket.destroySoon();
      const next = waiting.shift();
      if (next !== undefined) return this.#answer(connection, next);
      // Idle from now on.
      this.#places.enter(connection, networkOf(socket.remoteAddress));
    });
    app(request, response);
  }

  #closeIdle(): void {
    for (const { socket, current } of this.#connections.values()) if (current === undefined) socket.destroy();
  }
}

/**
 * Node.js goes on to parse what it has read from a connection that is closed, which may be a thousand requests: many such
 * connections would block the event loop for seconds. Its parser ends where the answer to a request is 2, as for an upgrade.
 * This is no documented part of Node.js; without it, only that time is lost.
 */
function stopParsing(socket: Socket & { readonly parser?: { onIncoming?: unknown } | null }): void {
  if (socket.parser) socket.parser.onIncoming = () => 2;
}

const keyOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
