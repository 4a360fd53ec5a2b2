/** The body of a response, as it arrives. */

import type { Readable } from 'node:stream';
import { AxiosError, type AxiosResponse, isCancel } from 'axios';

/** The code that was given a chunk threw, for the reason in `cause`. */
export class HandlerError extends Error {
  override readonly name = 'HandlerError';
}

/**
 * Hands on each chunk of a body, and returns at its end.
 *
 * @throws {AxiosError} with the response where the body broke off, as axios does when it reads bodies itself.
 * @throws {HandlerError} where `onChunk` has thrown: the fault is not the server's.
 */
export async function readBody(response: AxiosResponse<Readable>, onChunk: (chunk: Buffer) => void): Promise<void> {
  try {
    for await (const chunk of response.data) {
      try {
        onChunk(chunk as Buffer);
      } catch (error) {
        throw new HandlerError('What reads the answer failed.', { cause: error });
      }
    }
  } catch (error) {
    if (error instanceof HandlerError) throw error;
    // A limit that was passed is an error of axios already; an order to stop says nothing about the response.
    if (!(error instanceof Error) || error instanceof AxiosError || isCancel(error)) throw error;
    throw AxiosError.from(error, undefined, response.config, response.request, response);
  }
}

/** A body as text, of which no more than the first bytes are kept: those of an error, for example, may be of any size. */
export async function readText(response: AxiosResponse<Readable>, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let left = mostBytes;
  await readBody(response, (chunk) => {
    if (left > 0) chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
  });
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
}
