/** The answers of the simulated Prometheus to the questions about pods whose memory grows. */

import { MEMORY_METRICS, type MemoryMetric } from '../../exporter/features/queries/template.js';
import type { NamedPod } from '../../exporter/features/table.js';
import { floorsQuery, workloadQuery } from '../../exporter/forecast/queries.js';
import type { World } from '../simulation/cluster.js';
import type { PodState } from '../simulation/pod-state.js';
import { alternativesOf } from './literals.js';
import type { MetricSample } from './metric-family.js';

type Evaluate = (timeSeconds: number) => readonly MetricSample[];

const OPTIONS = { podLabel: 'pod' };

/** The matchers of the questions, their metric, and the range that they look at. */
const PODS = /namespace=~"(?<namespaces>(?:[^"\\]|\\.)*)",pod=~"(?<names>(?:[^"\\]|\\.)*)"/;
const METRIC = /\((?<metric>container_memory_\w+)\{/;
const RANGE = /\[(?<range>\w+)\]/;
const WORKLOAD = /^(?<workload>.*)\(\?:-\.\*\)\?$/s;

/** How to answer a question about the memory of some pods; `undefined` if it is another query. */
export function forecastEvaluation(query: string, world: World): Evaluate | undefined {
  const { namespaces: some = '', names: others = '' } = PODS.exec(query)?.groups ?? {};
  const [namespaces, names] = [alternativesOf(some), alternativesOf(others)];
  const pods = namedPods(namespaces, names);
  if (pods.length === 0) return undefined;
  const asked = (time: number) =>
    world.pods(time).filter(({ namespace, pod }) => namespaces.includes(namespace) && names.includes(pod));
  const metric = metricNamed(METRIC.exec(query)?.groups?.metric);
  if (metric === undefined) return undefined;
  // A kubelet has the working set as well; the simulated one has no page cache that would make a difference.
  const memoryOf = (known: readonly PodState[]) => (metric === 'usage' ? known.flatMap(memoryIn) : []);
  const { range } = RANGE.exec(query)?.groups ?? {};
  // Memory moves slowly here: its value now is about the lowest of some minutes.
  if (range !== undefined && query === floorsQuery(pods, metric, range, OPTIONS))
    return (time) => memoryOf(asked(time));
  const { workload } = WORKLOAD.exec(others)?.groups ?? {};
  const [namespace = ''] = namespaces;
  if (workload === undefined || query !== workloadQuery({ namespace, pod: '', workload }, metric, OPTIONS)) {
    return undefined;
  }
  const isOfWorkload = ({ pod }: NamedPod) => pod === workload || pod.startsWith(`${workload}-`);
  return (time) => {
    const own = world.pods(time).filter((pod) => pod.namespace === namespace && isOfWorkload(pod));
    const values = memoryOf(own).map(({ value }) => value);
    return values.length === 0 ? [] : [{ labels: {}, value: Math.max(...values) }];
  };
}

/** Pods with these names, each at least once: which is in which namespace does not matter. */
function namedPods(namespaces: readonly string[], names: readonly string[]): readonly NamedPod[] {
  if (namespaces.length === 0 || names.length === 0) return [];
  return Array.from({ length: Math.max(namespaces.length, names.length) }, (_, index) => ({
    namespace: namespaces[Math.min(index, namespaces.length - 1)] as string,
    pod: names[Math.min(index, names.length - 1)] as string,
  }));
}

function metricNamed(name: string | undefined): MemoryMetric | undefined {
  return (Object.keys(MEMORY_METRICS) as MemoryMetric[]).find((metric) => MEMORY_METRICS[metric] === name);
}

/** The sum of the largest values of its containers; none of a pod that has ended. */
function memoryIn({ namespace, pod, containers }: PodState): readonly MetricSample[] {
  const running = containers.filter(({ cgroups }) => cgroups.length > 0);
  if (running.length === 0) return [];
  const bytes = running.map(({ cgroups }) => Math.max(...cgroups.map(({ memoryBytes }) => memoryBytes)));
  return [{ labels: { namespace, pod }, value: bytes.reduce((sum, value) => sum + value, 0) }];
}
