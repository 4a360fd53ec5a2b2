/** Nodes that flagged pods have in common: how many of the pods on a node have an anomaly that lasts. */

import type { Detection } from '../detection/detection.js';
import { collectorLabel, collectorPodsQuery } from '../features/opentelemetry/queries.js';
import { addMatchers } from '../features/queries/matchers.js';
import { labelText, quoteAlternatives, quotePromql } from '../features/queries/promql.js';
import type { QueryScope } from '../features/queries/template.js';
import { podKey, podOfKey, rowOfPod } from '../features/table.js';
import type { SeriesSet } from '../prometheus/api.js';
import type { PodContext } from './pod-context.js';
import { STATE_METRICS } from './queries.js';

/** A node is worth a look when as many pods on it have an anomaly that lasts. */
const LEAST_PODS = 2;

/** Each has up to about a hundred pods. Where more nodes have several, the trouble is not that of a node. */
export const MOST_NODES = 20;

/** The nodes with several pods whose anomaly lasts, those with most first, at most `MOST_NODES`. */
export function nodesInCommon(
  { table, lasting }: Detection,
  contexts: ReadonlyMap<string, Pick<PodContext, 'node'>>,
): readonly string[] {
  const counts = new Map<string, number>();
  for (const [row, { namespace, pod }] of table.pods.entries()) {
    if (lasting[row] !== 1) continue;
    const { node } = contexts.get(podKey(namespace, pod)) ?? {};
    if (node !== undefined) counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count >= LEAST_PODS)
    .sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1))
    .slice(0, MOST_NODES)
    .map(([node]) => node);
}

/** The query for all pods on some nodes, in the scope of the features. */
export function podsOnNodesQuery(nodes: readonly string[], scope: QueryScope): string {
  const names = quoteAlternatives(nodes);
  if (scope.metricsSource === 'opentelemetry') {
    return collectorPodsQuery(scope, `,${labelText(collectorLabel('k8s.node.name', scope))}=~${names}`);
  }
  const selector = `${STATE_METRICS.info}{namespace=~${quotePromql(scope.namespaceRegex)},node=~${names}}`;
  return addMatchers(selector, scope.matchers ?? '');
}

/** The node of each pod (`podKey`) in an answer to that query. */
export function nodesOfPods({ labels }: Pick<SeriesSet, 'labels'>): ReadonlyMap<string, string> {
  return new Map(
    labels.flatMap(({ namespace, pod, node }) =>
      namespace && pod && node ? [[podKey(namespace, pod), node] as const] : [],
    ),
  );
}

/** Pods of a node. */
export interface NodePods {
  readonly node: string;
  /** Those that are scored and not muted. */
  readonly scored: number;
  /** Of these, those whose anomaly lasts. */
  readonly lasting: number;
}

/** Those of the nodes with several pods whose anomaly lasts in this detection. @param nodeOf nodes by `podKey`. */
export function podsByNode(
  { table, lasting, muted }: Detection,
  nodeOf: ReadonlyMap<string, string>,
): readonly NodePods[] {
  const nodes = new Map<string, { scored: number; lasting: number }>();
  for (const [key, node] of nodeOf) {
    const row = rowOfPod(table.pods, podOfKey(key));
    if (row === undefined || muted[row] === 1) continue;
    const counts = nodes.get(node) ?? { scored: 0, lasting: 0 };
    nodes.set(node, counts);
    counts.scored++;
    counts.lasting += lasting[row] as number;
  }
  return [...nodes].filter(([, counts]) => counts.lasting >= LEAST_PODS).map(([node, counts]) => ({ node, ...counts }));
}
