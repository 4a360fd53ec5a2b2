/** The check of the installation within the service. */

import type { Logger } from '../../lib/logging/logger.js';
import type { Settings } from '../config/settings.js';
import type { FeatureSet } from '../features/queries/feature-file.js';
import { PrometheusClient } from '../prometheus/client.js';
import type { ShardNamespaces } from '../sharding/shard-namespaces.js';
import { ShardedPrometheus } from '../sharding/sharded-prometheus.js';
import { checkConnection, conditionsOf } from './command.js';
import { gatherFacts } from './gather.js';
import { FindingsKeeper } from './keeper.js';

/**
 * A keeper that gathers with these settings.
 *
 * @param onRequest told of each request to Prometheus.
 * @param namespaces those of the shard; `undefined` for all.
 */
export function createFindingsKeeper(
  settings: Settings,
  { features, ownerQueries }: FeatureSet,
  logger: Logger,
  onRequest: (code: string) => void,
  namespaces: ShardNamespaces | undefined,
): FindingsKeeper {
  // A file that cannot be read is told of by the client of the detection.
  const client = new PrometheusClient(checkConnection(settings), { onRequest });
  const api = namespaces === undefined ? client : new ShardedPrometheus(client, namespaces);
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
        now,
        signal,
      }),
    conditions,
    logger,
    now: Date.now,
  });
}
