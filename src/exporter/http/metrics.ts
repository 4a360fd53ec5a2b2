/** `/metrics`: flags and scores for Prometheus. */

import type { RequestHandler } from 'express';
import { SharedWork } from '../../lib/shared-work.js';
import type { AppDependencies, RenderedMetrics } from './dependencies.js';
import { type Packed, pack, sendShared } from './packed.js';
import { scrapeTimeoutSeconds } from './scrape-timeout.js';

/** Scrapes that get the same text share its compression. */
export function metrics({ exporter }: Pick<AppDependencies, 'exporter'>): RequestHandler {
  const packing = new SharedWork<RenderedMetrics, Packed>();
  return async (request, response) => {
    const rendered = await exporter.renderMetrics(scrapeTimeoutSeconds(request));
    const { contentType, body } = rendered;
    await sendShared(request, response, packing, rendered, () => pack(contentType, [body]));
  };
}
