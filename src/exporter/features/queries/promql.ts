/** What can be said of a PromQL query without asking Prometheus: its syntax, and the labels that it certainly loses. */

import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { nearestName } from '../../../lib/text/nearest-name.js';

/** The parts of a node, without comments, which may stand anywhere. */
export function childrenOf(node: SyntaxNode | null): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node?.firstChild ?? null; child !== null; child = child.nextSibling) {
    if (child.name !== 'LineComment') children.push(child);
  }
  return children;
}

/** The text of a node; empty without a node. */
export function textOf(node: SyntaxNode | null | undefined, query: string): string {
  return node == null ? '' : query.slice(node.from, node.to);
}

/** The name of a label, without the quotes that Prometheus 3 allows. */
export function labelOf(node: SyntaxNode | null | undefined, query: string): string {
  return textOf(node, query).replaceAll(/^["'`]|["'`]$/g, '');
}

/** A mistake in a text. */
export interface OffsetMistake {
  /** Where it is, in UTF-16 code units from the start. */
  readonly offset: number;
  /** What was expected and what came instead, as the end of a sentence that names the place. */
  readonly sentence: string;
}

/** A text as a PromQL string literal, quotes included (Prometheus docs, "String literals"). */
export function quotePromql(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** The name of a label as PromQL has it: in quotes, which Prometheus 3 allows, where it has dots or other characters. */
export function labelText(label: string): string {
  return /^[a-zA-Z_]\w*$/.test(label) ? label : quotePromql(label);
}

/** The selector of a metric. A name with dots stands in quotes within the braces, which Prometheus 3 allows. */
export function selectorText(metric: string, matchers: string): string {
  if (labelText(metric) !== metric) return `{${labelText(metric)},${matchers}}`;
  return matchers === '' ? metric : `${metric}{${matchers}}`;
}

/** A matcher for one value of a label. */
export function matcherOf(label: string, value: string): string {
  return `${labelText(label)}=${quotePromql(value)}`;
}

/**
 * A regular expression as a PromQL string literal that matches each of these texts and nothing else. To Prometheus,
 * alternatives without any other operator are a set, not an expression.
 */
export function quoteAlternatives(texts: readonly string[]): string {
  const escaped = (text: string) => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&');
  return quotePromql([...new Set(texts)].map(escaped).join('|'));
}

/** The labels of `by (…)` or `without (…)`. */
export function labelList(labels: readonly string[]): string {
  return labels.map(labelText).join(', ');
}

/**
 * The mistakes of a query that must return one value for each set of labels.
 *
 * Of several syntax errors only the first is reported: the later ones usually follow from it. Types within the query
 * (`rate(x)` without a range) are left to Prometheus.
 *
 * @param labels the labels that the answer must have. Only what the outermost expression shows is judged: an
 *   aggregation that drops one of them, on its own or as a side of an operator that matches on all labels.
 */
export function promqlMistakes(query: string, labels: readonly string[]): readonly OffsetMistake[] {
  const tree = parser.parse(query);
  let first: number | undefined;
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError && (first === undefined || from < first)) first = from;
    },
  });
  if (first !== undefined) return [syntaxMistake(tree, query, first)];
  const expression = childrenOf(tree.topNode)[0];
  if (expression === undefined) return [syntaxMistake(tree, query, 0)];
  return typeMistake(expression) ?? lostLabels(expression, query, labels);
}

/** PromQL keywords that are often misspelled after an aggregation. */
const MODIFIERS = ['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'offset', 'bool'];

function syntaxMistake(tree: Tree, query: string, offset: number): OffsetMistake {
  const called = query.charAt(offset) === '(' ? /[a-zA-Z_]\w*\s*$/.exec(query.slice(0, offset)) : null;
  // In a list of labels, what comes before the parenthesis is not what is wrong.
  if (called !== null && tree.resolveInner(called.index, 1).name === 'Identifier') {
    const sentence = `expected a function or an aggregation of PromQL, got \`${called[0].trim()}\`.`;
    return { offset: called.index, sentence };
  }
  const [token] = /^(?:\w+|\S)/.exec(query.slice(offset).trimStart()) ?? [];
  if (token === undefined) return { offset, sentence: 'expected more PromQL, got the end of the query.' };
  const meant = /^[a-z]/.test(token) ? nearestName(token, MODIFIERS) : undefined;
  const advice = meant === undefined || meant === token ? '' : ` Did you mean \`${meant}\`?`;
  return { offset, sentence: `expected PromQL, got \`${token}\` where it cannot stand.${advice}` };
}

const RANGE = 'a range of values for each series';

/** What an outermost expression answers instead of one value for each set of labels. */
const OTHER_ANSWERS: Readonly<Record<string, string>> = {
  MatrixSelector: RANGE,
  SubqueryExpr: RANGE,
  NumberDurationLiteral: 'a number',
  StringLiteral: 'a text',
};

function typeMistake(expression: SyntaxNode): readonly OffsetMistake[] | undefined {
  const answer = OTHER_ANSWERS[expression.name];
  if (answer === undefined) return undefined;
  const advice = answer === RANGE ? ' A range needs a function around it, as in `rate(…[1m])`.' : '';
  const sentence = `expected a query for one value a pod, got one for ${answer}.${advice}`;
  return [{ offset: expression.from, sentence }];
}

/** These choose among series and keep all labels of those that they choose. */
const CHOOSING_AGGREGATIONS = /^(?:topk|bottomk|limitk|limit_ratio)$/i;

function lostLabels(node: SyntaxNode, query: string, labels: readonly string[]): readonly OffsetMistake[] {
  const parts = childrenOf(node);
  const [first, last] = [parts[0], parts.at(-1)];
  if (first === undefined || last === undefined) return [];
  switch (node.name) {
    case 'ParenExpr':
    case 'UnaryExpr':
      return lostLabels(last, query, labels);
    case 'BinaryExpr':
      // With `on` or `ignoring` the two sides need not have the same labels.
      return node.getChild('MatchingModifierClause') === null
        ? [...lostLabels(first, query, labels), ...lostLabels(last, query, labels)]
        : [];
    case 'AggregateExpr':
      return aggregationMistakes(node, query, labels);
    default:
      return [];
  }
}

function aggregationMistakes(node: SyntaxNode, query: string, labels: readonly string[]): readonly OffsetMistake[] {
  const name = textOf(node.getChild('AggregateOp'), query);
  if (CHOOSING_AGGREGATIONS.test(name)) return [];
  const modifier = node.getChild('AggregateModifier');
  const named = childrenOf(modifier?.getChild('GroupingLabels') ?? null).map((label) => labelOf(label, query));
  const isWithout = modifier?.getChild('Without') != null;
  const lost = labels.filter((label) => named.includes(label) === isWithout);
  if (lost.length === 0) return [];
  const sentence =
    `expected the outermost aggregation to keep the labels ${listOf(labels)}, got ` +
    `\`${`${name} ${textOf(modifier, query)}`.trim()}\`, which drops ${listOf(lost)}. ` +
    `Example: ${name} by (${labelList(labels)}) (…)`;
  return [{ offset: (modifier ?? node).from, sentence }];
}

function listOf(labels: readonly string[]): string {
  return labels.map((label) => `\`${label}\``).join(' and ');
}
