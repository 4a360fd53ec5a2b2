/** From the answers to the queries about pods to what is known of each. */

import { labelNamesOf, NAMESPACE_LABEL } from '../features/queries/template.js';
import { type NamedPod, podKey } from '../features/table.js';
import type { Labels, SeriesSet } from '../prometheus/api.js';
import type { PodContext, ResourceAmounts } from './pod-context.js';
import { type ContextOptions, type ContextPart, PART_LABEL, STATE_METRICS } from './queries.js';

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** The samples about one pod, by the part of the query. */
type Parts = ReadonlyMap<ContextPart, readonly Sample[]>;

/**
 * What the answers say of the pods, by their keys (`podKey`). A pod that no series names is left out; series of other pods do
 * not count. The order of the series does not matter.
 */
export function readContexts(
  answers: readonly Pick<SeriesSet, 'labels' | 'offsets' | 'values'>[],
  pods: readonly NamedPod[],
  options: ContextOptions,
): ReadonlyMap<string, PodContext> {
  const { namespace: namespaceLabel, pod: podLabel } = labelNamesOf(options);
  const ofPods = new Map<string, Map<ContextPart, Sample[]>>();
  for (const { namespace, pod } of pods) ofPods.set(podKey(namespace, pod), new Map());
  for (const { labels: all, offsets, values } of answers) {
    for (const [series, labels] of all.entries()) {
      const part = labels[PART_LABEL] as ContextPart;
      const isOfState = part in STATE_METRICS;
      const namespace = labels[isOfState ? NAMESPACE_LABEL : namespaceLabel] ?? '';
      const parts = ofPods.get(podKey(namespace, labels[isOfState ? 'pod' : podLabel] ?? ''));
      const value = values[offsets[series] as number] ?? Number.NaN;
      // A container without a quota has no periods: 0 / 0.
      if (parts === undefined || !Number.isFinite(value)) continue;
      const known = parts.get(part);
      if (known === undefined) parts.set(part, [{ labels, value }]);
      else known.push({ labels, value });
    }
  }
  return new Map(
    [...ofPods].filter(([, parts]) => parts.size > 0).map(([key, parts]) => [key, contextOf(ofNewest(parts))]),
  );
}

/**
 * Without the series of an earlier pod of the same name, as a StatefulSet has them: some servers show what has ended for five
 * minutes.
 */
function ofNewest(parts: Parts): Parts {
  const births = [...(parts.get('created') ?? parts.get('started') ?? [])].sort((a, b) => b.value - a.value);
  const uid = births[0]?.labels.uid;
  if (births.every(({ labels }) => labels.uid === uid)) return parts;
  const isOfNewest = ({ labels }: Sample) => labels.uid === undefined || labels.uid === uid;
  return new Map([...parts].map(([part, samples]) => [part, samples.filter(isOfNewest)] as const));
}

function contextOf(parts: Parts): PodContext {
  const samples = (part: ContextPart) => parts.get(part) ?? [];
  const only = (part: ContextPart) => samples(part)[0]?.value;
  const node = texts(samples('info'), 'node')[0];
  const images = byContainer(samples('container'), ({ labels }) => labels.image_spec || labels.image || '');
  const sidecars = samples('sidecar').map(({ labels }) => labels.container ?? '');
  const containers = [...images.keys(), ...sidecars];
  /** Those of the containers, and of the init containers that go on. */
  const ofRunning = (part: 'limit' | 'request') => [
    ...samples(part),
    ...samples(`init_${part}`).filter(({ labels }) => sidecars.includes(labels.container ?? '')),
  ];
  const lastTermination = lastTerminationIn(parts);
  const waiting = waitingIn([...samples('waiting'), ...samples('init_waiting')]);
  const [createdSeconds, throttledRatio, oomEvents] = [
    only('created') ?? only('started'),
    only('throttled'),
    only('oom'),
  ];
  const [cpu, memory, io] = [only('pressure_cpu'), only('pressure_memory'), only('pressure_io')];
  return {
    ...(node !== undefined && { node }),
    ...(createdSeconds !== undefined && { createdSeconds }),
    images: [...images.values()].filter((image) => image !== '').sort(),
    limits: amounts(
      ofRunning('limit'),
      (ofContainers) => containers.every((name) => ofContainers.has(name)) && images.size > 0,
    ),
    requests: amounts(ofRunning('request'), () => true),
    ...(lastTermination && { lastTermination }),
    ...(waiting && { waiting }),
    ...(throttledRatio !== undefined && { throttledRatio: Math.min(1, throttledRatio) }),
    ...(oomEvents !== undefined && { oomEvents }),
    pressure: {
      ...(cpu !== undefined && { cpu: Math.min(1, cpu) }),
      ...(memory !== undefined && { memory: Math.min(1, memory) }),
      ...(io !== undefined && { io: Math.min(1, io) }),
    },
  };
}

/** The values that a label has, sorted. */
const texts = (samples: readonly Sample[], label: string) =>
  [...new Set(samples.map(({ labels }) => labels[label] ?? ''))].filter((text) => text !== '').sort();

/** One value a container; of several, which replicas of kube-state-metrics or of Prometheus have, the largest. */
function byContainer<Value extends string | number>(
  samples: readonly Sample[],
  read: (sample: Sample) => Value,
): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  for (const sample of samples) {
    const { container = '' } = sample.labels;
    const [value, known] = [read(sample), values.get(container)];
    if (known === undefined || value > known) values.set(container, value);
  }
  return values;
}

/** The sum of each resource over the containers that have an amount of it, if these are enough. */
function amounts(
  samples: readonly Sample[],
  isEnough: (ofContainers: ReadonlyMap<string, number>) => boolean,
): ResourceAmounts {
  const sumOf = (resource: string) => {
    const own = samples.filter(({ labels }) => labels.resource === resource);
    const ofContainers = byContainer(own, ({ value }) => value);
    if (ofContainers.size === 0 || !isEnough(ofContainers)) return undefined;
    return [...ofContainers.values()].reduce((sum, value) => sum + value, 0);
  };
  const [cpu, memory] = [sumOf('cpu'), sumOf('memory')];
  return { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) };
}

/** Version 1 of kube-state-metrics has a series for each reason that there is: 0 for those that are not true. */
const isTrue = ({ value }: Sample) => value > 0;

/** The latest end; where no series has times, that of the first container by name. */
function lastTerminationIn(parts: Parts): PodContext['lastTermination'] {
  const samples = (part: 'ended_reason' | 'ended_exit_code' | 'ended_time') => [
    ...(parts.get(part) ?? []),
    ...(parts.get(`init_${part}`) ?? []),
  ];
  const reasons = byContainer(samples('ended_reason').filter(isTrue), ({ labels }) => labels.reason ?? '');
  const exitCodes = byContainer(samples('ended_exit_code'), ({ value }) => value);
  const times = byContainer(samples('ended_time'), ({ value }) => value);
  const timeOf = (container: string) => times.get(container) ?? Number.NEGATIVE_INFINITY;
  const [latest] = [...reasons].sort(([a], [b]) => timeOf(b) - timeOf(a) || compareTexts(a, b));
  if (latest === undefined) return undefined;
  const [container, reason] = latest;
  const [exitCode, timeSeconds] = [exitCodes.get(container), times.get(container)];
  return {
    container,
    reason,
    ...(exitCode !== undefined && { exitCode }),
    ...(timeSeconds !== undefined && { timeSeconds }),
  };
}

/** The reasons of each start, which say less than any other. */
const ORDINARY_REASONS = ['ContainerCreating', 'PodInitializing'];

/** Of several containers that wait, one whose reason is a trouble; of these, the first by name. */
function waitingIn(samples: readonly Sample[]): PodContext['waiting'] {
  const reasons = byContainer(samples.filter(isTrue), ({ labels }) => labels.reason ?? '');
  const rankOf = (reason: string) => Number(ORDINARY_REASONS.includes(reason));
  const [first] = [...reasons].sort(([a, ofA], [b, ofB]) => rankOf(ofA) - rankOf(ofB) || compareTexts(a, b));
  return first && { container: first[0], reason: first[1] };
}

const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
