/** Limits of one request. The server limits the size of its headers (`server.ts`). */

import type { RequestHandler } from 'express';
import { sendError } from './errors.js';

/** Characters of a path with its query. The longest useful one names a namespace with 63 characters. */
const LONGEST_URL = 2_048;

/** Headers of one request. Browsers and proxies send some 30. */
export const MAXIMUM_HEADERS = 100;

/**
 * Answers 414 to long URLs, 431 to many headers and 413 to a body. No route reads a body: it stays unread, and the
 * connection is closed after the response.
 */
export const limitRequest: RequestHandler = (request, response, next) => {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) !== 0;
  if (hasBody) response.set('Connection', 'close');
  if (request.url.length > LONGEST_URL) {
    sendError(response, 'uri_too_long', `Expected a URL of at most ${LONGEST_URL} characters.`);
  } else if (request.rawHeaders.length / 2 > MAXIMUM_HEADERS) {
    sendError(response, 'headers_too_large', `Expected at most ${MAXIMUM_HEADERS} headers.`);
  } else if (hasBody && (request.method === 'GET' || request.method === 'HEAD')) {
    sendError(response, 'body_not_allowed', `Expected ${request.method} without a body.`);
  } else next();
};
