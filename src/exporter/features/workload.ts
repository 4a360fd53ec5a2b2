/** Which workload a pod belongs to: by kube-state-metrics where it is there, else by the pod's name. */

import { SAME_INSTANT_SECONDS } from '../prometheus/answer/asked-instants.js';
import type { Labels, PrometheusApi, SeriesSet } from '../prometheus/api.js';
import type { Instants } from '../prometheus/range.js';
import { collectorOwnerQuery } from './opentelemetry/queries.js';
import { addMatchers } from './queries/matchers.js';
import { quotePromql } from './queries/promql.js';
import type { QueryScope } from './queries/template.js';
import { isObjectName, podKey } from './table.js';

/** The queries that name the owners of pods, and the owners of those owners where the source tells them one by one. */
export type OwnerQueries = Readonly<{ pod: string; replicaSet?: string; job?: string }>;

/** The answers to the owner queries. */
export type OwnerAnswers = Readonly<Record<keyof OwnerQueries, Pick<SeriesSet, 'labels'>>>;

/** Workload of a pod by its key (`podKey`), as far as kube-state-metrics names an owner. */
export type Owners = ReadonlyMap<string, string>;

/** The queries for owners, in the scope of the features. */
export function buildOwnerQueries(scope: QueryScope): OwnerQueries {
  return scope.metricsSource === 'opentelemetry' ? { pod: collectorOwnerQuery(scope) } : ownersByKind(scope);
}

/** Those for kube-state-metrics, which always says `namespace`. */
export function ownersByKind(scope: Pick<QueryScope, 'namespaceRegex' | 'matchers'>): Required<OwnerQueries> {
  const namespaces = `{namespace=~${quotePromql(scope.namespaceRegex)}}`;
  const query = (metric: string) => addMatchers(metric + namespaces, scope.matchers ?? '');
  return {
    pod: query('kube_pod_owner'),
    replicaSet: query('kube_replicaset_owner'),
    job: query('kube_job_owner'),
  };
}

/**
 * The owners of the pods at one instant; empty where kube-state-metrics is not scraped. One query after the other.
 *
 * @throws {PrometheusError} when Prometheus cannot be asked.
 */
export async function queryOwners(
  api: PrometheusApi,
  queries: OwnerQueries,
  timeSeconds: number,
  signal?: AbortSignal,
): Promise<Owners> {
  const ask = async (query: string | undefined) =>
    query === undefined ? NO_SERIES : api.query({ query, timeSeconds, signal });
  return resolveOwners({
    pod: await ask(queries.pod),
    replicaSet: await ask(queries.replicaSet),
    job: await ask(queries.job),
  });
}

/**
 * The same at each instant of a range, which costs little more than at one: most labels are sent once.
 *
 * @throws {PrometheusError} when Prometheus cannot be asked.
 */
export async function queryOwnersOver(
  api: PrometheusApi,
  queries: OwnerQueries,
  { startSeconds, stepSeconds, instants }: Instants,
  limited: () => AbortSignal,
): Promise<Owners[]> {
  const endSeconds = startSeconds + (instants - 1) * stepSeconds;
  const ask = async (query: string | undefined) =>
    query === undefined
      ? NO_SERIES
      : api.queryRange({ query, startSeconds, endSeconds, stepSeconds, signal: limited(), isOneOff: true });
  const pod = await ask(queries.pod);
  const replicaSet = await ask(queries.replicaSet);
  const job = await ask(queries.job);
  return Array.from({ length: instants }, (_, index) => {
    const timeSeconds = startSeconds + index * stepSeconds;
    const at = (answer: SeriesSet) => labelsAt(answer, timeSeconds);
    return resolveOwners({ pod: at(pod), replicaSet: at(replicaSet), job: at(job) });
  });
}

/** The answer to a question that is not asked. */
const NO_SERIES: SeriesSet = {
  labels: [],
  offsets: Uint32Array.of(0),
  timestampsSeconds: new Float64Array(0),
  values: new Float64Array(0),
};

/** The labels of the series that have a sample at a time. */
function labelsAt({ labels, offsets, timestampsSeconds }: SeriesSet, timeSeconds: number): Pick<SeriesSet, 'labels'> {
  const isThere = (series: number) => {
    const times = timestampsSeconds.subarray(offsets[series], offsets[series + 1]);
    return times.some((time) => Math.abs(time - timeSeconds) < SAME_INSTANT_SECONDS);
  };
  return { labels: labels.filter((_, series) => isThere(series)) };
}

/**
 * Follows each pod's owner up to the object that a person made: ReplicaSet → Deployment, Job → CronJob. Where no series
 * names a ReplicaSet or a Job, the name of its owner follows from its own if Kubernetes has certainly generated it; that of
 * a DeploymentConfig of OpenShift and of a CronWorkflow of Argo always does. A pod that has no owner is its own.
 */
export function resolveOwners(answers: OwnerAnswers): Owners {
  const above: Readonly<Record<string, (namespace: string, name: string) => string>> = {
    ReplicaSet: ownerNames(answers.replicaSet, 'replicaset', deploymentFromName),
    Job: ownerNames(answers.job, 'job_name', cronJobFromName),
    ReplicationController: (_, name) => deploymentConfigFromName(name),
    Workflow: (_, name) => cronJobFromName(name),
  };
  const owners = new Map<string, string>();
  // A pod that somebody has made by hand is a workload of its own: `redis-1` and `redis-2` need have nothing in common.
  for (const { namespace, pod, owner_name: name } of answers.pod.labels) {
    const isOwnerless = name === undefined || name === '' || name === '<none>';
    if (isOwnerless && namespace !== undefined && pod !== undefined) owners.set(podKey(namespace, pod), pod);
  }
  for (const [key, labels] of preferredOwners(answers.pod, 'pod')) {
    const { namespace = '', pod = '', owner_kind: kind = '', owner_name: name = '' } = labels;
    // A static pod is owned by its node and named after it: `etcd-node-1`. A node is no workload.
    if (kind === 'Node') owners.set(key, pod.endsWith(`-${name}`) ? pod.slice(0, -name.length - 1) : pod);
    else owners.set(key, above[kind]?.(namespace, name) ?? name);
  }
  return owners;
}

/** The name of an object's owner, or its own name: an object whose series names no owner has none. */
function ownerNames(series: Pick<SeriesSet, 'labels'>, nameLabel: string, fromName: (name: string) => string) {
  const owned = preferredOwners(series, nameLabel);
  const told = new Set(series.labels.map(({ namespace = '', [nameLabel]: name = '' }) => podKey(namespace, name)));
  return (namespace: string, name: string) => {
    const key = podKey(namespace, name);
    return owned.get(key)?.owner_name ?? (told.has(key) ? name : fromName(name));
  };
}

/**
 * For each object that has any owner, the labels of the series with the one that controls it, of several the first by
 * kind and name. Prometheus answers in no order that replicas could rely on.
 */
function preferredOwners(series: Pick<SeriesSet, 'labels'>, nameLabel: string): ReadonlyMap<string, Labels> {
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
 * (apimachinery, `util/rand`).
 */
const RANDOM = '[bcdfghjklmnpqrstvwxz2456789]';

/** A hash of the pod template: a 32-bit number whose digits are written in that alphabet, nearly always ten or nine. */
const TEMPLATE_HASH = `${RANDOM}{6,10}`;

/** What Kubernetes appends to the names of pods. The order matters: the longest suffix that fits is the right one. */
const GENERATED_SUFFIXES = [
  // CronJob: the scheduled minute, or second before Kubernetes 1.21; the index in an Indexed Job; the Job's pod.
  new RegExp(`-(?:\\d{8}|\\d{10})(?:-\\d{1,5})?-${RANDOM}{5}$`),
  new RegExp(`-${TEMPLATE_HASH}-${RANDOM}{5}$`), // Deployment: pod template hash, then the pod
  new RegExp(`-\\d{1,5}-${RANDOM}{5}$`), // Indexed Job: the index; OpenShift's DeploymentConfig: the version; then the pod
  new RegExp(`-${RANDOM}{5}$`), // DaemonSet, Job
  /-\d+$/, // StatefulSet
];

/** Names with a generated end are this long at most: Kubernetes cuts what stands before the five random characters. */
const LONGEST_GENERATED_NAME = 63;

/** The random end of a name that was cut, with the rest of a template hash, a time or an index before it, if any. */
const CUT_SUFFIX = new RegExp(`(?:-(?:${RANDOM}{1,10}|\\d{1,10}))?${RANDOM}{5}$`);

/** The workload according to the name of a pod; the whole name if no rule fits. */
export function workloadFromName(pod: string): string {
  const suffixes = pod.length === LONGEST_GENERATED_NAME ? [...GENERATED_SUFFIXES, CUT_SUFFIX] : GENERATED_SUFFIXES;
  for (const suffix of suffixes) {
    const workload = pod.replace(suffix, '');
    if (workload !== pod && workload !== '') return workload;
  }
  return pod;
}

const REPLICA_SET = new RegExp(`^(.+)-${TEMPLATE_HASH}$`);

/** The Deployment according to the name of its ReplicaSet; the whole name if no template hash ends it. */
function deploymentFromName(replicaSet: string): string {
  return REPLICA_SET.exec(replicaSet)?.[1] ?? replicaSet;
}

/**
 * The DeploymentConfig of OpenShift according to the name of its ReplicationController, which ends in the version. Hardly
 * anything else makes ReplicationControllers.
 */
function deploymentConfigFromName(replicationController: string): string {
  return replicationController.replace(/(?<=.)-\d+$/, '');
}

/** From 2015 to 2050. A date such as 20261129 is no minute of that time. */
const EARLIEST_SECONDS = Date.UTC(2015) / 1000;
const LATEST_SECONDS = Date.UTC(2050) / 1000;

/**
 * The CronJob according to the name of its Job, which ends in the scheduled time: in minutes, or in seconds before
 * Kubernetes 1.21. Argo names the Workflows of a CronWorkflow by the second. The whole name if it does not end so.
 */
function cronJobFromName(job: string): string {
  const [, cronJob, digits = ''] = /^(.+)-(\d{8}|\d{10})$/.exec(job) ?? [];
  const seconds = digits.length === 8 ? Number(digits) * 60 : Number(digits);
  return cronJob !== undefined && seconds >= EARLIEST_SECONDS && seconds < LATEST_SECONDS ? cronJob : job;
}
