/** Which metrics and labels a PromQL expression uses, and which of them do not exist. */

import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import {
  attributeLabel,
  COLLECTOR_METRICS,
  metricName,
  PROMOTED_ATTRIBUTES,
} from '../../src/exporter/features/opentelemetry/names.js';
import { createMetrics } from '../../src/exporter/metrics/registry.js';
import { metricFamilies } from '../../src/tools/demo/exposition.js';
import { createWorld } from '../../src/tools/simulation/cluster.js';
import { parseExposition } from '../../test/support/exposition.js';
import { detectionOf, ORDINARY_PODS, passTo, stateWith } from '../../test/support/metric-sources.js';
import { scoredAs } from '../../test/support/scored.js';

/** Names of labels by metric. */
export type KnownMetrics = ReadonlyMap<string, ReadonlySet<string>>;

/** Labels that a scrape adds. */
const TARGET_LABELS = ['job', 'instance', 'cluster'];

/** What the exporter exposes in a real scrape, what the simulated kubelet and kube-state-metrics expose, and what a Collector sends. */
export async function knownMetrics(): Promise<KnownMetrics> {
  const metrics = createMetrics(() => stateWith({ explain: 'all' }));
  // All of them flagged: many metrics are those of flagged pods.
  const found = detectionOf(ORDINARY_PODS);
  const { flags, lasting } = scoredAs(...ORDINARY_PODS.map(() => 0.1));
  const { body } = await metrics.render(async () => passTo({ ...found, flags, lasting }));
  const families = [...parseExposition(body).values(), ...metricFamilies(createWorld({ seed: 1, startSeconds: 0 }), 0)];
  const known = new Map(
    families.map(({ name, samples }) => [
      name,
      new Set([...TARGET_LABELS, ...samples.flatMap(({ labels }) => Object.keys(labels))]),
    ]),
  );
  // Some have the same name as those of cAdvisor.
  for (const name of COLLECTOR_METRICS.map((metric) => metricName(metric))) {
    const attributes = PROMOTED_ATTRIBUTES.map((attribute) => attributeLabel(attribute));
    known.set(name, new Set([...TARGET_LABELS, ...(known.get(name) ?? []), ...attributes]));
  }
  return known;
}

/** A selector of an expression: its metric and its matchers as text. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly string[];
}

export function selectorsIn(expression: string): readonly Selector[] {
  return descendants(parser.parse(expression).topNode, 'VectorSelector').map((node) => ({
    metric: text(expression, node.getChild('Identifier')),
    matchers: descendants(node, 'UnquotedLabelMatcher').map((matcher) => text(expression, matcher)),
  }));
}

/**
 * The mistakes of an expression: syntax, an unknown metric, a matcher on a label that the metric does not have, an
 * aggregation by a label that none of its metrics has, or a match on a label that nothing in the expression has.
 */
export function unknownNames(expression: string, known: KnownMetrics): readonly string[] {
  const { topNode } = parser.parse(expression);
  const problems = descendants(topNode, '⚠').map(({ from }) => `syntax, from “${expression.slice(from)}”`);
  const labelsWithin = (node: SyntaxNode) =>
    new Set([
      ...writtenLabels(expression, node),
      ...descendants(node, 'VectorSelector').flatMap((selector) => [
        ...(known.get(text(expression, selector.getChild('Identifier'))) ?? []),
      ]),
    ]);
  for (const selector of descendants(topNode, 'VectorSelector')) {
    const metric = text(expression, selector.getChild('Identifier'));
    const labels = known.get(metric);
    if (labels === undefined) problems.push(`metric ${metric || text(expression, selector)}`);
    for (const node of descendants(selector, 'LabelName')) {
      const label = text(expression, node);
      if (!labels?.has(label)) problems.push(`label ${label} of ${metric}`);
    }
  }
  for (const node of descendants(topNode, 'GroupingLabels').flatMap((list) => list.getChildren('LabelName'))) {
    const clause = node.parent?.parent;
    const scope = clause?.name === 'AggregateModifier' ? clause.parent : topNode;
    const label = text(expression, node);
    if (scope && !labelsWithin(scope).has(label)) problems.push(`label ${label} in ${text(expression, clause)}`);
  }
  return problems;
}

/** The labels that `label_replace` writes. */
function writtenLabels(expression: string, node: SyntaxNode): readonly string[] {
  const calls = descendants(node, 'FunctionCall').filter((call) => text(expression, call).startsWith('label_replace('));
  const names = calls.map((call) => call.getChild('FunctionCallBody')?.getChild('StringLiteral'));
  return names.map((name) => text(expression, name).slice(1, -1));
}

function descendants(node: SyntaxNode, name: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  node.cursor().iterate((reference) => {
    if (reference.name === name || (name === '⚠' && reference.type.isError)) found.push(reference.node);
  });
  return found;
}

function text(expression: string, node: SyntaxNode | null | undefined): string {
  return node ? expression.slice(node.from, node.to) : '';
}
