/** HTTP servers of the demo: on this machine only. */

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RunningServer {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  /** Stops listening and ends open connections. */
  close(): Promise<void>;
}

/** Listens on 127.0.0.1; port 0 takes a free one. */
export async function listen(handler: RequestListener, port = 0): Promise<RunningServer> {
  const server = createServer(handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Below the ports that Linux gives to outgoing connections and to servers that take any: one of those might be taken
 * before it is used.
 */
const FIRST_PORT = 10_000;
const LAST_PORT = 31_999;
/** Another process begins elsewhere, and a port that was given is not given again soon. */
const PORTS_OF_A_PROCESS = 100;
let portsGiven = 0;

/** A port that is free now, and that no other process takes soon which asks here. */
export async function freePort(): Promise<number> {
  const ports = LAST_PORT - FIRST_PORT + 1;
  for (let tries = 0; tries < ports; tries++) {
    const port = FIRST_PORT + ((process.pid * PORTS_OF_A_PROCESS + portsGiven++) % ports);
    const server = await listen(() => undefined, port).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error;
    });
    if (server === undefined) continue;
    await server.close();
    return port;
  }
  throw new Error(`Expected a free port between ${FIRST_PORT} and ${LAST_PORT}, but all are taken.`);
}

/**
 * Explains that the port of the exporter is taken, with the option of the demo instead of the setting `PORT`.
 *
 * @param error thrown by the start of the exporter, with the error of the operating system as its cause.
 * @returns an error for people, or `error` itself if it is about something else.
 */
export function portError(error: unknown, port: number): unknown {
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  const explanations: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} is taken by another program. Stop it, or choose another one`,
    EACCES: `This process may not listen on port ${port}. Choose 1024 or above`,
  };
  const explanation = explanations[cause?.code ?? ''];
  return explanation ? new Error(`${explanation} with --port (0 takes a free one).`, { cause }) : error;
}
