/** `/metrics`: everything in Prometheus' text format. */

import type { RequestHandler } from 'express';
import type { AppDependencies } from './dependencies.js';
import { scrapeOptions } from './scrape-timeout.js';

export function metrics({ renderMetrics }: Pick<AppDependencies, 'renderMetrics'>): RequestHandler {
  return async (request, response) => {
    const { contentType, body } = await renderMetrics(scrapeOptions(request));
    // Not `send`: Express sorts the parameters of the content type, and Prometheus' is exact.
    response.setHeader('Content-Type', contentType);
    response.end(body);
  };
}
