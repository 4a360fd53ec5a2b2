/** Label matchers that a person gives, and how they get into every selector of a query. */

import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { childrenOf, labelOf, textOf } from './promql.js';

/** A text is no list of label matchers. The message is the end of a sentence: what was expected, and what came. */
export class MatchersError extends Error {
  override readonly name = 'MatchersError';
}

/**
 * The label matchers of a text such as `cluster="x",env!="dev"`, as one line; empty for an empty text. Braces around
 * them are allowed.
 *
 * @throws {MatchersError} if it is anything else, such as a selector with a name.
 */
export function parseMatchers(text: string): string {
  const inner = text.trim().replace(/^\{([\s\S]*)\}$/, '$1');
  if (inner.trim() === '') return '';
  // On a line of its own, a comment cannot swallow the brace.
  const query = `{${inner}\n}`;
  const tree = parser.parse(query);
  const selector = tree.topNode.firstChild;
  const matchers = selector?.getChild('LabelMatchers') ?? null;
  if (selector?.name !== 'VectorSelector' || selector.to !== query.length || matchers?.to !== query.length) {
    throw new MatchersError(`expected label matchers and nothing else, got \`${text}\``);
  }
  tree.iterate({
    enter: ({ type, from }) => {
      if (!type.isError) return;
      const rest = query.slice(from, -2).trim();
      throw new MatchersError(
        `expected label matchers, got ${rest === '' ? 'an end' : `\`${rest.slice(0, 40)}\``} where none can stand`,
      );
    },
  });
  return childrenOf(matchers)
    .map((node) => matcherText(node, query))
    .join(',');
}

/** In quotes, a name may be escaped; nothing is unescaped here but what the name of the metric could be. */
const METRIC_NAME = /^(["'`]?)__name__\1$/;

const STRING = /^(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)$/s;

function matcherText(node: SyntaxNode, query: string): string {
  const parts = childrenOf(node).map((part) => textOf(part, query));
  const [label = '', , value = ''] = parts;
  if (!/^(?:Unquoted|Quoted)LabelMatcher$/.test(node.name) || parts.length < 3) {
    throw new MatchersError(`expected label matchers, got \`${textOf(node, query)}\`, which is the name of a metric`);
  }
  if (METRIC_NAME.test(label)) {
    throw new MatchersError('expected matchers of labels, got one of `__name__`: the queries name their metrics');
  }
  // The grammar lets a string end with the text.
  if (!STRING.test(value)) throw new MatchersError(`expected a text in quotes, got \`${value}\``);
  return parts.join('');
}

/**
 * The query with the matchers in each of its selectors.
 *
 * @param query sound PromQL.
 * @param matchers as `parseMatchers` gives them.
 * @param where told the labels that a selector has matchers for; whether it gets these too.
 */
export function addMatchers(
  query: string,
  matchers: string,
  where: (labels: readonly string[]) => boolean = () => true,
): string {
  if (matchers === '') return query;
  const insertions: { readonly offset: number; readonly text: string }[] = [];
  parser.parse(query).iterate({
    enter: ({ name, node }) => {
      if (name !== 'VectorSelector') return;
      const own = node.getChild('LabelMatchers');
      if (!where(childrenOf(own).map(({ firstChild }) => labelOf(firstChild, query)))) return;
      // A trailing comma is allowed, so `{}` needs no other form than `{a="b"}`.
      insertions.push(
        own === null ? { offset: node.to, text: `{${matchers}}` } : { offset: own.from + 1, text: `${matchers},` },
      );
    },
  });
  return insertions.reduceRight(
    (text, { offset, text: inserted }) => text.slice(0, offset) + inserted + text.slice(offset),
    query,
  );
}
