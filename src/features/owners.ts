/** Asks Prometheus for the owners of pods. */

import type { PrometheusApi } from '../prometheus/api.js';
import { OWNER_QUERIES, type Owners, resolveOwners } from './workload.js';

/**
 * The owners of all pods at one instant; empty where kube-state-metrics is not scraped.
 *
 * @throws {PrometheusError} when Prometheus cannot be asked.
 */
export async function queryOwners(
  api: PrometheusApi,
  timeSeconds: number,
  signal: AbortSignal,
): Promise<Owners> {
  const ask = (query: string) => api.query({ query, timeSeconds, signal });
  const [pod, replicaSet, job] = await Promise.all([
    ask(OWNER_QUERIES.pod),
    ask(OWNER_QUERIES.replicaSet),
    ask(OWNER_QUERIES.job),
  ]);
  return resolveOwners({ pod, replicaSet, job });
}
