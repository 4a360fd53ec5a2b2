/** Which workload a pod belongs to: by kube-state-metrics where it is there, else by the pod's name. */

import type { Labels, PrometheusApi, SeriesSet } from '../prometheus/api.js';
import { addMatchers } from './queries/matchers.js';
import { quotePromql } from './queries/promql.js';
import type { QueryScope } from './queries/template.js';
import { isObjectName, podKey } from './table.js';

/** The queries that name the owners of pods, and the owners of those owners. */
export type OwnerQueries = Readonly<Record<'pod' | 'replicaSet' | 'job', string>>;

/** The answers to the owner queries. */
export type OwnerAnswers = Readonly<Record<keyof OwnerQueries, SeriesSet>>;

/** Workload of a pod by its key (`podKey`), as far as kube-state-metrics names an owner. */
export type Owners = ReadonlyMap<string, string>;

/** The queries for owners, in the scope of the features. kube-state-metrics always says `namespace`. */
export function buildOwnerQueries(scope: QueryScope): OwnerQueries {
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
  const [pod, replicaSet, job] = await Promise.all([ask(queries.pod), ask(queries.replicaSet), ask(queries.job)]);
  return resolveOwners({ pod, replicaSet, job });
}

/** Follows each pod's owner up to the object that a person made: ReplicaSet → Deployment, Job → CronJob. */
export function resolveOwners(answers: OwnerAnswers): Owners {
  const above: Readonly<Record<string, ReadonlyMap<string, Labels>>> = {
    ReplicaSet: preferredOwners(answers.replicaSet, 'replicaset'),
    Job: preferredOwners(answers.job, 'job_name'),
  };
  const owners = new Map<string, string>();
  for (const [key, labels] of preferredOwners(answers.pod, 'pod')) {
    const { namespace = '', pod = '', owner_kind: kind = '', owner_name: name = '' } = labels;
    // A static pod is owned by its node and named after it: `etcd-node-1`. A node is no workload.
    if (kind === 'Node') owners.set(key, pod.endsWith(`-${name}`) ? pod.slice(0, -name.length - 1) : pod);
    else owners.set(key, above[kind]?.get(podKey(namespace, name))?.owner_name ?? name);
  }
  return owners;
}

/**
 * For each object that has any owner, the labels of the series with the one that controls it, of several the first by
 * kind and name. Prometheus answers in no order that replicas could rely on.
 */
function preferredOwners(series: SeriesSet, nameLabel: string): ReadonlyMap<string, Labels> {
  const owned = new Map<string, Labels>();
  for (const labels of series.labels) {
    const { namespace, [nameLabel]: name, owner_name: owner } = labels;
    // kube-state-metrics writes `<none>` (version 1) or an empty label (version 2) for an object without an owner.
    const isOwned = owner !== undefined && owner !== '<none>' && isObjectName(owner);
    if (namespace === undefined || name === undefined || !isOwned) continue;
    const key = podKey(namespace, name);
    const known = owned.get(key);
    if (known === undefined || rankOf(labels) < rankOf(known)) owned.set(key, labels);
  }
  return owned;
}

function rankOf({ owner_is_controller: controls, owner_kind = '', owner_name = '' }: Labels): string {
  return `${controls === 'true' ? 0 : 1}/${owner_kind}/${owner_name}`;
}

/**
 * Kubernetes appends generated parts to the workload's name, from an alphabet without vowels and look-alikes
 * (apimachinery, `util/rand`). The order matters: the longest suffix that fits is the right one.
 */
const RANDOM = '[bcdfghjklmnpqrstvwxz2456789]';
const GENERATED_SUFFIXES = [
  new RegExp(`-\\d{8}-${RANDOM}{5}$`), // CronJob: scheduled minute, then the Job's pod
  new RegExp(`-${RANDOM}{6,10}-${RANDOM}{5}$`), // Deployment: pod template hash, then the pod
  new RegExp(`-${RANDOM}{5}$`), // DaemonSet, Job
  /-\d+$/, // StatefulSet
];

/** The workload according to the name of a pod; the whole name if no rule fits. */
export function workloadFromName(pod: string): string {
  for (const suffix of GENERATED_SUFFIXES) {
    const workload = pod.replace(suffix, '');
    if (workload !== pod && workload !== '') return workload;
  }
  return pod;
}
