/** The HTTP application, without a socket: tests call it directly, and `server.ts` lends it a port. */

import express, { type Express, type RequestHandler } from 'express';
import { limitRate, limitRequest, limitRequests, requireUser } from './access.js';
import type { AppDependencies } from './dependencies.js';
import { detect } from './detect.js';
import { docs, docsAssets } from './docs.js';
import { ENDPOINTS, type EndpointPath } from './endpoints.js';
import { handleError, methodNotAllowed, notFound } from './errors.js';
import { metrics } from './metrics.js';
import { buildOpenApi } from './openapi.js';
import { fixed } from './packed.js';
import { securityHeaders } from './security.js';
import { statusPageAssets } from './status-page/assets.js';
import { statusPage } from './status-page/page.js';

/** Answered to everybody, always. */
const PROBES: ReadonlySet<EndpointPath> = new Set(['/-/healthy', '/-/ready']);

/**
 * For Kubernetes. Neither probe looks at Prometheus or the model: to restart or unlink the exporter would help neither,
 * and would hide its own metrics.
 */
const probe =
  (state: 'healthy' | 'ready'): RequestHandler =>
  (_request, response) =>
    void response.type('text/plain').send(`k8s-anomaly-detector is ${state}.\n`);

/** Builds the application. Every endpoint of the table answers GET and HEAD. */
export function createApp(dependencies: AppDependencies): Express {
  const { access, exporter } = dependencies;
  const handlers: Readonly<Record<EndpointPath, RequestHandler>> = {
    '/': statusPage(dependencies),
    '/metrics': metrics(dependencies),
    '/detect': detect(dependencies),
    // Always with status 200: it is for people and dashboards, not for probes.
    '/healthz': (_request, response) => void response.json(exporter.health()),
    '/-/healthy': probe('healthy'),
    '/-/ready': probe('ready'),
    '/docs': docs,
    '/openapi.json': fixed('application/json; charset=utf-8', () => JSON.stringify(buildOpenApi(dependencies.version))),
  };
  const app = express();
  app.disable('x-powered-by');
  // A hash over megabytes of metrics that differ at every scrape.
  app.disable('etag');
  app.use(
    securityHeaders(() => access.webConfig().headers),
    limitRequest,
  );
  const serve = (path: EndpointPath) => app.route(path).get(handlers[path]).all(methodNotAllowed);
  const paths = ENDPOINTS.map(({ path }) => path);
  // Before the log-in and the limits: a kubelet has no password, and the probes reveal nothing.
  for (const path of paths.filter((each) => PROBES.has(each))) serve(path);
  app.use(limitRate(access), requireUser(access), limitRequests(access));
  for (const path of paths.filter((each) => !PROBES.has(each))) serve(path);
  app.use(docsAssets(), statusPageAssets(), notFound, handleError(dependencies));
  return app;
}
