/** Families about flagged pods as the cluster sees them: where they run, what they may use, and how they fared lately. */

import { podsByNode } from '../context/nodes.js';
import type { PodContext, ResourceAmounts } from '../context/pod-context.js';
import { type PodIdentity, podOfKey, rowOfPod } from '../features/table.js';
import { type Family, memoizeByObject, NO_SAMPLES, single } from './family.js';
import { detectionOf, type ScrapeState } from './state.js';

/** The flagged pods of which something is known. */
const knownOf = memoizeByObject((state: ScrapeState): readonly (readonly [PodIdentity, PodContext])[] => {
  const detection = detectionOf(state);
  if (detection === undefined || state.context.pods.size === 0) return [];
  const { table, flags } = detection;
  // A hundred of maybe a hundred thousand pods.
  const known = [...state.context.pods].flatMap(([key, own]) => {
    const row = rowOfPod(table.pods, podOfKey(key));
    return row !== undefined && flags[row] === 1 ? [{ row, own }] : [];
  });
  return known.sort((a, b) => a.row - b.row).map(({ row, own }) => [table.pods[row] as PodIdentity, own] as const);
});

/** @param read the values of the labels after `namespace` and `pod`, and the value, of each sample of a pod. */
const ofPods = (
  name: string,
  help: string,
  labels: readonly string[],
  read: (context: PodContext, identity: PodIdentity) => readonly (readonly [...labels: string[], value: number])[],
): Family<ScrapeState> => ({
  name,
  help,
  type: 'gauge',
  labels: ['namespace', 'pod', ...labels],
  samples(state) {
    const samples = knownOf(state).flatMap(([identity, context]) =>
      read(context, identity).map((sample) => {
        const { namespace, pod } = identity;
        return { series: [namespace, pod, ...(sample.slice(0, -1) as string[])], value: sample.at(-1) as number };
      }),
    );
    return { series: samples.map(({ series }) => series), values: samples.map(({ value }) => value) };
  },
});

const ofNumber = (value: number | undefined) => (value === undefined ? [] : [[value] as const]);

const byResource = (amounts: ResourceAmounts & { readonly io?: number }) =>
  Object.entries(amounts) as readonly (readonly [resource: string, amount: number])[];

const ofNodes = (name: string, help: string, count: 'scored' | 'lasting'): Family<ScrapeState> => ({
  name,
  help,
  type: 'gauge',
  labels: ['node'],
  samples(state) {
    const detection = detectionOf(state);
    if (detection === undefined) return NO_SAMPLES;
    const nodes = podsByNode(detection, state.context.nodeOf);
    return { series: nodes.map(({ node }) => [node]), values: nodes.map(({ [count]: pods }) => pods) };
  },
});

/** Only flagged pods, at most 100 of them, and what their series in Prometheus say. */
export const context: readonly Family<ScrapeState>[] = [
  ofPods(
    'anomaly_pod_info',
    'Always 1: the node of a flagged pod, and the images of its containers, with `,` between them.',
    ['workload', 'node', 'image'],
    ({ node = '', images }, { workload }) =>
      node === '' && images.length === 0 ? [] : [[workload, node, images.join(','), 1]],
  ),
  ofPods(
    'anomaly_pod_created_timestamp_seconds',
    'When a flagged pod was created, Unix time.',
    [],
    ({ createdSeconds }) => ofNumber(createdSeconds),
  ),
  ofPods(
    'anomaly_pod_limit',
    'Sum of the limits of the containers of a flagged pod (cpu: cores, memory: bytes); absent unless each has one.',
    ['resource'],
    ({ limits }) => byResource(limits),
  ),
  ofPods(
    'anomaly_pod_request',
    'Sum of the requests of the containers of a flagged pod (cpu: cores, memory: bytes).',
    ['resource'],
    ({ requests }) => byResource(requests),
  ),
  ofPods(
    'anomaly_pod_last_termination_info',
    'Always 1: how a container of a flagged pod ended last (`OOMKilled`, `Error`, …), and its exit code; empty if not known.',
    ['container', 'reason', 'exit_code'],
    ({ lastTermination: last }) => (last ? [[last.container, last.reason, String(last.exitCode ?? ''), 1]] : []),
  ),
  ofPods(
    'anomaly_pod_waiting_info',
    'Always 1: why a container of a flagged pod does not run (`CrashLoopBackOff`, …).',
    ['container', 'reason'],
    ({ waiting }) => (waiting ? [[waiting.container, waiting.reason, 1]] : []),
  ),
  ofPods(
    'anomaly_pod_cpu_throttled_ratio',
    'Share of the periods of its CPU limit in which a flagged pod was throttled, in the last five minutes.',
    [],
    ({ throttledRatio }) => ofNumber(throttledRatio),
  ),
  ofPods(
    'anomaly_pod_oom_events',
    'Times that the memory of a flagged pod ran out in the last hour, as the kubelet saw it.',
    [],
    ({ oomEvents }) => ofNumber(oomEvents),
  ),
  ofPods(
    'anomaly_pod_pressure_ratio',
    'Share of the last five minutes in which something in a flagged pod waited for the resource (PSI): cpu, memory or io.',
    ['resource'],
    ({ pressure }) => byResource(pressure),
  ),
  ofNodes(
    'anomaly_node_pods_scored',
    'Scored pods on the node that are not muted; only for nodes with at least two pods whose anomaly lasts.',
    'scored',
  ),
  ofNodes('anomaly_node_pods_lasting', 'Of these, pods whose anomaly lasts.', 'lasting'),
  single(
    'k8s_anomaly_detector_context_success',
    'Whether Prometheus last answered what was asked about flagged pods; absent before the first question.',
    ({ context: { succeeded } }) => succeeded,
  ),
];
