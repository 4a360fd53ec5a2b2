/** The answers of the simulated Prometheus to the queries for the context of pods. */

import { podsOnNodesQuery } from '../../exporter/context/nodes.js';
import {
  CONTAINER_METRICS,
  type ContextPart,
  contextParts,
  PART_LABEL,
  STATE_METRICS,
} from '../../exporter/context/queries.js';
import type { World } from '../simulation/cluster.js';
import type { PodState } from '../simulation/pod-state.js';
import { metricFamilies } from './exposition.js';
import { alternativesOf, unquoted } from './literals.js';
import type { MetricSample } from './metric-family.js';

type Evaluate = (timeSeconds: number) => readonly MetricSample[];

/** The matchers of one question, as `contextParts` writes them. */
const PODS = /[{,]namespace=~"(?<namespaces>(?:[^"\\]|\\.)*)",pod=~"(?<names>(?:[^"\\]|\\.)*)"/;

const NODES = /^kube_pod_info\{namespace=~"(?<regex>(?:[^"\\]|\\.)*)",node=~"(?<nodes>(?:[^"\\]|\\.)*)"\}$/;

/** How to answer a query for the context of pods; `undefined` if it is another query. */
export function contextEvaluation(query: string, world: World): Evaluate | undefined {
  const { regex = '', nodes: literal = '' } = NODES.exec(query)?.groups ?? {};
  const nodes = alternativesOf(literal);
  if (nodes.length > 0 && query === podsOnNodesQuery(nodes, { namespaceRegex: unquoted(regex) })) {
    const isNamespace = new RegExp(`^(?:${unquoted(regex)})$`, 's');
    const pods = ofPods(world, ({ node, namespace }) => nodes.includes(node) && isNamespace.test(namespace));
    return (time) => samplesOf(pods, STATE_METRICS.info, time);
  }
  const { namespaces: some = '', names: others = '' } = PODS.exec(query)?.groups ?? {};
  const [namespaces, names] = [alternativesOf(some), alternativesOf(others)];
  const parts = partsIn(query, namespaces, names);
  if (parts.length === 0) return undefined;
  const asked = ofPods(world, ({ namespace, pod }) => namespaces.includes(namespace) && names.includes(pod));
  return (time) =>
    parts.flatMap((part) =>
      evaluate(part, asked, time).map(({ labels, value }) => ({ labels: { ...labels, [PART_LABEL]: part }, value })),
    );
}

/** The parts that a query consists of; none if it also has anything else. */
function partsIn(query: string, namespaces: readonly string[], names: readonly string[]): readonly ContextPart[] {
  // Pods with these names, each at least once: which is in which namespace does not matter.
  const pods = Array.from({ length: Math.max(namespaces.length, names.length) }, (_, index) => ({
    namespace: namespaces[Math.min(index, namespaces.length - 1)] ?? '',
    pod: names[Math.min(index, names.length - 1)] ?? '',
  }));
  const parts: ContextPart[] = [];
  let rest = query;
  for (const { part, query: own } of contextParts(pods, { podLabel: 'pod' })) {
    if (rest !== own && !rest.startsWith(`${own} or `)) continue;
    parts.push(part);
    rest = rest.slice(`${own} or `.length);
  }
  return rest === '' ? parts : [];
}

const ofPods = (world: World, isAsked: (pod: PodState) => boolean): World => ({
  ...world,
  pods: (time) => world.pods(time).filter(isAsked),
});

function samplesOf(world: World, name: string, timeSeconds: number): readonly MetricSample[] {
  const samples = metricFamilies(world, timeSeconds).find((family) => family.name === name)?.samples ?? [];
  return samples.map(({ labels, value }) => ({ labels: { __name__: name, ...labels }, value }));
}

const RATE_SECONDS = 300;
const OOM_SECONDS = 3600;

function evaluate(part: ContextPart, world: World, time: number): readonly MetricSample[] {
  if (part in STATE_METRICS) return samplesOf(world, STATE_METRICS[part as keyof typeof STATE_METRICS], time);
  if (part === 'oom') return oomEvents(world.pods(time), time);
  const increase = (name: string) => {
    const keyOf = ({ labels }: MetricSample) => labels.id ?? '';
    const before = new Map(samplesOf(world, name, time - RATE_SECONDS).map((one) => [keyOf(one), one.value]));
    const ofContainers = samplesOf(world, name, time).filter(
      ({ labels }) => labels.container !== '' && labels.container !== 'POD',
    );
    return ofContainers.map((one) => ({ ...one, value: one.value - (before.get(keyOf(one)) ?? 0) }));
  };
  const rises = increase(CONTAINER_METRICS[part as keyof typeof CONTAINER_METRICS]);
  if (part !== 'throttled') return most(rises.map((one) => ({ ...one, value: one.value / RATE_SECONDS })));
  const periods = increase(CONTAINER_METRICS.periods);
  return most(rises.map((one, index) => ({ ...one, value: one.value / (periods[index]?.value ?? Number.NaN) })));
}

/** For each pod, the largest value of its containers. */
function most(samples: readonly MetricSample[]): readonly MetricSample[] {
  const pods = new Map<string, MetricSample>();
  for (const { labels, value } of samples) {
    const { namespace = '', pod = '' } = labels;
    const key = `${namespace}/${pod}`;
    pods.set(key, { labels: { namespace, pod }, value: Math.max(value, pods.get(key)?.value ?? 0) });
  }
  return [...pods.values()];
}

function oomEvents(pods: readonly PodState[], time: number): readonly MetricSample[] {
  return pods.map(({ namespace, pod, containers }) => {
    const kills = containers.flatMap(({ ends }) => ends).filter(({ reason }) => reason === 'OOMKilled');
    const recent = kills.filter(({ timeSeconds }) => timeSeconds > time - OOM_SECONDS);
    return { labels: { namespace, pod }, value: recent.length };
  });
}
