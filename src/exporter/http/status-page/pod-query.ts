/** Queries for a few pods, made from those for all. */

import type { FeatureDefinition } from '../../features/catalog.js';
import { addMatchers } from '../../features/queries/matchers.js';
import { labelText, quoteAlternatives } from '../../features/queries/promql.js';
import type { NamedPod } from '../../features/table.js';

/**
 * The query of a feature for some pods. It also asks for a pod in the namespace of another, which is harmless, and so for
 * one in any namespace where series have another label for it (NAMESPACE_LABEL).
 */
export function ofPods({ query, podLabel }: FeatureDefinition, pods: readonly NamedPod[]): string {
  const named = addMatchers(query, `${labelText(podLabel)}=~${quoteAlternatives(pods.map(({ pod }) => pod))}`);
  const namespaces = `namespace=~${quoteAlternatives(pods.map(({ namespace }) => namespace))}`;
  return addMatchers(named, namespaces, (labels) => labels.includes('namespace'));
}
