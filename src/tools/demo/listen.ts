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

/** A port that is free now; another program may take it before it is used. */
export async function freePort(): Promise<number> {
  const server = await listen(() => undefined);
  await server.close();
  return Number(new URL(server.url).port);
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
