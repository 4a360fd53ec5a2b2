/** What kube-state-metrics and cAdvisor expose of the circumstances of pods: nodes, limits, ends, throttling, pressure. */

import { CONTAINER_METRICS, STATE_METRICS } from '../../exporter/context/queries.js';
import type { Cgroup, ContainerState, PodState } from '../simulation/pod-state.js';
import { type MetricFamily, type MetricSample, sample } from './metric-family.js';

type Labels = MetricSample['labels'];

/** A cgroup as cAdvisor exposes it. */
export interface ExposedCgroup extends Omit<Cgroup, 'attempt'> {
  readonly labels: Labels;
}

const UNITS = { cpu: 'core', memory: 'byte' } as const;

/** The families of the context of pods. @param pods those that the API server knows; `cgroups` theirs. */
export function contextFamilies(pods: readonly PodState[], cgroups: readonly ExposedCgroup[]): readonly MetricFamily[] {
  const gauge = (name: string, help: string, samples: readonly MetricSample[]): MetricFamily => ({
    name,
    type: 'gauge',
    help,
    samples,
  });
  const counter = (name: string, help: string, read: (cgroup: ExposedCgroup) => number | undefined): MetricFamily => ({
    name,
    type: 'counter',
    help,
    samples: cgroups.flatMap((cgroup) => {
      const value = read(cgroup);
      return value === undefined ? [] : [sample(cgroup.labels, value)];
    }),
  });
  const ofPods = (read: (pod: PodState) => readonly [further: Labels, value: number]) =>
    pods.map((state) => {
      const [further, value] = read(state);
      return sample({ ...idOf(state), ...further }, value);
    });
  const ofContainers = (
    read: (container: ContainerState, pod: PodState) => (readonly [further: Labels, value: number])[],
  ) =>
    pods.flatMap((state) =>
      state.containers.flatMap((container) =>
        read(container, state).map(([further, value]) =>
          sample({ ...idOf(state), container: container.name, ...further }, value),
        ),
      ),
    );
  const amounts = (kind: 'limits' | 'requests') =>
    ofContainers(({ resources }, { node }) =>
      Object.entries(resources[kind]).map(([resource, value]) => {
        return [{ resource, unit: UNITS[resource as keyof typeof UNITS], node }, value] as const;
      }),
    );
  const last = <Value>({ ends }: ContainerState, read: (end: ContainerState['ends'][number]) => Value) =>
    ends.slice(-1).map(read);
  const periodsOf = (read: (cgroup: ExposedCgroup) => number) => (cgroup: ExposedCgroup) =>
    // A container without a quota has no periods.
    cgroup.periods === 0 ? undefined : read(cgroup);
  const waited = (resource: keyof Cgroup['waits'], what: string) =>
    counter(
      CONTAINER_METRICS[`pressure_${resource}`],
      `Total time in which tasks of the container waited for ${what}, in seconds.`,
      ({ waits }) => waits[resource],
    );
  return [
    gauge(
      STATE_METRICS.info,
      'Information about pod.',
      ofPods(({ node, owner }) => [{ node, created_by_kind: owner.kind, created_by_name: owner.name }, 1]),
    ),
    gauge(
      STATE_METRICS.created,
      'Unix creation timestamp.',
      ofPods(({ createdSeconds }) => [{}, Math.floor(createdSeconds)]),
    ),
    gauge(
      STATE_METRICS.started,
      'Start time in unix timestamp for a pod.',
      ofPods(({ createdSeconds }) => [{}, Math.floor(createdSeconds)]),
    ),
    gauge(
      STATE_METRICS.container,
      'Information about a container in a pod.',
      ofContainers(({ image }) => [[{ image, image_spec: image }, 1]]),
    ),
    gauge(STATE_METRICS.limit, 'The resource limit of a container.', amounts('limits')),
    gauge(STATE_METRICS.request, 'The resource request of a container.', amounts('requests')),
    gauge(
      STATE_METRICS.ended_reason,
      'The last reason for which the container ended.',
      ofContainers((container) => last(container, ({ reason }) => [{ reason }, 1])),
    ),
    gauge(
      STATE_METRICS.ended_exit_code,
      'The exit code with which the container ended last.',
      ofContainers((container) => last(container, ({ exitCode }) => [{}, exitCode])),
    ),
    gauge(
      STATE_METRICS.ended_time,
      'When the container ended last, in unix timestamp.',
      ofContainers((container) => last(container, ({ timeSeconds }) => [{}, Math.floor(timeSeconds)])),
    ),
    gauge(
      STATE_METRICS.waiting,
      'The reason why the container waits.',
      ofContainers(({ isWaiting }) => (isWaiting ? [[{ reason: 'CrashLoopBackOff' }, 1]] : [])),
    ),
    counter(
      CONTAINER_METRICS.periods,
      'Number of elapsed enforcement period intervals.',
      periodsOf(({ periods }) => periods),
    ),
    counter(
      CONTAINER_METRICS.throttled,
      'Number of throttled period intervals.',
      periodsOf(({ throttledPeriods }) => throttledPeriods),
    ),
    counter(CONTAINER_METRICS.oom, 'Count of out of memory events of the container.', ({ oomEvents }) => oomEvents),
    waited('cpu', 'a processor'),
    waited('memory', 'memory'),
    waited('io', 'a disk'),
  ];
}

const idOf = ({ namespace, pod, uid }: PodState): Labels => ({ namespace, pod, uid });
