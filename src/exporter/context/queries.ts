/** What is asked of some pods, in few queries. */

import type { CollectorMetric } from '../features/opentelemetry/names.js';
import { asState, collectorLabel, collectorSelector, withLabel } from '../features/opentelemetry/queries.js';
import { addMatchers } from '../features/queries/matchers.js';
import { groupsByLength } from '../features/queries/named-pods.js';
import { labelText, quoteAlternatives, quotePromql } from '../features/queries/promql.js';
import { labelNamesOf, type QueryOptions, type SourceNames } from '../features/queries/template.js';
import type { NamedPod } from '../features/table.js';

/** What of the settings the questions depend on. */
export type ContextOptions = SourceNames & Pick<QueryOptions, 'matchers'>;

/** The label that says which part of a query a series answers. Series of several metrics may have the same labels otherwise. */
export const PART_LABEL = 'context';

/**
 * What kube-state-metrics has of a pod or its containers, by the part of the query. Init containers have metrics of their own;
 * native sidecars, which are init containers that go on, are among them.
 */
export const STATE_METRICS = {
  info: 'kube_pod_info',
  created: 'kube_pod_created',
  // Some collectors keep only that: a pod starts when its node takes it.
  started: 'kube_pod_start_time',
  container: 'kube_pod_container_info',
  limit: 'kube_pod_container_resource_limits',
  request: 'kube_pod_container_resource_requests',
  ended_reason: 'kube_pod_container_status_last_terminated_reason',
  ended_exit_code: 'kube_pod_container_status_last_terminated_exitcode',
  ended_time: 'kube_pod_container_status_last_terminated_timestamp',
  waiting: 'kube_pod_container_status_waiting_reason',
  sidecar: 'kube_pod_init_container_info',
  init_limit: 'kube_pod_init_container_resource_limits',
  init_request: 'kube_pod_init_container_resource_requests',
  init_ended_reason: 'kube_pod_init_container_status_last_terminated_reason',
  init_ended_exit_code: 'kube_pod_init_container_status_last_terminated_exitcode',
  init_ended_time: 'kube_pod_init_container_status_last_terminated_timestamp',
  init_waiting: 'kube_pod_init_container_status_waiting_reason',
} as const;

/** The parts that say which limits a pod has. */
export const LIMIT_PARTS: readonly ContextPart[] = ['container', 'sidecar', 'limit', 'init_limit'];

/** Init containers that go on; versions of kube-state-metrics before 2.11 do not say which these are. */
const IS_SIDECAR = 'restart_policy="Always"';

/** Of extended resources, a pod may have any number. */
const RESOURCES = 'resource=~"cpu|memory"';

/** What cAdvisor counts of a container (PSI since Kubernetes 1.34), by the part of the query. */
export const CONTAINER_METRICS = {
  throttled: 'container_cpu_cfs_throttled_periods_total',
  periods: 'container_cpu_cfs_periods_total',
  oom: 'container_oom_events_total',
  pressure_cpu: 'container_pressure_cpu_waiting_seconds_total',
  pressure_memory: 'container_pressure_memory_waiting_seconds_total',
  pressure_io: 'container_pressure_io_waiting_seconds_total',
} as const;

export type ContextPart = keyof typeof STATE_METRICS | Exclude<keyof typeof CONTAINER_METRICS, 'periods'>;

/**
 * VictoriaMetrics refuses queries of more than 16 KiB, and servers refuse addresses of more than 8 KiB, which a query is a part
 * of where it is not sent by POST. In characters.
 */
const LONGEST_QUERY = 6_000;

/** Names in one selector, so that a query always has room for a part. In characters. */
const LONGEST_NAMES = 3_000;

/** The queries for what is known of some pods, each as long as servers take it; none without pods. @param wanted all by default */
export function contextQueries(
  pods: readonly NamedPod[],
  options: ContextOptions,
  wanted?: readonly ContextPart[],
): readonly string[] {
  const queries: string[] = [];
  for (const some of groupsByLength(pods, LONGEST_NAMES)) {
    for (const { part, query } of contextParts(some, options)) {
      if (wanted?.includes(part) === false) continue;
      const longer = queries.length === 0 ? query : `${queries.at(-1)} or ${query}`;
      if (queries.length > 0 && longer.length <= LONGEST_QUERY) queries[queries.length - 1] = longer;
      else queries.push(query);
    }
  }
  return queries;
}

/** Each question on its own. It also asks for a pod in the namespace of another, which is harmless. */
export function contextParts(
  pods: readonly NamedPod[],
  options: ContextOptions,
): readonly { readonly part: ContextPart; readonly query: string }[] {
  const namespaces = quoteAlternatives(pods.map(({ namespace }) => namespace));
  const names = quoteAlternatives(pods.map(({ pod }) => pod));
  const ofSource = options.metricsSource === 'opentelemetry' ? collectorExpressions : kubernetesExpressions;
  return ofSource(namespaces, names, options).map(([part, expression]) => ({
    part,
    query: withLabel(addMatchers(expression, options.matchers ?? ''), PART_LABEL, part),
  }));
}

type Expressions = readonly (readonly [part: ContextPart, expression: string])[];

/**
 * What a Collector has. Nothing in it is about the time at which a pod was made, its last end, throttling, pressure, and memory
 * that ran out; `k8s.container.status.reason` has to be turned on.
 */
function collectorExpressions(namespaces: string, names: string, options: ContextOptions): Expressions {
  const { namespace, pod, container } = labelNamesOf(options);
  const scope = `${labelText(namespace)}=~${namespaces},${labelText(pod)}=~${names}`;
  const select = (metric: CollectorMetric) => collectorSelector(metric, scope, options);
  const ofContainer = (expression: string, further: Readonly<Record<string, string>> = {}) =>
    asState(expression, options, { container, ...further });
  // Older receivers report 0 where there is no limit.
  const amount = (metric: CollectorMetric, resource: string) =>
    withLabel(ofContainer(`${select(metric)} > 0`), 'resource', resource);
  // Other reasons are those of ends.
  const reason = collectorLabel('k8s.container.status.reason', options);
  const waits = `${labelText(reason)}!~"OOMKilled|Completed|Error|ContainerCannotRun"`;
  const [image, tag] = (['container.image.name', 'container.image.tag'] as const).map((attribute) =>
    quotePromql(collectorLabel(attribute, options)),
  );
  const withImage = `label_join(${select('k8s.container.restarts')}, "image", ":", ${image}, ${tag})`;
  return [
    ['info', asState(select('k8s.pod.phase'), options, { node: collectorLabel('k8s.node.name', options) })],
    // Without the colon where there is no tag, or no image.
    ['container', `label_replace(${ofContainer(withImage, { image: 'image' })}, "image", "$1", "image", "(.*):")`],
    ['limit', amount('k8s.container.cpu_limit', 'cpu')],
    ['limit', amount('k8s.container.memory_limit', 'memory')],
    ['request', amount('k8s.container.cpu_request', 'cpu')],
    ['request', amount('k8s.container.memory_request', 'memory')],
    [
      'waiting',
      ofContainer(`${collectorSelector('k8s.container.status.reason', `${scope},${waits}`, options)} > 0`, { reason }),
    ],
  ];
}

/** What kube-state-metrics and cAdvisor have. */
function kubernetesExpressions(namespaces: string, names: string, options: ContextOptions): Expressions {
  const { namespace: namespaceLabel, pod: podLabel, container: containerLabel } = labelNamesOf(options);
  const [pod, namespace, container] = [podLabel, namespaceLabel, containerLabel].map(labelText);
  const ofState = (metric: string, further = '') => `${metric}{namespace=~${namespaces},pod=~${names}${further}}`;
  const ofContainers = (part: keyof typeof CONTAINER_METRICS, range: string) =>
    `${CONTAINER_METRICS[part]}{${container}!="",${container}!="POD",` +
    `${namespace}=~${namespaces},${pod}=~${names}}[${range}]`;
  const most = (expression: string) => `max by (${namespace}, ${pod}) (${expression})`;
  const rate = (part: keyof typeof CONTAINER_METRICS) => `rate(${ofContainers(part, '5m')})`;
  const oom = ofContainers('oom', '1h');
  const expressions: Readonly<Record<ContextPart, string>> = {
    info: ofState(STATE_METRICS.info),
    created: ofState(STATE_METRICS.created),
    started: ofState(STATE_METRICS.started),
    container: ofState(STATE_METRICS.container),
    limit: ofState(STATE_METRICS.limit, `,${RESOURCES}`),
    request: ofState(STATE_METRICS.request, `,${RESOURCES}`),
    ended_reason: ofState(STATE_METRICS.ended_reason),
    ended_exit_code: ofState(STATE_METRICS.ended_exit_code),
    ended_time: ofState(STATE_METRICS.ended_time),
    waiting: ofState(STATE_METRICS.waiting),
    sidecar: ofState(STATE_METRICS.sidecar, `,${IS_SIDECAR}`),
    init_limit: ofState(STATE_METRICS.init_limit, `,${RESOURCES}`),
    init_request: ofState(STATE_METRICS.init_request, `,${RESOURCES}`),
    init_ended_reason: ofState(STATE_METRICS.init_ended_reason),
    init_ended_exit_code: ofState(STATE_METRICS.init_ended_exit_code),
    init_ended_time: ofState(STATE_METRICS.init_ended_time),
    init_waiting: ofState(STATE_METRICS.init_waiting),
    throttled: most(`${rate('throttled')} / ${rate('periods')}`),
    // Not `increase`, which extrapolates: events are whole. The inner `max` leaves one series for each run of a container.
    oom:
      `sum by (${namespace}, ${pod}) (max by (${namespace}, ${pod}, ${container}, id) ` +
      `(max_over_time(${oom}) - min_over_time(${oom})))`,
    pressure_cpu: most(rate('pressure_cpu')),
    pressure_memory: most(rate('pressure_memory')),
    pressure_io: most(rate('pressure_io')),
  };
  return Object.entries(expressions) as [ContextPart, string][];
}
