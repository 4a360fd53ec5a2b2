/** The socket of the HTTP application: where it listens, and how it stops. */

import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6, type Socket } from 'node:net';
import { ListenError } from './listen-error.js';

/** A server that accepts requests. */
export interface RunningServer {
  /** Base URL, with the port that was taken when 0 was asked for. */
  readonly url: string;
  /**
   * Stops to accept connections, lets the requests in flight finish and closes every other connection at once.
   * What still runs at the deadline is cut off. Resolves when the last connection is gone; never rejects.
   *
   * @param options.deadlineMs milliseconds until the cut-off. The default of 8 s leaves time to exit before 10 s.
   */
  close(options?: { readonly deadlineMs: number }): Promise<void>;
}

const LIMITS_MS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** Longer than the usual scrape intervals, so that Prometheus keeps its connection. */
  keepAliveTimeout: 75_000,
};

const DEADLINE_MS = 8_000;

/**
 * Serves the application.
 *
 * @param address.host an IP address or a name of this machine.
 * @param address.port from 0 to 65535; 0 takes a free one.
 * @throws {ListenError} when the address cannot be had.
 */
export async function listen(
  app: RequestListener,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<RunningServer> {
  const server = createServer(LIMITS_MS);
  const drain = prepareDrain(server);
  server.on('request', app);
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new ListenError(host, port, error);
  });
  const { port: taken } = server.address() as AddressInfo;
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${taken}`,
    close: async ({ deadlineMs } = { deadlineMs: DEADLINE_MS }) => {
      const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
      drain();
      await closed;
      clearTimeout(deadline);
    },
  };
}

/**
 * Keeps account of the connections, in place of `closeIdleConnections` of Node.js: that spares connections without a
 * request so far (browsers open some in advance) and cuts off responses that are written but not yet sent.
 *
 * @returns a function that closes the server, every idle connection, and each other one after its last response.
 */
function prepareDrain(server: Server): () => void {
  const sockets = new Set<Socket>();
  const inFlight = new Set<ServerResponse>();
  let draining = false;

  // `close` of Node.js calls this as well.
  server.closeIdleConnections = () => {
    const busy = new Set([...inFlight].map((response) => response.req.socket));
    for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (_request, response) => {
    inFlight.add(response);
    if (draining) response.setHeader('Connection', 'close');
    response.once('close', () => {
      inFlight.delete(response);
      if (draining) server.closeIdleConnections();
    });
  });
  return () => {
    draining = true;
    for (const response of inFlight) if (!response.headersSent) response.setHeader('Connection', 'close');
    server.close();
  };
}
