/** The PromQL of the dashboard, with variables such as `$namespace`, which Grafana fills in. */

import { CONTAINER_METRICS, STATE_METRICS } from '../../src/exporter/context/queries.js';
import { buildCatalog } from '../../src/exporter/features/catalog.js';
import { asState, collectorSelector } from '../../src/exporter/features/opentelemetry/queries.js';
import { type LabelNames, labelNamesOf, type QueryOptions } from '../../src/exporter/features/queries/template.js';

/**
 * One cluster at a time, as in the dashboards of kubernetes-mixin. Where series have no such label, the variable is empty, which
 * matches them.
 */
const IN_CLUSTER = 'cluster="$cluster"';

/** An OpenTelemetry Collector, whose names Prometheus has translated as it does by default. */
const COLLECTOR = { metricsSource: 'opentelemetry' } as const;
const KUBERNETES_LABELS = labelNamesOf({});
const COLLECTOR_LABELS = labelNamesOf(COLLECTOR);

/**
 * The pods that the variables select, by the labels of a source.
 *
 * The gauges of pods have no label for the workload, and kube-state-metrics may be missing, so pods are matched by name:
 * that of the workload, alone or with a suffix. This finds the pods of Deployments, StatefulSets, DaemonSets, Jobs,
 * CronJobs, and static pods. For `cart` it also finds those of `cart-worker`, if both exist.
 */
const inNamespace = ({ namespace }: LabelNames) => `${namespace}=~"$namespace"`;
const podScope = (labels: LabelNames) =>
  `${IN_CLUSTER},${inNamespace(labels)},${labels.pod}=~"$workload(-.*)?",${labels.pod}=~"$pod"`;

const NAMESPACE = inNamespace(KUBERNETES_LABELS);
const POD_SCOPE = podScope(KUBERNETES_LABELS);
const COLLECTOR_SCOPE = podScope(COLLECTOR_LABELS);
const WORKLOAD_SCOPE = `${IN_CLUSTER},${NAMESPACE},workload=~"$workload"`;

/** The variables that depend on others. */
export const VARIABLE_QUERIES = {
  cluster: 'label_values(anomaly_score, cluster)',
  namespace: `label_values(anomaly_score{${IN_CLUSTER}}, namespace)`,
  workload: `label_values(anomaly_workload_pods_scored{${IN_CLUSTER},${NAMESPACE}}, workload)`,
  pod: `label_values(anomaly_score{${IN_CLUSTER},${NAMESPACE},pod=~"$workload(-.*)?"}, pod)`,
};

/**
 * One series for each pod, from whichever replica of the exporter. Replicas agree on a pod; if one was scraped a moment
 * later, the higher value counts.
 *
 * @param more further matchers of the selector.
 */
export function ofPod(metric: string, more = ''): string {
  return `max by (namespace, pod) (${metric}{${POD_SCOPE}${more}})`;
}

/** The same with the largest value since the previous step, so that a chart over weeks shows short flags. */
export function peakOfPod(metric: string): string {
  return `max by (namespace, pod) (max_over_time(${metric}{${POD_SCOPE}}[$__rate_interval]))`;
}

/** One series for each feature of each pod. */
export function ofFeature(metric: string): string {
  return `max by (namespace, pod, feature) (${metric}{${POD_SCOPE}})`;
}

/** One series for each pod, with a label that says something of it. */
export function infoOfPod(metric: string, label: string): string {
  return `max by (namespace, pod, ${label}) (${metric}{${POD_SCOPE}})`;
}

/** What a flagged pod uses of its limit; only pods that have one. */
export function shareOfLimit(resource: 'cpu' | 'memory'): string {
  const used = ofPod('anomaly_feature_value', `,feature="${resource}"`);
  return `${used} / ${ofPod('anomaly_pod_limit', `,resource="${resource}"`)}`;
}

/**
 * What cAdvisor or kube-state-metrics have of each pod, and what a Collector has, both with the labels `namespace` and `pod` and
 * no others: where one source has followed the other, a pod is one line.
 */
export type OfSources = readonly [ofKubernetes: string, ofCollector: string];

/**
 * Pods from whichever source has them. A selector for a metric that does not exist costs nothing, so nobody has to say which
 * it is. Only what is left of each source is joined: joined first, it costs a third more where there are many pods.
 *
 * @param narrow leaves the pods that are shown.
 */
export function ofEitherSource(expressions: OfSources, narrow: (expression: string) => string): string {
  return expressions.map(narrow).join(' or ');
}

/** Requests or limits of the containers of each pod together. */
export function resourceOfPod(kind: 'request' | 'limit', resource: 'cpu' | 'memory'): OfSources {
  const ofKubernetes = `${STATE_METRICS[kind]}{${POD_SCOPE},resource="${resource}"}`;
  const ofCollector = collectorSelector(`k8s.container.${resource}_${kind}`, COLLECTOR_SCOPE, COLLECTOR);
  const { container } = COLLECTOR_LABELS;
  return [
    // Of several kube-state-metrics, one.
    `sum by (namespace, pod) (max by (namespace, pod, container) (${ofKubernetes}))`,
    // Older receivers report 0 where there is no limit.
    `sum by (namespace, pod) (${asState(`${ofCollector} > 0`, COLLECTOR, { container })})`,
  ];
}

/** Share of the periods of the CPU quota in which the container of the pod that is throttled most was throttled. */
export const THROTTLED = (() => {
  const rate = (metric: string) =>
    `sum by (namespace, pod, container) (rate(${metric}{${POD_SCOPE},container!="",container!="POD"}[$__rate_interval]))`;
  const { throttled, periods } = CONTAINER_METRICS;
  return `max by (namespace, pod) (${rate(throttled)} / (${rate(periods)} > 0))`;
})();

/** One series for each workload. */
export function ofWorkload(metric: string): string {
  return `max by (namespace, workload) (${metric}{${WORKLOAD_SCOPE}})`;
}

export function peakOfWorkload(metric: string): string {
  return `max by (namespace, workload) (max_over_time(${metric}{${WORKLOAD_SCOPE}}[$__rate_interval]))`;
}

/**
 * The pods with the highest scores of the whole time range, the same at each of its instants (a plain `topk` would
 * choose others at each). The subquery reads one sample a step: the cost does not grow with the range.
 */
function worstPods(count: number): string {
  const peak = `max_over_time(anomaly_score{${POD_SCOPE}}[$__range:$__interval] @ end())`;
  return `topk(${count}, max by (namespace, pod) (${peak}))`;
}

/** Only the pods with the highest scores of the time range, or the selected ones if they are fewer. */
export function amongWorst(expression: string, count: number): string {
  return `${expression} and on (namespace, pod) ${worstPods(count)}`;
}

/** Only if the variables select few pods: of many, these lines would hide the others. Counted once, at the end of the range. */
export function ofFewPods(expression: string, most: number): string {
  const scored = `max by (namespace, pod) (anomaly_score{${POD_SCOPE}} @ end())`;
  return `${expression} and on () (count(${scored}) <= ${most})`;
}

/** Only the pods with the highest scores of the time range, and of these only those that were flagged in it. */
export function amongWorstFlagged(expression: string, count: number): string {
  return `${expression} and on (namespace, pod) (${worstPods(count)} > 0)`;
}

/** The score of the pods that are flagged at this instant, the most anomalous only. */
export function flaggedNow(count: number): string {
  return `topk(${count}, ${ofPod('anomaly_score')}) > 0`;
}

/** Only the pods of `flaggedNow`. */
export function amongFlaggedNow(expression: string, count: number): string {
  return `${expression} and on (namespace, pod) (${flaggedNow(count)})`;
}

/** The largest deviation of each pod: one series a pod, with the name of the feature. */
export const LARGEST_DEVIATION =
  `${ofFeature('anomaly_feature_deviation')} and ` +
  `topk by (namespace, pod) (1, abs(${ofFeature('anomaly_feature_deviation')}))`;

/**
 * The share of the samples of a step that were flagged. Pooled over pods and replicas, so neither a pod that lived for
 * a moment nor a replica that was scraped less often weighs more than its samples.
 */
export const ANOMALY_RATE =
  `sum by (namespace) (sum_over_time(anomaly_flag{${POD_SCOPE}}[$__rate_interval])) / ` +
  `sum by (namespace) (count_over_time(anomaly_flag{${POD_SCOPE}}[$__rate_interval]))`;

/**
 * The exporter's own queries, limited to the pods that the variables select. Of a Collector, the working set is read, which its
 * documentation chooses.
 */
export function actual(feature: 'cpu' | 'memory'): OfSources {
  const asked = (labels: LabelNames, source: Partial<QueryOptions>) => {
    const scope = { namespaceRegex: '$namespace', podLabel: labels.pod, cpuRateWindow: '$__rate_interval' };
    const definition = buildCatalog({ ...scope, ...source }).find(({ name }) => name === feature);
    if (definition === undefined) throw new Error(`Expected a built-in feature, got ${feature}.`);
    return definition.query.replaceAll(inNamespace(labels), podScope(labels));
  };
  const { pod } = COLLECTOR_LABELS;
  const ofCollector = asked(COLLECTOR_LABELS, { ...COLLECTOR, memoryMetric: 'working_set' });
  // Both call memory the same, and a Collector that is scraped may have the labels of its own pod.
  const notOfCollector = feature === 'memory' ? { matchers: `${pod}=""` } : {};
  return [
    asked(KUBERNETES_LABELS, notOfCollector),
    `max by (namespace, pod) (label_replace(${ofCollector}, "pod", "$1", "${pod}", "(.+)"))`,
  ];
}

/**
 * Restarts in the last ten minutes, of the container that restarts most, as the exporter counts them: one that has restarted
 * 500 times in all may be healthy now. Not `increase`, which extrapolates to fractions of a restart.
 */
export const RECENT_RESTARTS: OfSources = (() => {
  const rise = (selector: string) => `${selector} - min_over_time(${selector}[10m])`;
  const ofKubernetes = [
    'kube_pod_container_status_restarts_total',
    'kube_pod_init_container_status_restarts_total',
  ].map((metric) => rise(`${metric}{${POD_SCOPE}}`));
  const ofCollector = rise(collectorSelector('k8s.container.restarts', COLLECTOR_SCOPE, COLLECTOR));
  return [ofKubernetes.join(' or '), asState(ofCollector, COLLECTOR)].map(
    (expression) => `max by (namespace, pod) (${expression})`,
  ) as [string, string];
})();

/** A metric of the exporter itself, of all of its replicas. @param more further matchers. */
export function exporterMetric(metric: string, more = ''): string {
  return `${metric}{${IN_CLUSTER}${more}}`;
}

/** Only the exporter's processes among all that expose the metric. */
export function ofExporter(expression: string): string {
  return `${expression} and on (job, instance) ${exporterMetric('k8s_anomaly_detector_build_info')}`;
}

/** The address of the exporter's page (PAGE_URL) as a label of each pod; none where nobody said it. */
export const PAGE_OF_POD =
  `${ofPod('anomaly_flag')} * on () group_left (page) ` +
  `topk(1, max by (page) (${exporterMetric('k8s_anomaly_detector_links_info', ',page!=""')}))`;
