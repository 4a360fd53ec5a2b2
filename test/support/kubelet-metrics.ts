/**
 * What a kubelet exposes at `/metrics/cadvisor`: the families that the exporter and its check ask for, and some that they
 * must not mistake for them, with the cgroups that there are around those of containers.
 *
 * As Kubernetes 1.37 does with containerd, systemd and cgroup v2 (`pkg/kubelet/server`, and the library of cAdvisor that it
 * uses): usage has the time at which it was measured, so that Prometheus does not notice when a series ends; what describes a
 * cgroup has none. The pause container has an image and no name of a container.
 */

import { CONTAINER_METRICS } from '../../src/exporter/context/queries.js';
import { MEMORY_METRICS } from '../../src/exporter/features/queries/template.js';
import { seriesLabels } from '../../src/tools/demo/history-text.js';
import { listen, type RunningServer } from '../../src/tools/demo/listen.js';
import { type MetricFamily, type MetricSample, sample } from '../../src/tools/demo/metric-family.js';
import type { ContainerOnNode, PodOnNode } from './fake-pod.js';

/** What a container has taken since it started, and takes now. Shares are those of its time. */
export interface Load {
  readonly cpuSeconds: number;
  /** With page cache, of which a tenth is inactive and another one is active. */
  readonly memoryBytes: number;
  /** In which its CPU quota was used up. Default 0. */
  readonly throttled?: number;
  /** In which something in it waited for each resource (PSI). Default 0. */
  readonly waiting?: { readonly cpu: number; readonly memory: number; readonly io: number };
  /** Processes that the kernel killed as memory ran out. Default 0. */
  readonly oomKills?: number;
}

/** A node with what runs on it, at an instant. */
export interface KubeletState {
  readonly machine: { readonly name: string; readonly cores: number; readonly memoryBytes: number };
  /** Those of the node. */
  readonly pods: readonly PodOnNode[];
  /** Of a container that runs. */
  readonly loadOf: (container: ContainerOnNode, pod: PodOnNode) => Load;
  /** When the container started, Unix time in seconds. */
  readonly startOf: (container: ContainerOnNode, pod: PodOnNode) => number;
}

/** A cgroup with its usage. */
interface Cgroup extends Required<Load> {
  readonly labels: MetricSample['labels'];
  readonly startSeconds: number;
  /** Whether it has a CPU quota. */
  readonly hasQuota: boolean;
}

const NO_LOAD = { throttled: 0, waiting: { cpu: 0, memory: 0, io: 0 }, oomKills: 0 };

/** The pause container hardly does anything. */
const PAUSE = { ...NO_LOAD, cpuSeconds: 0.03, memoryBytes: 600 * 1024 };

const PAUSE_IMAGE = 'registry.k8s.io/pause:3.10';

/** Periods of a CPU quota in a second. */
const PERIODS = 10;

/** The families at an instant, Unix time in seconds. */
export function cadvisorFamilies(state: KubeletState, timeSeconds: number): readonly MetricFamily[] {
  const cgroups = cgroupsOf(state, timeSeconds);
  const family = (
    type: MetricFamily['type'],
    name: string,
    help: string,
    read: (cgroup: Cgroup) => number | undefined,
    further: MetricSample['labels'] = {},
  ): MetricFamily => ({
    name,
    type,
    help,
    samples: cgroups.flatMap((cgroup) => {
      const value = read(cgroup);
      return value === undefined ? [] : [sample({ ...cgroup.labels, ...further }, value)];
    }),
  });
  const age = ({ startSeconds }: Cgroup) => Math.max(0, timeSeconds - startSeconds);
  const periods = (cgroup: Cgroup) => (cgroup.hasQuota ? Math.floor(PERIODS * age(cgroup)) : undefined);
  const machine = (name: string, help: string, value: number): MetricFamily => ({
    name,
    type: 'gauge',
    help,
    samples: [sample({ machine_id: state.machine.name, system_uuid: state.machine.name, boot_id: 'first' }, value)],
  });
  const waited = (resource: keyof Cgroup['waiting']) =>
    family(
      'counter',
      CONTAINER_METRICS[`pressure_${resource}`],
      `Total time duration tasks in the container have waited due to ${resource} congestion.`,
      (cgroup) => cgroup.waiting[resource] * age(cgroup),
    );
  return [
    machine('machine_cpu_cores', 'Number of logical CPU cores.', state.machine.cores),
    machine('machine_memory_bytes', 'Amount of memory installed on the machine.', state.machine.memoryBytes),
    family(
      'gauge',
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds.',
      ({ startSeconds }) => Math.floor(startSeconds),
    ),
    family(
      'counter',
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed in seconds.',
      // Absent before the first time slice.
      ({ cpuSeconds }) => (cpuSeconds > 0 ? cpuSeconds : undefined),
      { cpu: 'total' },
    ),
    family('counter', CONTAINER_METRICS.periods, 'Number of elapsed enforcement period intervals.', periods),
    family('counter', CONTAINER_METRICS.throttled, 'Number of throttled period intervals.', (cgroup) =>
      cgroup.hasQuota ? Math.floor(PERIODS * cgroup.throttled * age(cgroup)) : undefined,
    ),
    family(
      'gauge',
      MEMORY_METRICS.usage,
      'Current memory usage in bytes, including all memory regardless of when it was accessed.',
      ({ memoryBytes }) => memoryBytes,
    ),
    family('gauge', MEMORY_METRICS.working_set, 'Current working set in bytes.', ({ memoryBytes }) =>
      Math.round(0.9 * memoryBytes),
    ),
    family('gauge', MEMORY_METRICS.rss, 'Size of RSS in bytes.', ({ memoryBytes }) => Math.round(0.8 * memoryBytes)),
    family(
      'counter',
      CONTAINER_METRICS.oom,
      'Count of out of memory events observed for the container',
      ({ oomKills }) => oomKills,
    ),
    waited('cpu'),
    waited('memory'),
    waited('io'),
  ];
}

/** Those of containers, of pods with their pause containers, of all pods, of the system, and of the machine. */
function cgroupsOf({ pods, loadOf, startOf }: KubeletState, timeSeconds: number): Cgroup[] {
  const ofPods = pods.flatMap((pod) => {
    const running = pod.containers.filter(({ state }) => state.type === 'running');
    if (running.length === 0) return [];
    const slice = sliceOf(pod);
    const named = { namespace: pod.namespace, pod: pod.name };
    const containers = running.map((container): Cgroup => {
      const id = container.id?.replace('containerd://', '') ?? '';
      return {
        ...NO_LOAD,
        ...loadOf(container, pod),
        labels: {
          ...named,
          container: container.name,
          id: `${slice}/cri-containerd-${id}.scope`,
          image: container.image,
          name: id,
        },
        startSeconds: startOf(container, pod),
        hasQuota: hasCpuLimit(pod, container.name),
      };
    });
    const startSeconds = Math.min(...containers.map((cgroup) => cgroup.startSeconds));
    const pauseId = pod.uid.replaceAll('-', '').padEnd(64, '0');
    const pause: Cgroup = {
      ...PAUSE,
      labels: { ...named, id: `${slice}/cri-containerd-${pauseId}.scope`, image: PAUSE_IMAGE, name: pauseId },
      startSeconds,
      hasQuota: false,
    };
    const hasQuota = containers.every((cgroup) => cgroup.hasQuota);
    return [sumOf([...containers, pause], { ...named, id: slice }, hasQuota), ...containers, pause];
  });
  const wholes = ofPods.filter(({ labels }) => labels.name === undefined);
  const system: Cgroup = {
    ...NO_LOAD,
    labels: { id: '/system.slice/kubelet.service' },
    cpuSeconds: 0.05 * timeSeconds,
    memoryBytes: 90 * 2 ** 20,
    startSeconds: 0,
    hasQuota: false,
  };
  const kubepods = sumOf(wholes, { id: '/kubepods.slice' }, false);
  return [sumOf([kubepods, system], { id: '/' }, false), system, kubepods, ...ofPods];
}

function sumOf(parts: readonly Cgroup[], labels: Cgroup['labels'], hasQuota: boolean): Cgroup {
  const total = (read: (cgroup: Cgroup) => number) => parts.reduce((sum, cgroup) => sum + read(cgroup), 0);
  const most = (read: (cgroup: Cgroup) => number) => parts.reduce((so, cgroup) => Math.max(so, read(cgroup)), 0);
  return {
    labels,
    cpuSeconds: total(({ cpuSeconds }) => cpuSeconds),
    memoryBytes: total(({ memoryBytes }) => memoryBytes),
    throttled: most(({ throttled }) => throttled),
    waiting: {
      cpu: most(({ waiting }) => waiting.cpu),
      memory: most(({ waiting }) => waiting.memory),
      io: most(({ waiting }) => waiting.io),
    },
    oomKills: total(({ oomKills }) => oomKills),
    startSeconds: parts.reduce((first, { startSeconds }) => Math.min(first, startSeconds), Number.POSITIVE_INFINITY),
    hasQuota,
  };
}

/** `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod….slice`. */
function sliceOf({ uid, pod }: PodOnNode): string {
  const quality = (pod.status?.qosClass ?? 'Burstable').toLowerCase();
  const own = `pod${uid.replaceAll('-', '_')}.slice`;
  return quality === 'guaranteed'
    ? `/kubepods.slice/kubepods-${own}`
    : `/kubepods.slice/kubepods-${quality}.slice/kubepods-${quality}-${own}`;
}

function hasCpuLimit({ pod }: PodOnNode, name: string): boolean {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  return [...containers, ...initContainers].some(
    (container) => container.name === name && container.resources?.limits?.cpu !== undefined,
  );
}

/** What describes a cgroup or the machine has no time of its own. */
const isTimed = (name: string) => !name.startsWith('machine_') && name !== 'container_start_time_seconds';

/** The answer to a scrape, in the text format with times. */
export function cadvisorText(state: KubeletState, timeSeconds: number): string {
  return cadvisorFamilies(state, timeSeconds)
    .map(({ name, type, help, samples }) => {
      const time = isTimed(name) ? ` ${Math.round(1000 * timeSeconds)}` : '';
      const lines = samples.map(({ labels, value }) => `${name}${seriesLabels(labels)} ${value}${time}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

/** The port of a kubelet, on 127.0.0.1. It serves plain HTTP to everybody, which a real one does not. */
export function startKubelet(stateAt: (timeSeconds: number) => KubeletState, port = 0): Promise<RunningServer> {
  return listen((request, response) => {
    if (request.url !== '/metrics/cadvisor') {
      response.writeHead(404).end();
      return;
    }
    const now = Date.now() / 1000;
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(cadvisorText(stateAt(now), now));
  }, port);
}
