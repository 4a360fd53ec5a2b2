/**
 * A little PromQL: selectors, aggregations, `timestamp`, comparisons with a number and `and on`. Enough for questions
 * about what series there are; nothing that looks at a range.
 */

import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import type { MetricSample } from '../../src/tools/demo/metric-family.js';

/** The samples of a metric at an instant, Unix seconds. Empty labels count as absent. */
export type SamplesOf = (metric: string, timeSeconds: number) => readonly MetricSample[];

/** What there is to ask for. */
export interface Source {
  readonly metrics: ReadonlySet<string>;
  readonly samplesOf: SamplesOf;
}

/** What a query answers at an instant. */
export type Evaluation = (timeSeconds: number) => readonly MetricSample[];

/** From a query to its evaluation; `undefined` if anything in it is not understood. */
export function compile(query: string, source: Source): Evaluation | undefined {
  const expression = parser.parse(query).topNode.firstChild;
  try {
    return expression === null ? undefined : evaluationOf(expression, { query, ...source });
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined;
    throw error;
  }
}

class NotUnderstood extends Error {}

interface Compilation extends Source {
  readonly query: string;
}

const textOf = (node: SyntaxNode, { query }: Compilation) => query.slice(node.from, node.to);

function evaluationOf(node: SyntaxNode, compilation: Compilation): Evaluation {
  switch (node.name) {
    case 'ParenExpr':
      return evaluationOf(childOf(node, 0), compilation);
    case 'VectorSelector':
      return selection(node, compilation);
    case 'FunctionCall':
      return functionCall(node, compilation);
    case 'AggregateExpr':
      return aggregation(node, compilation);
    case 'BinaryExpr':
      return operation(node, compilation);
    default:
      throw new NotUnderstood(node.name);
  }
}

function childOf(node: SyntaxNode, index: number): SyntaxNode {
  let child = node.firstChild;
  for (let count = 0; count < index; count++) child = child?.nextSibling ?? null;
  if (child === null) throw new NotUnderstood(node.name);
  return child;
}

function selection(node: SyntaxNode, compilation: Compilation): Evaluation {
  const name = node.getChild('Identifier');
  if (name === null) throw new NotUnderstood('a selector without a name');
  const metric = textOf(name, compilation);
  if (!compilation.metrics.has(metric)) throw new NotUnderstood(metric);
  const matchers = (node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map((matcher) => {
    const [label, operator, literal] = [0, 1, 2].map((index) => textOf(childOf(matcher, index), compilation));
    return matcherOf(label ?? '', operator ?? '', unquoted(literal ?? ''));
  });
  return (time) =>
    compilation
      .samplesOf(metric, time)
      .map(({ labels, value }) => ({ labels: { __name__: metric, ...withoutEmpty(labels) }, value }))
      .filter(({ labels }) => matchers.every((matches) => matches(labels)));
}

type Labels = MetricSample['labels'];

function matcherOf(label: string, operator: string, value: string): (labels: Labels) => boolean {
  const pattern = operator.endsWith('~') ? new RegExp(`^(?:${value})$`, 's') : undefined;
  const isNegative = operator.startsWith('!');
  return (labels) => {
    const own = labels[label] ?? '';
    return (pattern === undefined ? own === value : pattern.test(own)) !== isNegative;
  };
}

function unquoted(literal: string): string {
  return literal.slice(1, -1).replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
}

function withoutEmpty(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}

function functionCall(node: SyntaxNode, compilation: Compilation): Evaluation {
  if (textOf(node, compilation) === 'vector(time())') return (time) => [{ labels: {}, value: time }];
  if (textOf(childOf(node, 0), compilation) !== 'timestamp') throw new NotUnderstood('a function');
  const inner = evaluationOf(childOf(childOf(node, 1), 0), compilation);
  return (time) => inner(time).map(({ labels }) => ({ labels: withoutName(labels), value: time }));
}

function withoutName({ __name__: _, ...labels }: Labels): Labels {
  return labels;
}

const AGGREGATES: Readonly<Record<string, (values: readonly number[]) => number>> = {
  count: (values) => values.length,
  max: (values) => Math.max(...values),
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
};

function aggregation(node: SyntaxNode, compilation: Compilation): Evaluation {
  const operator = textOf(childOf(node, 0), compilation);
  const modifier = node.getChild('AggregateModifier');
  if (modifier !== null && modifier.getChild('By') === null) throw new NotUnderstood('without');
  const by = labelsIn(modifier, compilation);
  const body = node.getChild('FunctionCallBody');
  if (body === null) throw new NotUnderstood('an aggregation of nothing');
  if (operator === 'topk') {
    const most = Number(textOf(childOf(body, 0), compilation));
    const inner = evaluationOf(childOf(body, 1), compilation);
    return (time) =>
      [...grouped(inner(time), by).values()].flatMap((samples) =>
        [...samples].sort((a, b) => b.value - a.value).slice(0, most),
      );
  }
  const aggregate = AGGREGATES[operator];
  if (aggregate === undefined) throw new NotUnderstood(operator);
  const inner = evaluationOf(childOf(body, 0), compilation);
  return (time) =>
    [...grouped(inner(time), by).values()].map((samples) => ({
      labels: pick(samples[0]?.labels ?? {}, by),
      value: aggregate(samples.map(({ value }) => value)),
    }));
}

function labelsIn(modifier: SyntaxNode | null, compilation: Compilation): readonly string[] {
  const labels = modifier?.getChild('GroupingLabels')?.getChildren('LabelName') ?? [];
  return labels.map((label) => textOf(label, compilation));
}

function pick(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(names.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])));
}

function grouped(samples: readonly MetricSample[], by: readonly string[]): Map<string, MetricSample[]> {
  const groups = new Map<string, MetricSample[]>();
  for (const sample of samples) {
    const key = JSON.stringify(by.map((label) => sample.labels[label] ?? ''));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  return groups;
}

function operation(node: SyntaxNode, compilation: Compilation): Evaluation {
  const operands = [node.firstChild, node.lastChild];
  const [left, right] = operands;
  if (left == null || right == null) throw new NotUnderstood('an operator without operands');
  const inner = evaluationOf(left, compilation);
  if (node.getChild('Gtr') !== null && right.name === 'NumberDurationLiteral') {
    const limit = Number(textOf(right, compilation));
    return (time) => inner(time).filter(({ value }) => value > limit);
  }
  const on = node.getChild('MatchingModifierClause');
  if (node.getChild('And') === null || on?.getChild('On') == null) throw new NotUnderstood('an operator');
  const labels = labelsIn(on, compilation);
  const other = evaluationOf(right, compilation);
  return (time) => {
    const there = grouped(other(time), labels);
    return inner(time).filter((sample) => there.has([...grouped([sample], labels).keys()][0] ?? ''));
  };
}
