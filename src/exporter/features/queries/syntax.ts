/** Reads the syntax tree of a query. */

import type { SyntaxNode } from '@lezer/common';

/** The parts of a node, without comments, which may stand anywhere. */
export function childrenOf(node: SyntaxNode | null): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node?.firstChild ?? null; child !== null; child = child.nextSibling) {
    if (child.name !== 'LineComment') children.push(child);
  }
  return children;
}

/** The text of a node; empty where there is none. */
export function textOf(node: SyntaxNode | null | undefined, query: string): string {
  return node == null ? '' : query.slice(node.from, node.to);
}

/** The name of a label, without the quotes that Prometheus 3 allows. */
export function labelOf(node: SyntaxNode | null | undefined, query: string): string {
  return textOf(node, query).replaceAll(/^["'`]|["'`]$/g, '');
}
