/** The check of the installation within the service. */

import type { Logger } from '../../lib/logging/logger.js';
import type { Settings } from '../config/settings.js';
import type { FeatureSet } from '../features/queries/feature-file.js';
import type { PrometheusServerApi } from '../prometheus/api.js';
import { conditionsOf } from './command.js';
import { gatherFacts } from './gather.js';
import { FindingsKeeper } from './keeper.js';

/** A keeper that gathers with these settings. */
export function createFindingsKeeper(
  settings: Settings,
  { features, ownerQueries }: FeatureSet,
  api: PrometheusServerApi,
  logger: Logger,
): FindingsKeeper {
  const now = () => Date.now() / 1000;
  const conditions = () => conditionsOf(settings, now());
  return new FindingsKeeper({
    gather: (signal) =>
      gatherFacts({
        api,
        features,
        ownerQueries,
        training: conditions().training,
        queryOffsetSeconds: settings.queryOffsetSeconds,
        nowSeconds: now,
        signal,
      }),
    conditions,
    logger,
    now: Date.now,
  });
}
