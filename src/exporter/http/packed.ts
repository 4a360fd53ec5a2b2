/**
 * Answers with a body that may be long. A body is rendered once, kept compressed, and shared by all requests for it, so that
 * slow readers need little memory. A client that does not take gzip gets it unpacked as fast as it reads.
 */

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';
import { AbandonedError, type SharedWork } from '../../lib/shared-work.js';

/** A body. */
export interface Packed {
  /** Exactly as sent. */
  readonly contentType: string;
  /** With gzip. */
  readonly compressed: Buffer;
  /** Length before that. */
  readonly bytes: number;
}

/** The quickest: the better ones take several times as long for metrics that become little smaller. */
const LEVEL = 1;

/** @param parts of the body; the next is asked for when those before it are compressed. */
export async function pack(
  contentType: string,
  parts: Iterable<string | Buffer> | AsyncIterable<string | Buffer>,
): Promise<Packed> {
  let bytes = 0;
  async function* counted() {
    for await (const part of parts) {
      bytes += Buffer.byteLength(part);
      yield part;
    }
  }
  const gzip = createGzip({ level: LEVEL });
  const [compressed] = await Promise.all([buffer(gzip), pipeline(Readable.from(counted()), gzip)]);
  return { contentType, compressed, bytes };
}

/** A client that takes nothing of its answer for this long is cut off. */
const STALL_MILLISECONDS = 30_000;

/** Sends a body, or as much of it as the client wants. Rejects with what is wrong here only. */
export async function sendPacked(request: Request, response: Response, packed: Packed): Promise<void> {
  const { contentType, compressed, bytes } = packed;
  const takesGzip = request.acceptsEncodings('gzip', 'identity') === 'gzip';
  // Not `type`: Express sorts the parameters of the content type, and Prometheus' is exact.
  response.setHeader('Content-Type', contentType);
  response.setHeader('Content-Length', takesGzip ? compressed.length : bytes);
  if (takesGzip) response.setHeader('Content-Encoding', 'gzip');
  response.vary('Accept-Encoding');
  if (request.method === 'HEAD') return void response.end();
  // Without a listener for it, the connection is closed then.
  response.setTimeout(STALL_MILLISECONDS);
  if (takesGzip) return void response.end(compressed);
  try {
    await pipeline(Readable.from([compressed]), createGunzip(), response);
  } catch (error) {
    // The client has left: nobody is there to answer, and nothing went wrong here.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/**
 * Sends a body that all who ask for it at the same time share.
 *
 * @param key what the body is about.
 * @param make renders it; it may call `requireWanted` of `SharedWork`.
 */
export async function sendShared<Key>(
  request: Request,
  response: Response,
  renderings: SharedWork<Key, Packed>,
  key: Key,
  make: (requireWanted: () => void) => Promise<Packed>,
): Promise<void> {
  try {
    await sendPacked(request, response, await renderings.run(key, () => !response.destroyed, make));
  } catch (error) {
    // All clients have left.
    if (!(error instanceof AbandonedError)) throw error;
  }
}

/**
 * Answers with a body that does not change, which is made at the first request.
 *
 * @param cacheControl what browsers may keep, by request; without it, nothing.
 */
export function fixed(
  contentType: string,
  make: () => string | Buffer | Promise<Buffer>,
  cacheControl?: (request: Request) => string,
): RequestHandler {
  let made: Promise<Packed & { readonly tag: string }> | undefined;
  const render = async () => {
    const body = await make();
    const tag = createHash('sha256').update(body).digest('base64url').slice(0, 16);
    return { ...(await pack(contentType, [body])), tag };
  };
  return async (request, response) => {
    made ??= render().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    const packed = await made;
    if (cacheControl !== undefined) {
      // Weak: the same for each encoding.
      response.set({ 'Cache-Control': cacheControl(request), ETag: `W/"${packed.tag}"` });
      if (request.fresh) return void response.status(304).end();
    }
    return sendPacked(request, response, packed);
  };
}
