/** Answers to requests that fail, always JSON and never with a stack trace. */

import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { ENDPOINTS } from './endpoints.js';
import { ERROR_STATUS, type ErrorCode, type ErrorResponse } from './schemas.js';

/** Sends an error with the status that belongs to its code. */
export function sendError(response: Response, code: ErrorCode, message: string): void {
  // The type is set although `json` does so: a handler that failed late may have set another.
  response
    .status(ERROR_STATUS[code])
    .type('json')
    .json({ error: { code, message } } satisfies ErrorResponse);
}

/** For every path that has no route: names those that have one. */
export const notFound: RequestHandler = (request, response) => {
  const known = ENDPOINTS.map(({ path }) => path).join(', ');
  sendError(response, 'not_found', `There is nothing at ${request.path}. Known paths: ${known}.`);
};

/** For every method but GET and HEAD on a path that has a route. */
export const methodNotAllowed: RequestHandler = (request, response) => {
  const message = `Expected GET or HEAD on ${request.path}, got ${request.method}.`;
  sendError(response.set('Allow', 'GET, HEAD'), 'method_not_allowed', message);
};

/** The last handler. An error is a fault of ours: logged whole, and answered without details. */
export function handleError(log: { logError(error: unknown, context: string): void }): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    log.logError(error, `${request.method} ${request.path}`);
    if (response.headersSent) response.destroy();
    else sendError(response, 'internal', 'Unexpected failure. See the log of the exporter.');
  };
}
