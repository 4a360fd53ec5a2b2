/** How long the caller of a detection waits. */

import type { Request } from 'express';

/** The header that Prometheus sends with each scrape, in seconds. `undefined` unless it is a positive, finite number. */
export function scrapeTimeoutSeconds(request: Request): number | undefined {
  const seconds = Number(request.get('X-Prometheus-Scrape-Timeout-Seconds'));
  return seconds > 0 && Number.isFinite(seconds) ? seconds : undefined;
}
