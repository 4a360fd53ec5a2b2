/**
 * The table of endpoints. The routes, the OpenAPI document, the status page and the README's table derive from it:
 * to add an endpoint, add a row, and the compiler asks `app.ts` for its handler.
 */

import type { z } from 'zod';
import { DetectQuery } from './detect-query.js';
import type { SchemaName } from './schemas.js';
import { StatusQuery } from './status-page/filters.js';

/** Media type of Prometheus' text format, exactly as Prometheus 3 wants it. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** One endpoint, for GET and HEAD. */
export interface Endpoint {
  readonly path: `/${string}`;
  readonly summary: string;
  /** Its query parameters, all optional. */
  readonly query?: z.ZodObject;
  /** By HTTP status. `schema` is the shape of the body; absent for text and for JSON with a standard of its own. */
  readonly responses: Readonly<
    Record<number, { readonly description: string; readonly contentType: string; readonly schema?: SchemaName }>
  >;
}

const text = (description: string) => ({ description, contentType: 'text/plain; charset=utf-8' });
const html = (description: string) => ({ description, contentType: 'text/html; charset=utf-8' });
const json = (description: string, schema?: SchemaName) => ({
  description,
  contentType: 'application/json',
  ...(schema && { schema }),
});

const error = (description: string) => json(description, 'ErrorResponse');

/** Answered by every endpoint but the probes, where the web configuration or WEB_MAX_REQUESTS says so. */
const REFUSED = {
  401: error('The user name or password is invalid (`basic_auth_users` of the web configuration).'),
  429: error('The request exceeds `rate_limit` of the web configuration.'),
  503: error('Too many concurrent requests or log-ins.'),
};

export const ENDPOINTS = [
  {
    path: '/',
    summary:
      'The status page: which workloads are anomalous, why and since when, one pod, the state of the model and of Prometheus.',
    query: StatusQuery,
    responses: { 200: html('The page.'), ...REFUSED },
  },
  {
    path: '/metrics',
    summary: 'Anomaly flags and scores of all pods, and metrics of the exporter itself, for Prometheus.',
    responses: {
      200: {
        description: 'Metrics in the text format; without pods when they cannot be scored.',
        contentType: METRICS_CONTENT_TYPE,
      },
      ...REFUSED,
    },
  },
  {
    path: '/detect',
    summary:
      'Flags and scores of pods as JSON, the most anomalous first, with the usual values and the distance from them.',
    query: DetectQuery,
    responses: {
      200: json('The judgement.', 'DetectResponse'),
      400: error('A query parameter is invalid or unknown.'),
      500: error('The exporter failed. See its log.'),
      502: error('Prometheus failed, or its response cannot be used.'),
      ...REFUSED,
      503: error('There is no model yet, or there are too many concurrent requests or log-ins.'),
      504: error('The detection pass took too long.'),
    },
  },
  {
    path: '/healthz',
    summary: 'The state of the model, the trainings and Prometheus as JSON.',
    responses: {
      200: json('The state; the status is 200 also when it is degraded.', 'HealthReport'),
      ...REFUSED,
    },
  },
  {
    path: '/-/healthy',
    summary: 'Liveness probe; does not depend on Prometheus.',
    responses: { 200: text('The process is alive.') },
  },
  {
    path: '/-/ready',
    summary: 'Readiness probe; does not depend on Prometheus.',
    responses: { 200: text('The process serves.') },
  },
  {
    path: '/docs',
    summary: 'This API in Swagger UI.',
    responses: { 200: html('The page.'), ...REFUSED },
  },
  {
    path: '/openapi.json',
    summary: 'This API as an OpenAPI 3.1 document.',
    responses: { 200: json('The document.'), ...REFUSED },
  },
] as const satisfies readonly Endpoint[];

export type EndpointPath = (typeof ENDPOINTS)[number]['path'];
