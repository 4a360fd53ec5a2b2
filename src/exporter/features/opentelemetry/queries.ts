/**
 * What kube-state-metrics is asked for, asked of the series of an OpenTelemetry Collector. The answers have the labels of
 * kube-state-metrics, so that nothing else needs to know where they come from.
 */

import { addMatchers } from '../queries/matchers.js';
import { labelList, labelText, quotePromql, selectorText } from '../queries/promql.js';
import { labelNamesOf, memoryMetricName, type QueryScope, type SourceNames } from '../queries/template.js';
import {
  attributeLabel,
  type CollectorAttribute,
  type CollectorMetric,
  metricName,
  OWNER_ATTRIBUTES,
} from './names.js';

/** The series in which Prometheus keeps the attributes of a resource that it does not promote to labels. */
export const TARGET_INFO = 'target_info';

/** The selector of a metric, as the server calls it. */
export function collectorSelector(metric: CollectorMetric, matchers: string, names: SourceNames): string {
  return selectorText(metricName(metric, names.otlpTranslation), matchers);
}

/** The label of an attribute, as the server calls it. */
export function collectorLabel(attribute: CollectorAttribute, names: SourceNames): string {
  return attributeLabel(attribute, names.otlpTranslation);
}

/**
 * The series of an expression with the labels that kube-state-metrics has: `namespace` and `pod`, and further ones. All others
 * are left out: those of several Collectors may differ in nothing but their own `pod`, and a query fails that makes two series
 * alike by writing over it.
 *
 * @param further from a label to the one whose value it takes.
 * @param aggregation what becomes of the values.
 */
export function asState(
  expression: string,
  names: SourceNames,
  further: Readonly<Record<string, string>> = {},
  aggregation: 'max' | 'group' = 'max',
): string {
  const { namespace, pod } = labelNamesOf(names);
  const taken = Object.entries({ namespace, pod, ...further });
  return taken.reduce(
    (text, [label, from]) => `label_replace(${text}, "${label}", "$1", ${quotePromql(from)}, "(.+)")`,
    `${aggregation} by (${labelList(taken.map(([, from]) => from))}) (${expression})`,
  );
}

/** The same series with one more label. */
export function withLabel(expression: string, label: string, value: string): string {
  return `label_replace(${expression}, "${label}", "${value}", "", "")`;
}

/** Matchers for the pods in scope. */
function inScope(scope: QueryScope): string {
  const { namespace, pod } = labelNamesOf(scope);
  return `${labelText(pod)}!="",${labelText(namespace)}=~${quotePromql(scope.namespaceRegex)}`;
}

/**
 * The owners of pods, one series for each that an attribute names. The attributes are labels of the usage where they are
 * promoted, and else of `target_info`. A pod without any of them has no series: the processor may be missing, or may not
 * extract that kind.
 */
export function collectorOwnerQuery(scope: QueryScope): string {
  const memory = memoryMetricName(scope.memoryMetric ?? 'usage', scope);
  const ofKinds = Object.entries(OWNER_ATTRIBUTES).map(([name, kind]) => {
    const label = collectorLabel(name as keyof typeof OWNER_ATTRIBUTES, scope);
    const matchers = `${labelText(label)}!="",${inScope(scope)}`;
    const owned = `${selectorText(memory, matchers)} or ${selectorText(TARGET_INFO, matchers)}`;
    return withLabel(asState(owned, scope, { owner_name: label }, 'group'), 'owner_kind', kind);
  });
  return addMatchers(ofKinds.join(' or '), scope.matchers ?? '');
}

/** The phases, by the numbers of the receiver k8s_cluster. */
const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;

/** The pods in some phases. */
export function collectorPhaseQuery(phases: readonly string[], scope: QueryScope): string {
  const selector = collectorSelector('k8s.pod.phase', inScope(scope), scope);
  const inPhases = PHASES.flatMap((phase, index) =>
    phases.includes(phase) ? [withLabel(asState(`${selector} == ${index + 1}`, scope), 'phase', phase)] : [],
  );
  return addMatchers(inPhases.join(' or '), scope.matchers ?? '');
}

/** One series for each pod that has a phase. @param matchers further ones, beginning with a comma. */
export function collectorPodsQuery(scope: QueryScope, matchers = ''): string {
  const selector = collectorSelector('k8s.pod.phase', `${inScope(scope)}${matchers}`, scope);
  return addMatchers(asState(selector, scope, { node: collectorLabel('k8s.node.name', scope) }), scope.matchers ?? '');
}
