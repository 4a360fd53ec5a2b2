/** How the metrics and attributes of an OpenTelemetry Collector are called once a server has stored them. */

/** Whose names the series have: those of cAdvisor and kube-state-metrics, or those of a Collector. */
export const METRICS_SOURCES = ['cadvisor', 'opentelemetry'] as const;

export type MetricsSource = (typeof METRICS_SOURCES)[number];

/**
 * How names were translated: the values of `otlp.translation_strategy` of Prometheus, the default first. Escaped, dots become
 * `_`. Suffixes are the unit and `_total`.
 */
export const TRANSLATIONS = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const;

export type Translation = (typeof TRANSLATIONS)[number];

/**
 * What the exporter reads of the receivers kubeletstats (`container.*`) and k8s_cluster (`k8s.*`), with the suffix of each:
 * Prometheus makes it from the unit and the type in the receivers' `metadata.yaml`. A unit in braces makes none.
 */
const SUFFIXES = {
  'container.cpu.time': '_seconds_total',
  'container.memory.usage': '_bytes',
  'container.memory.working_set': '_bytes',
  'container.memory.rss': '_bytes',
  'k8s.container.restarts': '',
  'k8s.container.cpu_limit': '',
  'k8s.container.cpu_request': '',
  'k8s.container.memory_limit': '_bytes',
  'k8s.container.memory_request': '_bytes',
  'k8s.container.status.reason': '',
  'k8s.pod.phase': '',
} as const;

export type CollectorMetric = keyof typeof SUFFIXES;

export const COLLECTOR_METRICS = Object.keys(SUFFIXES) as readonly CollectorMetric[];

/**
 * Attributes that name what owns a pod, with the kinds of objects: the processor k8sattributes adds them. A pod may have two:
 * then the first by kind counts (`resolveOwners`), a Deployment before its ReplicaSet, a CronJob before its Job.
 */
export const OWNER_ATTRIBUTES = {
  'k8s.deployment.name': 'Deployment',
  'k8s.replicaset.name': 'ReplicaSet',
  'k8s.statefulset.name': 'StatefulSet',
  'k8s.daemonset.name': 'DaemonSet',
  'k8s.job.name': 'Job',
  'k8s.cronjob.name': 'CronJob',
} as const;

/** Attributes that the series need as labels: without the first three, pods are not told apart. */
export const PROMOTED_ATTRIBUTES = [
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.container.name',
  ...(Object.keys(OWNER_ATTRIBUTES) as (keyof typeof OWNER_ATTRIBUTES)[]),
  'k8s.node.name',
  'container.image.name',
  'container.image.tag',
] as const;

/** An attribute of a resource, or of a data point. */
export type CollectorAttribute = (typeof PROMOTED_ATTRIBUTES)[number] | 'k8s.container.status.reason';

/** `container_cpu_time_seconds_total`, or what another translation makes of `container.cpu.time`. */
export function metricName(metric: CollectorMetric, translation: Translation = TRANSLATIONS[0]): string {
  const suffix = /WithoutSuffixes|NoTranslation/.test(translation) ? '' : SUFFIXES[metric];
  return escaped(metric, translation) + suffix;
}

/** `k8s_pod_name`, or `k8s.pod.name` as it is. */
export function attributeLabel(attribute: CollectorAttribute, translation: Translation = TRANSLATIONS[0]): string {
  return escaped(attribute, translation);
}

const escaped = (name: string, translation: Translation) =>
  translation.startsWith('Underscore') ? name.replaceAll('.', '_') : name;
