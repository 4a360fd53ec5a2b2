/** How far a request has come: a server that is never reached needs another advice than one that is slow. */

import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type Socket } from 'node:net';

/** `lookup`: of the address of the host name. `connection`: packets are sent, and nobody answers. `answer`: of the request. */
export type Stage = 'lookup' | 'connection' | 'handshake' | 'answer';

/**
 * Time for the address and the connection, in milliseconds: a packet that is lost is sent again after 1 and 3 s. Shorter
 * than a pass by default, so that its message tells what is wrong.
 */
const CONNECTION_LIMIT_MILLISECONDS = 4_000;

const stages = new WeakMap<http.ClientRequest, Stage>();

/** What a request waits for, or waited for when it ended. */
export function stageOf(request: unknown): Stage {
  return (request instanceof http.ClientRequest && stages.get(request)) || 'answer';
}

/** As `http.request` and `https.request`, for axios; a request whose connection is not made in time is ended. */
export const followedTransport = {
  request(options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void): http.ClientRequest {
    const { request: send } = options.protocol === 'https:' ? https : http;
    return follow(send(options, onResponse), CONNECTION_LIMIT_MILLISECONDS);
  },
};

export function follow(request: http.ClientRequest, limitMilliseconds: number): http.ClientRequest {
  const enter = (stage: Stage) => void stages.set(request, stage);
  // Through a tunnel, the socket comes once the proxy has made it.
  enter('connection');
  const timer = setTimeout(() => {
    const error = new NoConnectionError(stageOf(request), limitMilliseconds);
    request.destroy(error);
    // Without a socket, Node.js emits no error.
    if (!request.socket) request.emit('error', error);
  }, limitMilliseconds);
  const stop = () => clearTimeout(timer);
  request.once('close', stop);
  request.once('socket', (socket) => {
    const connected = () => {
      stop();
      if (!isHandshaking(socket)) return enter('answer');
      enter('handshake');
      socket.once('secureConnect', () => enter('answer'));
    };
    if (!socket.connecting) return connected();
    if (isIP(request.host.replace(/^\[|\]$/g, '')) === 0) enter('lookup');
    socket.once('lookup', () => enter('connection'));
    socket.once('connect', connected);
  });
  return request;
}

/** Node.js has this property, and does not document it; without it, a handshake counts as part of the answer. */
const isHandshaking = (socket: Socket & { readonly secureConnecting?: boolean }) => socket.secureConnecting === true;

/** The codes are those of the system, which gives up after minutes. */
class NoConnectionError extends Error {
  override readonly name = 'NoConnectionError';
  readonly code: 'EAI_AGAIN' | 'ETIMEDOUT';

  constructor(stage: Stage, milliseconds: number) {
    super(`no ${stage === 'lookup' ? 'address of the host name' : 'connection'} within ${milliseconds / 1000} s`);
    this.code = stage === 'lookup' ? 'EAI_AGAIN' : 'ETIMEDOUT';
  }
}
