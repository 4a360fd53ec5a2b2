/** The HTTP application, without a socket: tests call it directly, and `server.ts` lends it a port. */

import { constants } from 'node:zlib';
import compression from 'compression';
import express, { type Express, type RequestHandler } from 'express';
import { limitRate, limitRequests, requireUser } from './access.js';
import type { AppDependencies } from './dependencies.js';
import { detect } from './detect.js';
import { docs, docsAssets } from './docs.js';
import { ENDPOINTS, type EndpointPath } from './endpoints.js';
import { handleError, methodNotAllowed, notFound } from './errors.js';
import { healthz } from './healthz.js';
import { metrics } from './metrics.js';
import { openApi } from './openapi.js';
import { probe } from './probes.js';
import { limitRequest } from './request-limits.js';
import { securityHeaders } from './security.js';
import { statusPageAssets } from './status-page/assets.js';
import { statusPage } from './status-page/route.js';

/** The quickest levels: the better ones take several times as long for metrics that become little smaller. */
const COMPRESSION = {
  level: 1,
  brotli: { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } },
  threshold: 1024,
};

/** Answered to everybody, always. */
const PROBES: ReadonlySet<EndpointPath> = new Set(['/-/healthy', '/-/ready']);

/** Those that ask Prometheus, score or explain: a limited number at the same time. */
const COSTLY: ReadonlySet<EndpointPath> = new Set(['/', '/metrics', '/detect']);

/** Builds the application. Every endpoint of the table answers GET and HEAD. */
export function createApp(dependencies: AppDependencies): Express {
  const handlers: Readonly<Record<EndpointPath, RequestHandler>> = {
    '/': statusPage(dependencies),
    '/metrics': metrics(dependencies),
    '/detect': detect(dependencies),
    '/healthz': healthz(dependencies),
    '/-/healthy': probe('healthy'),
    '/-/ready': probe('ready'),
    '/docs': docs,
    '/openapi.json': openApi(dependencies.version),
  };
  const app = express();
  app.disable('x-powered-by');
  // A hash over megabytes of metrics that differ at every scrape.
  app.disable('etag');
  const { access } = dependencies;
  app.use(
    securityHeaders(() => access.webConfig().headers),
    limitRequest,
  );
  const limit = limitRequests(access);
  const serve = (path: EndpointPath) => {
    const before = COSTLY.has(path) ? [limit] : [];
    app.route(path).get(before, handlers[path]).all(methodNotAllowed);
  };
  const paths = ENDPOINTS.map(({ path }) => path);
  // Before the log-in and the limits: a kubelet has no password, and the probes reveal nothing.
  for (const path of paths.filter((each) => PROBES.has(each))) serve(path);
  app.use(limitRate(access), requireUser(access), compression(COMPRESSION));
  for (const path of paths.filter((each) => !PROBES.has(each))) serve(path);
  app.use(docsAssets(), statusPageAssets(), notFound, handleError(dependencies));
  return app;
}
