/** A cluster of a few pods as data: the same values for the same instant, whoever asks and however often. */

import { createHash } from 'node:crypto';
import { PART_LABEL } from '../../src/exporter/context/queries.js';
import { buildCatalog } from '../../src/exporter/features/catalog.js';
import { buildPhaseQueries } from '../../src/exporter/features/pod-phase.js';
import { ownersByKind } from '../../src/exporter/features/workload.js';
import { compile } from './small-promql.js';

/** One series at one instant. */
export interface FakeSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a query finds at an instant. */
export type Answer = (query: string, timeSeconds: number) => readonly FakeSample[];

/** A pod; its usual load has defaults. */
export interface FakePod {
  readonly namespace: string;
  readonly pod: string;
  /** Owner for kube-state-metrics, of the kind StatefulSet. */
  readonly owner?: string;
  /** The instant that it came at, Unix time in seconds; without one it has always been there. */
  readonly sinceSeconds?: number;
  /** Instants at which a container restarts, besides two restarts of long ago. */
  readonly restartsAt?: readonly number[];
  /** The instant from which on cAdvisor has nothing of it. */
  readonly unmeasuredSeconds?: number;
  /** The instant until which Kubernetes reports it as waiting. */
  readonly pendingUntilSeconds?: number;
  /** The instant from which on Kubernetes reports it as ended. */
  readonly endedSeconds?: number;
}

/** The queries for owners with the default settings. */
export const OWNER_QUERIES = ownersByKind({ namespaceRegex: '.*' });

/** The queries about phases with the default settings. */
export const PHASE_QUERIES = buildPhaseQueries({ namespaceRegex: '.*' });

/** The built-in features with the default settings. */
export const FEATURES = buildCatalog({ namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' });

/** Which part of the cluster a query asks for. */
export type QueryTopic =
  | 'cpu'
  | 'memory'
  | 'restarts'
  | 'kube_pod_owner'
  | 'kube_replicaset_owner'
  | 'kube_job_owner'
  | 'kube_pod_status_phase'
  | 'annotations'
  | 'context'
  | 'kube_pod_info'
  | 'container_memory_working_set_bytes'
  | 'container_memory_rss'
  | 'kube_pod_init_container_status_restarts_total';

export function topicOf(query: string): QueryTopic {
  if (query.includes('container_cpu_usage_seconds_total')) return 'cpu';
  if (query.includes('container_memory_usage_bytes')) return 'memory';
  if (query.includes('kube_pod_container_status_restarts_total')) return 'restarts';
  if (query.startsWith('{__name__=~"kube_(namespace|')) return 'annotations';
  if (query.startsWith('label_replace(')) return 'context';
  const metric = /^\w+/.exec(query)?.[0];
  switch (metric) {
    case 'kube_pod_owner':
    case 'kube_replicaset_owner':
    case 'kube_job_owner':
    case 'kube_pod_status_phase':
    case 'kube_pod_info':
    case 'container_memory_working_set_bytes':
    case 'container_memory_rss':
    case 'kube_pod_init_container_status_restarts_total':
      return metric;
  }
  throw new Error(`Nobody has told the small cluster how to answer ${query}`);
}

/** Whether a check of the installation asks this, and neither a scrape nor a training. */
export function isOfCheck(query: string): boolean {
  const isOfFeature = /^max by \(namespace, pod, container\)/.test(query);
  return !isOfFeature && /^(?:count|max|topk|timestamp|vector)\b|^sum\(| and on \(/.test(query);
}

/** What a real Prometheus would have stored. */
const STORED_METRICS: ReadonlySet<string> = new Set([
  'container_cpu_usage_seconds_total',
  'container_memory_usage_bytes',
  'container_memory_working_set_bytes',
  'container_memory_rss',
  'kube_pod_container_status_restarts_total',
  'kube_pod_init_container_status_restarts_total',
  'kube_pod_owner',
  'kube_replicaset_owner',
  'kube_job_owner',
  'kube_pod_status_phase',
]);

const MEBIBYTE = 1024 * 1024;

/** Pods whose load wavers by a few percent, and some that misbehave from a moment on. */
export class SmallCluster {
  readonly pods: FakePod[];
  /** Series of annotations and labels, as the query for them finds them. */
  readonly annotations: FakeSample['labels'][] = [];
  /** Queries about these find no series. */
  readonly silent = new Set<QueryTopic>();
  /** Of each pod: the same object in every sample. */
  readonly #labels = new WeakMap<FakePod, { readonly namespace: string; readonly pod: string }>();
  readonly #misbehaving = new Map<string, { readonly sinceSeconds: number; readonly factor: number }>();

  constructor(pods: readonly FakePod[] = namedPods(6)) {
    this.pods = [...pods];
  }

  /** From that instant on the pod takes `factor` times its usual CPU, and 0.4 times that of its usual memory. */
  misbehave(pod: string, sinceSeconds: number, factor = 10): void {
    this.#misbehaving.set(pod, { sinceSeconds, factor });
  }

  /** The pod is itself again, in the past as well. */
  behave(pod: string): void {
    this.#misbehaving.delete(pod);
  }

  readonly answer: Answer = (query, timeSeconds) => {
    if (isOfCheck(query)) return this.#counted(query, timeSeconds);
    const topic = topicOf(query);
    if (this.silent.has(topic)) return [];
    if (topic === 'annotations') return this.annotations.map((labels) => ({ labels, value: 1 }));
    return this.pods.flatMap((pod) => {
      const sample = this.#sample(topic, pod, timeSeconds);
      return sample === undefined ? [] : [sample];
    });
  };

  #counted(query: string, timeSeconds: number): readonly FakeSample[] {
    const samplesOf = (metric: string, time: number) =>
      this.answer(metric, time).map(({ labels, value }) => ({
        labels: { container: 'app', ...labels },
        value,
      }));
    const evaluation = compile(query, { metrics: STORED_METRICS, samplesOf });
    if (evaluation === undefined) throw new Error(`Nobody has told the small cluster how to answer ${query}`);
    return evaluation(timeSeconds);
  }

  #sample(topic: QueryTopic, fakePod: FakePod, timeSeconds: number): FakeSample | undefined {
    const { namespace, pod, owner, sinceSeconds = -Infinity, restartsAt = [] } = fakePod;
    const { unmeasuredSeconds = Infinity, endedSeconds = Infinity, pendingUntilSeconds = -Infinity } = fakePod;
    if (timeSeconds < sinceSeconds) return undefined;
    if ((topic === 'cpu' || topic === 'memory') && timeSeconds >= unmeasuredSeconds) return undefined;
    const labels = this.#labels.get(fakePod) ?? { namespace, pod };
    this.#labels.set(fakePod, labels);
    const { sinceSeconds: misbehavingSince = Infinity, factor = 1 } = this.#misbehaving.get(pod) ?? {};
    const excess = timeSeconds >= misbehavingSince ? factor : undefined;
    const usage = () =>
      sizeOf(namespace, pod) * (0.95 + 0.1 * noise(`${topic} ${namespace} ${pod} ${timeSeconds.toFixed(3)}`));
    switch (topic) {
      case 'cpu':
        return { labels, value: 0.2 * usage() * (excess ?? 1) };
      case 'memory':
        return {
          labels,
          value: Math.round(200 * MEBIBYTE * usage() * (excess === undefined ? 1 : 0.4 * excess)),
        };
      case 'restarts':
        return { labels, value: 2 + restartsAt.filter((instant) => instant <= timeSeconds).length };
      case 'kube_pod_init_container_status_restarts_total':
        return { labels, value: 0 };
      case 'kube_pod_status_phase':
        if (timeSeconds < pendingUntilSeconds) return { labels: { ...labels, phase: 'Pending' }, value: 1 };
        return timeSeconds < endedSeconds ? undefined : { labels: { ...labels, phase: 'Succeeded' }, value: 1 };
      case 'context':
        return { labels: { ...labels, node: 'node-1', [PART_LABEL]: 'info' }, value: 1 };
      case 'kube_pod_info':
        return { labels: { ...labels, node: 'node-1' }, value: 1 };
      case 'kube_pod_owner':
        return owner === undefined
          ? undefined
          : { labels: { ...labels, owner_kind: 'StatefulSet', owner_name: owner }, value: 1 };
      default:
        return undefined;
    }
  }
}

/** `shop/cart-0`, `shop/cart-1`, … */
export function namedPods(count: number, workload = 'cart', namespace = 'shop'): FakePod[] {
  return Array.from({ length: count }, (_, index) => ({ namespace, pod: `${workload}-${index}` }));
}

const sizes = new Map<string, number>();

/** How large a pod is: 1 to 2. */
function sizeOf(namespace: string, pod: string): number {
  const name = `${namespace} ${pod}`;
  const size = sizes.get(name) ?? 1 + noise(name);
  sizes.set(name, size);
  return size;
}

/** A number from [0, 1) that belongs to a text. */
function noise(text: string): number {
  return createHash('md5').update(text).digest().readUInt32LE(0) / 2 ** 32;
}
