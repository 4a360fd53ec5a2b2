/** Asks Prometheus for the owners of pods. */

import type { PrometheusApi } from '../prometheus/api.js';
import { addMatchers } from './queries/matchers.js';
import { quotePromql } from './queries/promql.js';
import type { QueryOptions } from './queries/template.js';
import { type OwnerQueries, type Owners, resolveOwners } from './workload.js';

/** The queries for owners, in the scope of the features. kube-state-metrics always says `namespace`. */
export function buildOwnerQueries(scope: Pick<QueryOptions, 'namespaceRegex' | 'matchers'>): OwnerQueries {
  const namespaces = `{namespace=~${quotePromql(scope.namespaceRegex)}}`;
  const query = (metric: string) => addMatchers(metric + namespaces, scope.matchers ?? '');
  return {
    pod: query('kube_pod_owner'),
    replicaSet: query('kube_replicaset_owner'),
    job: query('kube_job_owner'),
  };
}

/**
 * The owners of the pods at one instant; empty where kube-state-metrics is not scraped.
 *
 * @throws {PrometheusError} when Prometheus cannot be asked.
 */
export async function queryOwners(
  api: PrometheusApi,
  queries: OwnerQueries,
  timeSeconds: number,
  signal?: AbortSignal,
): Promise<Owners> {
  const ask = (query: string) => api.query({ query, timeSeconds, signal });
  const [pod, replicaSet, job] = await Promise.all([
    ask(queries.pod),
    ask(queries.replicaSet),
    ask(queries.job),
  ]);
  return resolveOwners({ pod, replicaSet, job });
}
