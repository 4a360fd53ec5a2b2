/** Pods as kube-state-metrics and cAdvisor expose what the context of a pod is made of. */

import type { Detection } from '../../src/exporter/detection/detection.js';
import { comparePods, FeatureTable } from '../../src/exporter/features/table.js';
import { detectionOf } from './metric-sources.js';
import { scoredAs } from './scored.js';

/** One container, and one of an init container and of the pause container that must not count. */
export interface PodWithContext {
  readonly namespace: string;
  readonly pod: string;
  readonly uid?: string;
  readonly node?: string;
  readonly container?: string;
  readonly createdSeconds?: number;
}

/** One series: its name, its labels, and its value at an age in seconds. */
export interface ContextSeries {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly at: (ageSeconds: number) => number;
}

/** Everything that is read of a pod, with known values: a limit of 2 cores and 1 GiB, throttled in a quarter of the time, … */
export function contextSeries(given: PodWithContext): readonly ContextSeries[] {
  const { namespace, pod, uid = `uid-of-${pod}`, node = 'node-1', container = 'app', createdSeconds = 1_000 } = given;
  const ofPod = { namespace, pod, uid };
  const main = { ...ofPod, container };
  const state = (name: string, labels: ContextSeries['labels'], value: number) => ({ name, labels, at: () => value });
  /** Of a counter that rises by this much in a second. */
  const rising = (name: string, labels: ContextSeries['labels'], perSecond: number) => ({
    name,
    labels,
    at: (age: number) => 1e6 - perSecond * age,
  });
  const ofContainers = [
    { container, factor: 1 },
    { container: 'POD', factor: 9 },
    { container: '', factor: 9 },
  ].map(({ container: name, factor }) => {
    const labels = { namespace, pod, container: name, id: `/kubepods/${uid}/${name}` };
    return { labels, factor };
  });
  return [
    state('kube_pod_info', { ...ofPod, node, created_by_kind: 'ReplicaSet' }, 1),
    state('kube_pod_created', ofPod, createdSeconds),
    state('kube_pod_start_time', ofPod, createdSeconds + 1),
    state('kube_pod_container_info', { ...main, image: 'sha256:0123', image_spec: 'registry.example.com/app:1.0' }, 1),
    state(
      'kube_pod_init_container_info',
      { ...ofPod, container: 'prepare', image: 'registry.example.com/init:1.0' },
      1,
    ),
    ...(['limits', 'requests'] as const).flatMap((kind) =>
      [
        ['cpu', 'core', 2],
        ['memory', 'byte', 2 ** 30],
        ['ephemeral_storage', 'byte', 7],
      ].flatMap(([resource, unit, value]) => {
        const labels = { node, resource: String(resource), unit: String(unit) };
        const amount = Number(value) / (kind === 'limits' ? 1 : 2);
        return [
          state(`kube_pod_container_resource_${kind}`, { ...main, ...labels }, amount),
          state(`kube_pod_init_container_resource_${kind}`, { ...ofPod, container: 'prepare', ...labels }, amount),
        ];
      }),
    ),
    state('kube_pod_container_status_last_terminated_reason', { ...main, reason: 'OOMKilled' }, 1),
    state('kube_pod_container_status_last_terminated_reason', { ...main, reason: 'Error' }, 0),
    state('kube_pod_container_status_last_terminated_exitcode', main, 137),
    state('kube_pod_container_status_last_terminated_timestamp', main, 5_000),
    state('kube_pod_container_status_waiting_reason', { ...main, reason: 'CrashLoopBackOff' }, 1),
    ...ofContainers.flatMap(({ labels, factor }) => [
      rising('container_cpu_cfs_periods_total', labels, 10),
      rising('container_cpu_cfs_throttled_periods_total', labels, 2.5 / factor),
      rising('container_pressure_cpu_waiting_seconds_total', labels, 0.05 * factor),
      rising('container_pressure_memory_waiting_seconds_total', labels, 0.03 * factor),
      rising('container_pressure_io_waiting_seconds_total', labels, 0.01 * factor),
      // Two in the last hour, and one before.
      {
        name: 'container_oom_events_total',
        labels,
        at: (age: number) => factor * (Number(age < 4_000) + Number(age < 1_200) + Number(age < 600)),
      },
    ]),
  ];
}

/** What is to be read of such a pod; ratios are those of the counters. */
export const EXPECTED_CONTEXT = {
  node: 'node-1',
  createdSeconds: 1_000,
  images: ['registry.example.com/app:1.0'],
  limits: { cpu: 2, memory: 2 ** 30 },
  requests: { cpu: 1, memory: 2 ** 29 },
  lastTermination: { container: 'app', reason: 'OOMKilled', exitCode: 137, timeSeconds: 5_000 },
  waiting: { container: 'app', reason: 'CrashLoopBackOff' },
  throttledRatio: 0.25,
  oomEvents: 2,
  pressure: { cpu: 0.05, memory: 0.03, io: 0.01 },
};

/** OpenMetrics text of the series from some time ago to now, in Unix seconds. */
export function* contextHistory(
  pods: readonly PodWithContext[],
  { nowSeconds, startSeconds, stepSeconds }: Readonly<Record<'nowSeconds' | 'startSeconds' | 'stepSeconds', number>>,
): Generator<string> {
  const families = new Map<string, ContextSeries[]>();
  for (const one of pods.flatMap((pod) => contextSeries(pod))) {
    const known = families.get(one.name);
    if (known === undefined) families.set(one.name, [one]);
    else known.push(one);
  }
  for (const [name, series] of families) {
    yield `# TYPE ${name.replace(/_total$/, '')} ${name.endsWith('_total') ? 'counter' : 'gauge'}\n`;
    for (const { labels, at } of series) {
      const text = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      for (let time = startSeconds; time <= nowSeconds; time += stepSeconds) {
        yield `${name}{${text.join()}} ${at(nowSeconds - time)} ${time}\n`;
      }
    }
  }
  yield '# EOF\n';
}

/** A detection of these pods: those with a score above 0 are flagged and last, unless they are brief. */
export function flaggedDetection(
  given: readonly (PodWithContext & { readonly score?: number; readonly isBrief?: boolean })[],
  timeSeconds = 1_767_268_860,
): Detection {
  const pods = [...given].sort(comparePods);
  const named = detectionOf(pods.map(({ namespace, pod }) => [namespace, pod]));
  return {
    ...named,
    timeSeconds,
    table: new FeatureTable({
      ...named.table,
      pods: pods.map(({ namespace, pod }) => ({ namespace, pod, workload: 'app' })),
      values: named.table.values,
    }),
    ...scoredAs(...pods.map(({ score = 0.1 }) => score)),
    lasting: Uint8Array.from(pods, ({ score = 0.1, isBrief = false }) => Number(score > 0 && !isBrief)),
  };
}
