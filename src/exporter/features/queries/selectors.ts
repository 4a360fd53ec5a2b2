/** Which stored series a query reads: its selectors, cut out of the text. */

import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { childrenOf, labelOf, textOf } from './promql.js';

/** One selector of a query. */
export interface SourceSelector {
  /** The selector without range and offset: `container_memory_usage_bytes{container!=""}`. */
  readonly text: string;
  /** `undefined` where the metric is named by a matcher of `__name__`. */
  readonly metric: string | undefined;
  /** `namespace=~"shop"` and its label. */
  readonly matchers: readonly { readonly label: string; readonly text: string }[];
  /** The range that the query looks at, in seconds: 60 in `rate(x[1m])`. `undefined` where it reads the last value. */
  readonly rangeSeconds: number | undefined;
  /**
   * The labels by which the innermost `max by (…)` around it tells series apart. Several series with the same ones are
   * one thing that is reported more than once. `undefined` where another aggregation comes first, or none.
   */
  readonly identity: readonly string[] | undefined;
}

/** The selectors of a query, each once, in their order. What cannot be parsed has none. */
export function sourceSelectors(query: string): readonly SourceSelector[] {
  const found = new Map<string, SourceSelector>();
  parser.parse(query).iterate({
    enter: ({ name, node }) => {
      if (name !== 'VectorSelector') return;
      const selector = describe(node, query);
      const known = found.get(selector.text);
      if (known?.rangeSeconds === undefined) found.set(selector.text, { ...known, ...selector });
    },
  });
  return [...found.values()];
}

function describe(node: SyntaxNode, query: string): SourceSelector {
  const matchers = ['UnquotedLabelMatcher', 'QuotedLabelMatcher'].flatMap(
    (kind) => node.getChild('LabelMatchers')?.getChildren(kind) ?? [],
  );
  const range = node.parent?.name === 'MatrixSelector' ? node.parent.getChild('DurationExpr') : null;
  return {
    text: textOf(node, query),
    metric: metricOf(node, query),
    matchers: matchers.map((matcher) => ({
      label: labelOf(matcher.firstChild, query),
      text: textOf(matcher, query),
    })),
    rangeSeconds: durationSeconds(textOf(range, query)),
    identity: identityOf(node, query),
  };
}

/** In quotes and within the braces, Prometheus 3 takes any name. */
function metricOf(node: SyntaxNode, query: string): string | undefined {
  const quoted = node.getChild('LabelMatchers')?.getChild('QuotedLabelName');
  return textOf(node.getChild('Identifier'), query) || labelOf(quoted, query) || undefined;
}

function identityOf(node: SyntaxNode, query: string): readonly string[] | undefined {
  for (let outer = node.parent; outer !== null; outer = outer.parent) {
    if (outer.name !== 'AggregateExpr') continue;
    const modifier = outer.getChild('AggregateModifier');
    const isMaximum = outer.getChild('AggregateOp')?.getChild('Max') != null;
    if (!isMaximum || modifier?.getChild('By') == null) return undefined;
    return childrenOf(modifier.getChild('GroupingLabels')).map((label) => labelOf(label, query));
  }
  return undefined;
}

const UNIT_SECONDS = new Map([
  ['ms', 0.001],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 604_800],
  ['y', 31_536_000],
]);

/** The seconds of `1m30s`; `undefined` where the text is not a duration of Prometheus. */
export function durationSeconds(text: string): number | undefined {
  if (!/^(?:\d+(?:ms|[smhdwy]))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+)(\D+)/g)];
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNIT_SECONDS.get(unit) ?? 0), 0);
}
