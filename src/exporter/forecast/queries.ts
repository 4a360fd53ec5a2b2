/** What is asked about pods whose memory grows. */

import { addMatchers } from '../features/queries/matchers.js';
import { labelText, quoteAlternatives, selectorText } from '../features/queries/promql.js';
import {
  labelNamesOf,
  type MemoryMetric,
  memoryMetricName,
  type QueryOptions,
  type SourceNames,
} from '../features/queries/template.js';
import type { NamedPod, PodIdentity } from '../features/table.js';

/** What of the settings the questions depend on. */
export type ForecastOptions = SourceNames & Pick<QueryOptions, 'memoryMetric' | 'matchers'>;

/** Where the working set is there, it counts: it is what the kubelet and the kernel look at, without cache that can be given back. */
export function memoryMetricsToTry({
  memoryMetric = 'usage',
}: ForecastOptions): readonly [MemoryMetric, MemoryMetric?] {
  return memoryMetric === 'working_set' ? ['working_set'] : ['working_set', memoryMetric];
}

/**
 * The floors of the memory of some pods, one series for each, with the labels that cAdvisor has: the smallest value in each
 * time of `range`.
 *
 * @param range a Prometheus duration.
 */
export function floorsQuery(
  pods: readonly NamedPod[],
  metric: MemoryMetric,
  range: string,
  options: ForecastOptions,
): string {
  return memoryQuery(quoteAlternatives(pods.map(({ pod }) => pod)), pods, metric, options, range);
}

/** The memory of each pod that a workload has or had, by the beginning of its name: names of others may begin like that. */
export function workloadQuery(workload: PodIdentity, metric: MemoryMetric, options: ForecastOptions): string {
  const name = quoteAlternatives([workload.workload]).slice(1, -1);
  return `max(${memoryQuery(`"${name}(?:-.*)?"`, [workload], metric, options)})`;
}

/** @param names a regular expression as a PromQL string. */
function memoryQuery(
  names: string,
  pods: readonly NamedPod[],
  metric: MemoryMetric,
  options: ForecastOptions,
  range?: string,
): string {
  const labels = labelNamesOf(options);
  const [pod, namespace, container] = [labels.pod, labels.namespace, labels.container].map(labelText);
  const selector = selectorText(
    memoryMetricName(metric, options),
    `${container}!="",${container}!="POD",` +
      `${namespace}=~${quoteAlternatives(pods.map((one) => one.namespace))},${pod}=~${names}`,
  );
  const value = range === undefined ? selector : `min_over_time(${selector}[${range}])`;
  return addMatchers(
    `sum by (${namespace}, ${pod}) (max by (${namespace}, ${pod}, ${container}) (${value}))`,
    options.matchers ?? '',
  );
}
