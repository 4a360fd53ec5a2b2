/** `/metrics`: everything in Prometheus' text format. */

import type { RequestHandler } from 'express';
import type { AppDependencies } from './dependencies.js';
import { scrapeTimeoutSeconds } from './scrape-timeout.js';

export function metrics({ exporter }: Pick<AppDependencies, 'exporter'>): RequestHandler {
  return async (request, response) => {
    const { contentType, body } = await exporter.renderMetrics(scrapeTimeoutSeconds(request));
    // Not `send`: Express sorts the parameters of the content type, and Prometheus' is exact.
    response.setHeader('Content-Type', contentType);
    response.end(body);
  };
}
