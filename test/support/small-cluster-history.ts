/** A small cluster as the past, and the near future, of a real Prometheus. */

import type { QueryTopic, SmallCluster } from './small-cluster.js';

/** What cAdvisor and kube-state-metrics call it. A counter of seconds is made from the rate. */
const FAMILIES: readonly (readonly [name: string, topic: QueryTopic, type: 'counter' | 'gauge'])[] = [
  ['container_cpu_usage_seconds_total', 'cpu', 'counter'],
  ['container_memory_usage_bytes', 'memory', 'gauge'],
  ['kube_pod_container_status_restarts_total', 'restarts', 'gauge'],
  ['kube_pod_init_container_status_restarts_total', 'kube_pod_init_container_status_restarts_total', 'gauge'],
  ['kube_pod_owner', 'kube_pod_owner', 'gauge'],
];

/** Queries of the small cluster that name the topic. */
const QUERIES: Readonly<Record<string, string>> = {
  cpu: 'container_cpu_usage_seconds_total',
  memory: 'container_memory_usage_bytes',
  restarts: 'kube_pod_container_status_restarts_total',
  kube_pod_init_container_status_restarts_total: 'kube_pod_init_container_status_restarts_total',
  kube_pod_owner: 'kube_pod_owner',
};

/** OpenMetrics text with timestamps, for `promtool tsdb create-blocks-from openmetrics`; a family at a time. */
export function* smallClusterHistory(
  cluster: SmallCluster,
  { startSeconds, endSeconds, stepSeconds }: Readonly<Record<'startSeconds' | 'endSeconds' | 'stepSeconds', number>>,
): Generator<string> {
  for (const [name, topic, type] of FAMILIES) {
    const lines = new Map<string, { sum: number; text: string }>();
    for (let time = startSeconds; time <= endSeconds; time += stepSeconds) {
      for (const { labels, value } of cluster.answer(QUERIES[topic] ?? '', time)) {
        const all =
          topic === 'kube_pod_owner'
            ? labels
            : { ...labels, container: topic.startsWith('kube_pod_init') ? 'setup' : 'app' };
        const key = `${name}{${Object.entries(all)
          .map(([label, text]) => `${label}="${text}"`)
          .join(',')}}`;
        const series = lines.get(key) ?? { sum: 0, text: '' };
        series.sum += value * stepSeconds;
        series.text += `${key} ${topic === 'cpu' ? series.sum : value} ${time}\n`;
        lines.set(key, series);
      }
    }
    yield `# TYPE ${name.replace(/_total$/, '')} ${type}\n${[...lines.values()].map(({ text }) => text).join('')}`;
  }
  yield '# EOF\n';
}
