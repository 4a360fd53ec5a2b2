/** How long a caller waits, by its own word. */

import type { Request } from 'express';
import type { ScrapeOptions } from './dependencies.js';

/** Reads the header that Prometheus sends with each scrape. What is not a positive, finite number is as good as absent. */
export function scrapeOptions(request: Request): ScrapeOptions {
  const seconds = Number(request.get('X-Prometheus-Scrape-Timeout-Seconds'));
  return { scrapeTimeoutSeconds: seconds > 0 && Number.isFinite(seconds) ? seconds : undefined };
}
