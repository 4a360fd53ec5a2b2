/** The series that a Prometheus stores of a cluster: those of cAdvisor in the kubelets and of kube-state-metrics that the exporter asks for. */

import type { Labels } from '../../../src/exporter/prometheus/api.js';
import { hexadecimal, uid } from '../../../src/tools/simulation/names.js';
import { hashText, uniform } from '../../../src/tools/simulation/random.js';
import { type BenchPod, clusterOf } from '../cluster.js';

/** One series, and how it goes on. */
export interface StoredSeries {
  readonly labels: Labels;
  /** Between two samples, in seconds. */
  readonly stepSeconds: number;
  /** Targets are not scraped at the same time: the first sample is so much later than a whole step, in milliseconds. */
  readonly delayMilliseconds: number;
  /** The value of a step by its number since 1970, after the value of the step before, 0 at first. */
  readonly next: (before: number, step: number) => number;
}

/** The containers of each pod. */
const CONTAINERS = ['app', 'sidecar'] as const;

const PODS_PER_NODE = 100;
const KUBELET_STEP_SECONDS = 30;
const RESTART_STEP_SECONDS = 60;
/** What is constant, or never read, need not be written more often: Prometheus takes a sample of the last five minutes. */
const CONSTANT_STEP_SECONDS = 240;
const PAGE_BYTES = 4096;

const STATE_TARGET: Labels = {
  endpoint: 'http',
  instance: '10.244.3.17:8080',
  job: 'kube-state-metrics',
  service: 'kube-state-metrics',
};
const STATE_DELAY_MILLISECONDS = 7_000;

/** One container in so many restarts about once in a day. */
const CONTAINERS_PER_RESTARTING = 200;
const STEPS_PER_DAY = 86_400 / RESTART_STEP_SECONDS;

/**
 * All series of so many pods: for each pod the CPU and the memory of its cgroup and of each container, the restarts of its
 * containers, its owner, its five phases.
 */
export function* storedSeries(pods: number): Generator<StoredSeries> {
  const cluster = clusterOf(pods);
  for (const [index, pod] of cluster.entries()) {
    yield* kubeletSeries(pod, Math.floor(index / PODS_PER_NODE));
    yield* stateSeries(pod);
  }
  const replicaSets = new Map(cluster.map((pod) => [`${pod.namespace}/${pod.replicaSet}`, pod]));
  for (const { namespace, replicaSet, deployment } of replicaSets.values()) {
    const owner = { owner_kind: 'Deployment', owner_name: deployment, owner_is_controller: 'true' };
    yield constant('kube_replicaset_owner', { namespace, replicaset: replicaSet, ...owner });
  }
}

function* kubeletSeries(pod: BenchPod, nodeIndex: number): Generator<StoredSeries> {
  const { namespace, pod: name } = pod;
  const node = `ip-10-0-${nodeIndex >> 8}-${nodeIndex & 255}.eu-west-1.compute.internal`;
  const target = {
    endpoint: 'https-metrics',
    instance: `10.0.${nodeIndex >> 8}.${nodeIndex & 255}:10250`,
    job: 'kubelet',
    metrics_path: '/metrics/cadvisor',
    namespace,
    node,
    pod: name,
    service: 'kubelet',
  };
  const podId = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${podUid(pod).replaceAll('-', '_')}.slice`;
  const delayMilliseconds = Math.floor(uniform(hashText(node), 0) * KUBELET_STEP_SECONDS * 1000);
  yield* cgroupSeries({ ...target, id: podId }, { stepSeconds: CONSTANT_STEP_SECONDS, delayMilliseconds });
  for (const container of CONTAINERS) {
    const scope = hexadecimal(`${namespace}/${name}/${container}`, 64);
    const image = `registry.example.com/${namespace}/${container}:v1.${hashText(pod.deployment) % 100}.0`;
    const labels = { ...target, container, id: `${podId}/cri-containerd-${scope}.scope`, image, name: scope };
    yield* cgroupSeries(labels, { stepSeconds: KUBELET_STEP_SECONDS, delayMilliseconds });
  }
}

function* cgroupSeries(
  labels: Labels,
  place: Pick<StoredSeries, 'stepSeconds' | 'delayMilliseconds'>,
): Generator<StoredSeries> {
  const key = hashText(labels.id ?? '');
  const cores = 0.02 + 0.5 * uniform(key, -1);
  const bytes = 2 ** (24 + 5 * uniform(key, -2));
  yield {
    ...place,
    labels: { __name__: 'container_cpu_usage_seconds_total', cpu: 'total', ...labels },
    // Kubelets count nanoseconds.
    next: (before, step) => Math.round((before + place.stepSeconds * cores * wavering(key, step)) * 1e9) / 1e9,
  };
  yield {
    ...place,
    labels: { __name__: 'container_memory_usage_bytes', ...labels },
    next: (_, step) => PAGE_BYTES * Math.round((bytes * wavering(key + 1, step)) / PAGE_BYTES),
  };
}

function* stateSeries(pod: BenchPod): Generator<StoredSeries> {
  const { namespace, pod: name, replicaSet } = pod;
  const labels = { namespace, pod: name, uid: podUid(pod) };
  for (const container of CONTAINERS) {
    const key = hashText(`${labels.uid}/${container}`);
    const restarts = key % CONTAINERS_PER_RESTARTING === 0;
    yield {
      labels: { __name__: 'kube_pod_container_status_restarts_total', ...STATE_TARGET, ...labels, container },
      stepSeconds: RESTART_STEP_SECONDS,
      delayMilliseconds: STATE_DELAY_MILLISECONDS,
      next: (before, step) => before + Number(restarts && uniform(key, step) < 1 / STEPS_PER_DAY),
    };
  }
  const owner = { owner_kind: 'ReplicaSet', owner_name: replicaSet, owner_is_controller: 'true' };
  yield constant('kube_pod_owner', { ...labels, ...owner });
  for (const phase of ['Pending', 'Succeeded', 'Failed', 'Unknown', 'Running']) {
    yield constant('kube_pod_status_phase', { ...labels, phase }, Number(phase === 'Running'));
  }
}

function constant(name: string, labels: Labels, value = 1): StoredSeries {
  return {
    labels: { __name__: name, ...STATE_TARGET, ...labels },
    stepSeconds: CONSTANT_STEP_SECONDS,
    delayMilliseconds: STATE_DELAY_MILLISECONDS,
    next: () => value,
  };
}

const podUid = ({ namespace, pod }: BenchPod) => uid(`${namespace}/${pod}`);

const wavering = (key: number, step: number) => 0.9 + 0.2 * uniform(key, step);
