/** The state of a world as the kubelet's cAdvisor and kube-state-metrics expose it. */

import { PHASE_METRIC } from '../../exporter/features/pod-phase.js';
import { MEMORY_METRICS } from '../../exporter/features/queries/template.js';
import { HISTORY_STEP_SECONDS } from '../../exporter/history/grid.js';
import type { World } from '../simulation/cluster.js';
import { hexadecimal } from '../simulation/names.js';
import type { Cgroup, PodState } from '../simulation/pod-state.js';
import { contextFamilies, type ExposedCgroup } from './context-families.js';
import { HistoryText, seriesLabels } from './history-text.js';
import { type MetricFamily, type MetricSample, sample } from './metric-family.js';

/** The families of restarts: of containers, and of init containers. */
export const RESTART_METRICS = [
  'kube_pod_container_status_restarts_total',
  'kube_pod_init_container_status_restarts_total',
] as const;

const CPU_METRIC = 'container_cpu_usage_seconds_total';
const MEMORY_METRIC = MEMORY_METRICS.usage;
const OWNER_METRICS = ['kube_pod_owner', 'kube_replicaset_owner', 'kube_job_owner'] as const;

/** Everything that is exposed at an instant (Unix seconds). */
export function metricFamilies(world: World, timeSeconds: number): readonly MetricFamily[] {
  const pods = world.pods(timeSeconds);
  const cgroups = pods.flatMap(reportedCgroups);
  const ofPods = pods.map(({ namespace, pod, uid, owner }) => ownerSample({ namespace, pod, uid }, owner));
  return [
    {
      name: CPU_METRIC,
      type: 'counter',
      help: 'Cumulative cpu time consumed in seconds.',
      samples: cgroups.map(({ labels, cpuSeconds }) => sample({ ...labels, cpu: 'total' }, cpuSeconds)),
    },
    {
      name: MEMORY_METRIC,
      type: 'gauge',
      help: 'Current memory usage in bytes, including all memory regardless of when it was accessed.',
      samples: cgroups.map(({ labels, memoryBytes }) => sample(labels, memoryBytes)),
    },
    {
      name: RESTART_METRICS[0],
      type: 'counter',
      help: 'The number of container restarts per container.',
      samples: pods.flatMap(({ namespace, pod, uid, containers }) =>
        containers.map(({ name, restarts }) => sample({ namespace, pod, uid, container: name }, restarts)),
      ),
    },
    {
      name: RESTART_METRICS[1],
      type: 'counter',
      help: 'The number of restarts for the init container.',
      samples: pods
        .filter(({ owner }) => owner.kind === 'StatefulSet')
        .map(({ namespace, pod, uid }) => sample({ namespace, pod, uid, container: 'prepare-volume' }, 0)),
    },
    {
      name: PHASE_METRIC,
      type: 'gauge',
      help: "The pod's current phase.",
      samples: pods.flatMap((state) => {
        const { namespace, pod, uid } = state;
        const current = hasEnded(state) ? 'Succeeded' : 'Running';
        return PHASES.map((phase) => sample({ namespace, pod, uid, phase }, Number(phase === current)));
      }),
    },
    ownerFamily(OWNER_METRICS[0], 'Pod', ofPods),
    ownerFamily(OWNER_METRICS[1], 'ReplicaSet', ownerSamples(pods, 'ReplicaSet', 'replicaset')),
    ownerFamily(OWNER_METRICS[2], 'Job', ownerSamples(pods, 'Job', 'job_name')),
    ...contextFamilies(pods, cgroups),
  ];
}

const PHASES = ['Pending', 'Succeeded', 'Failed', 'Unknown', 'Running'];

/** Whether nothing runs in a pod, and nothing will: it is kept until somebody, or its Job, deletes it. */
const hasEnded = ({ containers }: PodState) => containers.every(({ cgroups }) => cgroups.length === 0);

const PAUSE_IMAGE = 'registry.k8s.io/pause:3.9';

const PAUSE: Omit<Cgroup, 'attempt'> = {
  cpuSeconds: 0.03,
  memoryBytes: 600 * 1024,
  periods: 0,
  throttledPeriods: 0,
  waits: { cpu: 0, memory: 0, io: 0 },
  oomEvents: 0,
};

/** The cgroups of a pod: each run of its containers, the pause container, and the pod as a whole, which is their sum. */
function reportedCgroups(state: PodState): ExposedCgroup[] {
  if (hasEnded(state)) return [];
  const { namespace, pod, uid, containers } = state;
  const podId = `/kubepods/burstable/pod${uid}`;
  const describe = (container: string, image: string, attempt: number) => ({
    namespace,
    pod,
    container,
    image,
    id: `${podId}/${hexadecimal(`${uid}/${container}/${attempt}`, 64)}`,
    name: `k8s_${container}_${pod}_${namespace}_${uid}_${attempt}`,
  });
  const runs = containers.flatMap(({ name, image, cgroups, resources }) =>
    cgroups.map(({ attempt, ...usage }) => ({
      ...usage,
      labels: describe(name, image, attempt),
      ...(resources.limits.cpu === undefined && { periods: 0 }),
    })),
  );
  const all = [{ labels: describe('POD', PAUSE_IMAGE, 0), ...PAUSE }, ...runs];
  const total = (read: (cgroup: ExposedCgroup) => number) => all.reduce((sum, cgroup) => sum + read(cgroup), 0);
  const whole = {
    labels: { namespace, pod, container: '', image: '', id: podId, name: '' },
    cpuSeconds: total(({ cpuSeconds }) => cpuSeconds),
    memoryBytes: total(({ memoryBytes }) => memoryBytes),
    periods: total(({ periods }) => periods),
    throttledPeriods: total(({ throttledPeriods }) => throttledPeriods),
    waits: {
      cpu: total(({ waits }) => waits.cpu),
      memory: total(({ waits }) => waits.memory),
      io: total(({ waits }) => waits.io),
    },
    oomEvents: total(({ oomEvents }) => oomEvents),
  };
  return [whole, ...all];
}

const ownerFamily = (name: string, of: string, samples: readonly MetricSample[]): MetricFamily => {
  return { name, type: 'gauge', help: `Information about the ${of}'s owner.`, samples };
};

/** One sample for each owner of this kind, with the owner's owner. */
function ownerSamples(pods: readonly PodState[], kind: string, label: string): MetricSample[] {
  const owners = new Map<string, MetricSample>();
  for (const { namespace, owner, ownersOwner } of pods) {
    if (owner.kind !== kind) continue;
    owners.set(`${namespace}/${owner.name}`, ownerSample({ namespace, [label]: owner.name }, ownersOwner));
  }
  return [...owners.values()];
}

/** kube-state-metrics leaves the owner labels empty if there is no owner. */
function ownerSample(
  labels: Readonly<Record<string, string>>,
  owner: PodState['ownersOwner'] = { kind: '', name: '' },
): MetricSample {
  const { kind: owner_kind, name: owner_name } = owner;
  const owner_is_controller = owner_name === '' ? '' : 'true';
  return sample({ ...labels, owner_kind, owner_name, owner_is_controller }, 1);
}

export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The answer to a scrape at an instant, in the text format, version 0.0.4. */
export function expositionText(world: World, timeSeconds: number): string {
  return metricFamilies(world, timeSeconds)
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(({ labels, value }) => `${name}${seriesLabels(labels)} ${value}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

export interface HistoryOptions {
  /** First and last instant, Unix seconds. Both are included if the step divides their distance. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly stepSeconds: number;
  /** Days before the start of which there is only what the exporter asks for of the past. Default 0. */
  readonly daysBefore?: number;
  /** Labels that a scrape would add (`job`, `instance`), so that history and scrapes are the same series. */
  readonly targetLabels: Readonly<Record<string, string>>;
}

/** Two samples as far apart as this make the rate at an instant of the sparse days. */
const SPARSE_RATE_SECONDS = 45;

/**
 * The samples of all scrapes in a range as OpenMetrics text with timestamps, for `promtool tsdb create-blocks-from
 * openmetrics`: series by series, each in order of time. Yields one series at a time.
 */
export function* openMetricsHistory(world: World, options: HistoryOptions): Generator<string> {
  const { startSeconds, endSeconds, stepSeconds, daysBefore = 0, targetLabels } = options;
  const history = new HistoryText();
  const scrape = (time: number, isKept?: (name: string, labels: MetricSample['labels']) => boolean) =>
    history.add(metricFamilies(world, time), time, targetLabels, isKept);
  const first = Math.ceil((startSeconds - daysBefore * 86_400) / HISTORY_STEP_SECONDS) * HISTORY_STEP_SECONDS;
  for (let time = first; time < startSeconds; time += HISTORY_STEP_SECONDS) {
    scrape(time - SPARSE_RATE_SECONDS, (name, labels) => name === CPU_METRIC && isOfContainer(labels));
    scrape(time, (name, labels) => HISTORY_METRICS.has(name) && isOfContainer(labels));
  }
  for (let time = startSeconds; time <= endSeconds; time += stepSeconds) scrape(time);
  yield* history.series();
  yield '# EOF\n';
}

/** What the exporter asks for of the past. */
const HISTORY_METRICS: ReadonlySet<string> = new Set([CPU_METRIC, MEMORY_METRIC, ...RESTART_METRICS, ...OWNER_METRICS]);

/** Neither of a whole pod nor of its pause container; series without a container are. */
const isOfContainer = ({ container }: MetricSample['labels']) => container !== '' && container !== 'POD';
