/** Bytes as a stranger sends them, and what comes back. */

import { connect, type Socket } from 'node:net';
import { within } from './waiting.js';

/** One answer, taken apart. */
export interface RawAnswer {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends bytes as they are and reads until the server closes the connection.
 *
 * @param url of the server; its path is not looked at.
 * @returns all that came, or as much as came before the connection broke off.
 */
export async function sendRaw(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  const ended = closed(socket);
  socket.write(bytes, 'latin1');
  try {
    await within(9_000, `the server to close the connection after ${JSON.stringify(bytes.slice(0, 60))}`, ended);
  } finally {
    socket.destroy();
  }
  return received;
}

/** Waits for the end of a connection, be it orderly or not; `once` of Node.js would reject on a broken one. */
export function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** The answers in what was received; a body without a length goes to the end. */
export function parseAnswers(received: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = received;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n') + 4;
    const [line = '', ...lines] = rest.slice(0, end).trimEnd().split('\r\n');
    const headers = Object.fromEntries(
      lines.map((header) => [
        header.slice(0, header.indexOf(':')).toLowerCase(),
        header.slice(header.indexOf(':') + 2),
      ]),
    );
    const isChunked = headers['transfer-encoding'] === 'chunked';
    const length = isChunked ? rest.indexOf('0\r\n\r\n', end) + 5 - end : Number(headers['content-length'] ?? Infinity);
    answers.push({ status: Number(line.split(' ')[1]), headers, body: rest.slice(end, end + length) });
    rest = rest.slice(end + length);
  }
  return answers;
}

/** A GET by hand; `lines` are further headers. */
export const getRequest = (path: string, ...lines: readonly string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n');
