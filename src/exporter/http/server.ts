/** The socket of the HTTP application: where it listens, and how it stops. */

import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '../../lib/logging/message-of.js';
import { isAllowedClient } from '../../lib/web-config/client-certificate.js';
import type { TlsSettings } from '../../lib/web-config/config.js';
import { MAXIMUM_HEADERS } from './access.js';
import { Connections } from './connections.js';
import { ERROR_STATUS, type ErrorCode, type ErrorResponse } from './schemas.js';

export interface RunningServer {
  /** Base URL, with the port that was taken when 0 was asked for. */
  readonly url: string;
  /**
   * Stops to accept connections, lets the requests in flight finish and closes every other connection at once. What
   * still runs after `deadlineMs` is cut off. Resolves when the last connection is gone; never rejects.
   */
  close(options?: { readonly deadlineMs: number }): Promise<void>;
}

/** Times in milliseconds, sizes in bytes. */
const LIMITS = {
  /** Also until the first byte: a silent connection is closed. */
  headersTimeout: 10_000,
  /** Of TLS. */
  handshakeTimeout: 10_000,
  requestTimeout: 30_000,
  /** How often the two are checked; with the default of 30 s they would be five times as long. */
  connectionsCheckingInterval: 2_000,
  /** Longer than the usual scrape intervals, so that Prometheus keeps its connection. */
  keepAliveTimeout: 75_000,
  /** The request line and all headers together. */
  maxHeaderSize: 16_384,
};

/** Leaves time to exit before 10 s. */
const DEADLINE_MS = 8_000;

/** The server cannot listen; `message` says what was tried and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  /** @param cause the error of the operating system, or of the name look-up. */
  constructor(host: string, port: number, cause: unknown) {
    super(explain(host, port, cause), { cause });
  }
}

function explain(host: string, port: number, cause: unknown): string {
  switch (cause instanceof Error && 'code' in cause ? cause.code : undefined) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is already in use. Stop the other program or set PORT.`;
    case 'EACCES':
      return `No permission to listen on port ${port} of ${host}. Set PORT to 1024 or above.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host name ${host} cannot be resolved. Set HOST to an address of this machine.`;
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `The address ${host} does not belong to this machine. Set HOST to one that does, or to 0.0.0.0.`;
    default:
      return `Cannot listen on port ${port} of ${host}: ${messageOf(cause)}`;
  }
}

/** TLS settings, and how the server learns that they changed. */
interface ServerTls {
  readonly settings: TlsSettings;
  /** Calls the listener with settings whose `clientAuthType` is that of `settings`. */
  onChange(listener: (settings: TlsSettings) => void): void;
}

/**
 * Serves the application; without `tls` by plain HTTP.
 *
 * @param address `host` is an IP address or a name of this machine, `port` 0 takes a free one. `onError` gets each error
 *   of the socket after the start, such as a connection that the system cannot accept.
 * @throws {ListenError} when the address is not available.
 */
export async function listen(
  app: http.RequestListener,
  address: { readonly host: string; readonly port: number; readonly onError: (error: Error) => void },
  tls?: ServerTls,
): Promise<RunningServer> {
  const { host, port, onError } = address;
  const type = tls?.settings.clientAuthType;
  const handshake = {
    requestCert: type !== 'NoClientCert',
    rejectUnauthorized: type === 'RequireAndVerifyClientCert',
  };
  const server =
    tls === undefined
      ? http.createServer(LIMITS)
      : https.createServer({ ...LIMITS, ...tls.settings.context, ...handshake });
  // One more than allowed, so that a request with too many is recognised.
  server.maxHeadersCount = MAXIMUM_HEADERS + 1;
  const connections = new Connections(server, app);
  answerBadRequests(server, connections);
  if (server instanceof https.Server && tls !== undefined) followTls(server, tls, connections);
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new ListenError(host, port, error);
  });
  // Without a listener, the event would end the process.
  server.on('error', onError);
  const { port: taken } = server.address() as AddressInfo;
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${isIPv6(host) ? `[${host}]` : host}:${taken}`,
    close: async ({ deadlineMs } = { deadlineMs: DEADLINE_MS }) => {
      const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
      connections.renew();
      server.close();
      await closed;
      clearTimeout(deadline);
    },
  };
}

/** Rejects clients that the handshake accepts and the settings do not, and applies changed settings. */
function followTls(server: https.Server, tls: ServerTls, connections: Connections): void {
  let { settings } = tls;
  // Before Node.js looks for a request in it.
  server.prependListener('secureConnection', (socket) => {
    if (!isAllowedClient(socket, settings)) socket.destroy();
  });
  tls.onChange((changed) => {
    settings = changed;
    server.setSecureContext(changed.context);
    // Clients accepted under the old settings must present a certificate again.
    connections.renew();
  });
}

/** Errors that Node.js finds before there is a request, by its codes; every other one is `bad_request`. */
const PROTOCOL_ERRORS: Readonly<Record<string, { readonly code: ErrorCode; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: {
    code: 'headers_too_large',
    message: `The request line and headers exceed ${LIMITS.maxHeaderSize} bytes.`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request_timeout', message: 'The request took too long to arrive.' },
};

/** Answers a request that is not valid HTTP, or CONNECT, in the form of all errors, and closes the connection. */
function answerBadRequests(server: http.Server | https.Server, connections: Connections): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const { code = '' } = error;
    const isAnswerable = code.startsWith('HPE_') || Object.hasOwn(PROTOCOL_ERRORS, code);
    if (!isAnswerable || !socket.writable || connections.hasBegunToAnswer(socket)) socket.destroy();
    else answerRaw(socket, PROTOCOL_ERRORS[code] ?? { code: 'bad_request', message: 'Expected HTTP/1.1.' });
  });
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    // Behind a request that is being answered.
    if (connections.isAtWork(socket)) socket.destroy();
    else answerRaw(socket, { code: 'method_not_allowed', message: 'Expected GET or HEAD, got CONNECT.' });
  });
}

function answerRaw(socket: Duplex, error: ErrorResponse['error']): void {
  const status = ERROR_STATUS[error.code];
  const body = JSON.stringify({ error } satisfies ErrorResponse);
  const head = [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
