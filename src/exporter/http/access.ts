/** Who may send requests, how many and how large: the web configuration, and limits. */

import { isDeepStrictEqual } from 'node:util';
import type { RequestHandler, Response } from 'express';
import { networkOf } from '../../lib/client-network.js';
import { FairPlaces } from '../../lib/fair-places.js';
import { BasicAuth } from '../../lib/web-config/basic-auth.js';
import type { WebConfig } from '../../lib/web-config/config.js';
import { TokenBucket } from '../../lib/web-config/token-bucket.js';
import { sendError } from './errors.js';

/** What access is decided on. */
export interface Access {
  webConfig(): WebConfig;
  /** Whether a password is the one of a bcrypt hash: slow. */
  comparePassword(password: string, hash: string): Promise<boolean>;
  /** Milliseconds of a clock. */
  now(): number;
  /** Limit of concurrent requests that are no probes; 0 for no limit. */
  readonly maxRequests: number;
}

/** Answers 429 above the configured rate, as the exporter-toolkit does: for all clients together, before the log-in. */
export function limitRate({ webConfig, now }: Access): RequestHandler {
  let bucket: TokenBucket | undefined;
  return (_request, response, next) => {
    const { rateLimit } = webConfig();
    if (rateLimit === undefined) return next();
    if (!isDeepStrictEqual(bucket?.limit, rateLimit)) bucket = undefined;
    bucket ??= new TokenBucket(rateLimit, now());
    const waitMilliseconds = bucket.take(now());
    if (waitMilliseconds === 0) return next();
    const { burst, intervalMilliseconds } = rateLimit;
    response.set('Retry-After', String(Math.ceil(waitMilliseconds / 1000)));
    const limit = `at most ${burst} requests at once and one more every ${intervalMilliseconds / 1000} s`;
    const message = `Expected ${limit}, the rate_limit of the web configuration. Try again later.`;
    sendError(response, 'too_many_requests', message);
  };
}

/** Answers 401 to unknown users and wrong passwords, without saying which of the two was wrong. */
export function requireUser({ webConfig, comparePassword, now }: Access): RequestHandler {
  const basicAuth = new BasicAuth({ compare: comparePassword, now });
  return async (request, response, next) => {
    const { users } = webConfig();
    if (users.size === 0) return next();
    const caller = { client: networkOf(request.socket.remoteAddress), isWaiting: () => !response.destroyed };
    switch (await basicAuth.check(users, request.headers.authorization, caller)) {
      case 'allowed':
        return next();
      case 'busy':
        response.set('Retry-After', '1');
        return sendError(response, 'overloaded', 'Too many log-ins are being checked. Try again later.');
      case 'denied':
        response.set('WWW-Authenticate', 'Basic realm="k8s-anomaly-detector", charset="UTF-8"');
        return sendError(response, 'unauthorized', 'Invalid user name or password.');
    }
  };
}

/** The longest REQUEST_TIMEOUT_SECONDS and half a minute to read the response; later, a request only blocks others. */
const LONGEST_REQUEST_MILLISECONDS = 330_000;

/**
 * Answers 503 above the limit of concurrent requests: one limit for all routes that use this handler. One whose client has
 * fewer of them than another is answered all the same, in place of the oldest request of that other.
 */
export function limitRequests({ maxRequests }: Access): RequestHandler {
  if (maxRequests === 0) return (_request, _response, next) => next();
  const places = new FairPlaces<Response>(maxRequests);
  return (request, response, next) => {
    // The client has left during the log-in: the response is closed already, and would hold its place for ever.
    if (response.destroyed) return;
    const client = networkOf(request.socket.remoteAddress);
    if (places.isFull) {
      const [oldest] = places.hasFewer(client) ? places.rivalsOf(client) : [];
      if (oldest === undefined) {
        const message = `Limit of concurrent requests reached (${maxRequests}, WEB_MAX_REQUESTS). Try again later.`;
        return sendError(response.set('Retry-After', '1'), 'overloaded', message);
      }
      places.leave(oldest);
      oldest.destroy();
    }
    places.enter(response, client);
    const deadline = setTimeout(() => response.destroy(), LONGEST_REQUEST_MILLISECONDS);
    response.once('close', () => {
      places.leave(response);
      clearTimeout(deadline);
    });
    next();
  };
}

/** Characters of a path with its query. The longest useful one names a namespace with 63 characters. */
const LONGEST_URL = 2_048;

/** Headers of one request. Browsers and proxies send some 30. The server limits their size (`server.ts`). */
export const MAXIMUM_HEADERS = 100;

/**
 * Answers 414 to long URLs, 431 to many headers and 413 to a body. No route reads a body: it stays unread, and the
 * connection is closed after the response.
 */
export const limitRequest: RequestHandler = ({ headers, rawHeaders, method, url }, response, next) => {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
  if (hasBody) response.set('Connection', 'close');
  if (url.length > LONGEST_URL) {
    sendError(response, 'uri_too_long', `Expected a URL of at most ${LONGEST_URL} characters.`);
  } else if (rawHeaders.length / 2 > MAXIMUM_HEADERS) {
    sendError(response, 'headers_too_large', `Expected at most ${MAXIMUM_HEADERS} headers.`);
  } else if (hasBody && (method === 'GET' || method === 'HEAD')) {
    sendError(response, 'body_not_allowed', `Expected ${method} without a body.`);
  } else next();
};
