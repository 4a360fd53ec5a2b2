/** A query, narrowed to some namespaces. */

import { addMatchers } from '../features/queries/matchers.js';
import { labelText, quoteAlternatives } from '../features/queries/promql.js';
import { sourceSelectors } from '../features/queries/selectors.js';
import { NAMESPACE_LABEL } from '../features/queries/template.js';

/**
 * The query with a matcher for the namespaces in each selector that already has one for their label. Other selectors stay:
 * their series may have no such label, and would all be lost.
 *
 * @param query sound PromQL.
 * @param namespaces one or more. Names have no special characters, but the values of a label are anybody's.
 * @param label the one that names the namespace. Selectors without it may have `namespace`: annotations come from
 *   kube-state-metrics, whatever measures the pods.
 */
export function narrowToNamespaces(query: string, namespaces: readonly string[], label = NAMESPACE_LABEL): string {
  const matcherFor = (own: string) => `${labelText(own)}=~${quoteAlternatives(namespaces)}`;
  const narrowed = addMatchers(query, matcherFor(label), (labels) => labels.includes(label));
  if (label === NAMESPACE_LABEL) return narrowed;
  return addMatchers(
    narrowed,
    matcherFor(NAMESPACE_LABEL),
    (labels) => labels.includes(NAMESPACE_LABEL) && !labels.includes(label),
  );
}

/** The selectors of some queries, each once. */
export function selectorsOf(queries: readonly string[]): readonly string[] {
  return [...new Set(queries.flatMap((query) => sourceSelectors(query).map(({ text }) => text)))];
}

/** Whether a query has a selector that cannot be narrowed, so that each shard reads all of its series. */
export function readsAllNamespaces(query: string, namespaceLabel = NAMESPACE_LABEL): boolean {
  const names = [namespaceLabel, NAMESPACE_LABEL];
  return sourceSelectors(query).some(({ matchers }) => matchers.every(({ label }) => !names.includes(label)));
}
