/** The check of the installation within the service. */

import { gatherFacts } from '../check/gather.js';
import { FindingsKeeper } from '../check/keeper.js';
import type { Settings } from '../config/settings.js';
import type { FeatureDefinition } from '../features/catalog.js';
import type { Logger } from '../logging/logger.js';
import { createPrometheusClient } from '../prometheus/client.js';
import { CHECK_MAX_RESPONSE_BYTES, conditionsOf } from './check.js';

/** A keeper that gathers with these settings. `onRequest` is told of each request to Prometheus. */
export function createFindingsKeeper(
  settings: Settings,
  features: readonly FeatureDefinition[],
  logger: Logger,
  onRequest: (code: string) => void,
): FindingsKeeper {
  const api = createPrometheusClient({
    baseUrl: settings.prometheusUrl,
    maxResponseBytes: CHECK_MAX_RESPONSE_BYTES,
    onRequest,
  });
  const now = () => Date.now() / 1000;
  const conditions = () => conditionsOf(settings, now());
  return new FindingsKeeper({
    gather: (signal) => gatherFacts({ api, features, training: conditions().training, now, signal }),
    conditions,
    logger,
    now: Date.now,
  });
}
