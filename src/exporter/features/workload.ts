/** Which workload a pod belongs to: by kube-state-metrics where it is there, else by the pod's name. */

import type { Labels, SeriesSet } from '../prometheus/api.js';
import { isObjectName } from './queries/object-name.js';
import { podKey } from './table.js';

/** The queries that name the owners of pods, and the owners of those owners. */
export interface OwnerQueries {
  readonly pod: string;
  readonly replicaSet: string;
  readonly job: string;
}

/** The answers to the owner queries. */
export type OwnerAnswers = Readonly<Record<keyof OwnerQueries, SeriesSet>>;

/** Workload of a pod by its key (`podKey`), as far as kube-state-metrics names an owner. */
export type Owners = ReadonlyMap<string, string>;

/** Follows each pod's owner up to the object that a person made: ReplicaSet → Deployment, Job → CronJob. */
export function resolveOwners(answers: OwnerAnswers): Owners {
  const ownerOfReplicaSet = ownersByName(answers.replicaSet, 'replicaset');
  const ownerOfJob = ownersByName(answers.job, 'job_name');
  const owners = new Map<string, string>();
  for (const { namespace, name: pod, labels } of preferredOwners(answers.pod, 'pod')) {
    const { owner_kind: kind, owner_name: name = '' } = labels;
    const key = podKey(namespace, name);
    const above =
      kind === 'ReplicaSet' ? ownerOfReplicaSet.get(key) : kind === 'Job' ? ownerOfJob.get(key) : undefined;
    owners.set(podKey(namespace, pod), kind === 'Node' ? staticPodName(pod, name) : (above ?? name));
  }
  return owners;
}

/** A static pod is owned by its node and named after it: `etcd-node-1`. A node is no workload. */
function staticPodName(pod: string, node: string): string {
  return pod.endsWith(`-${node}`) ? pod.slice(0, -node.length - 1) : pod;
}

/** kube-state-metrics writes `<none>` (version 1) or an empty label (version 2) for an object without an owner. */
function isOwner(name: string | undefined): name is string {
  return name !== undefined && name !== '<none>' && isObjectName(name);
}

function ownersByName(series: SeriesSet, nameLabel: string): Map<string, string> {
  const preferred = preferredOwners(series, nameLabel);
  return new Map(
    preferred.map(({ namespace, name, labels }) => [podKey(namespace, name), labels.owner_name ?? '']),
  );
}

/** An object, and the series that names its owner. */
interface Owned {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
}

/**
 * One owner of each object that has any: the one that controls it, of several the first by kind and name. Prometheus
 * answers in no order that replicas could rely on.
 */
function preferredOwners(series: SeriesSet, nameLabel: string): Owned[] {
  const owned = new Map<string, Owned>();
  for (const labels of series.labels) {
    const { namespace, [nameLabel]: name, owner_name: owner } = labels;
    if (namespace === undefined || name === undefined || !isOwner(owner)) continue;
    const key = podKey(namespace, name);
    const known = owned.get(key);
    if (known === undefined || rankOf(labels) < rankOf(known.labels))
      owned.set(key, { namespace, name, labels });
  }
  return [...owned.values()];
}

function rankOf({
  owner_is_controller: controls,
  owner_kind: kind = '',
  owner_name: name = '',
}: Labels): string {
  return `${controls === 'true' ? 0 : 1}/${kind}/${name}`;
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
