/** Where things stand in a YAML text: from paths and from characters of values back to lines and columns. */

import { type Document, isAlias, isMap, isNode, isSeq, LineCounter, type Node, type Scalar } from 'yaml';

/** Keys and positions from the root to a value: `['features', 0, 'query']`. */
export type YamlPath = readonly PropertyKey[];

/** The node at a path, or the deepest one on the way to it. An alias stands for what it points to. */
export function nodeAt(document: Document.Parsed, path: YamlPath): Node | undefined {
  let node = resolveAlias(document, document.contents);
  for (const step of path) {
    const child = resolveAlias(document, childAt(node, step));
    if (child === undefined) break;
    node = child;
  }
  return node;
}

/** The key of the mapping at `path`; the mapping where there is no such key. */
export function keyNodeAt(document: Document.Parsed, path: YamlPath, key: string): Node | undefined {
  const node = nodeAt(document, path);
  return pairAt(node, key)?.key ?? node;
}

function pairAt(node: Node | undefined, key: string): { key: Node; value: unknown } | undefined {
  if (!isMap(node)) return undefined;
  for (const { key: name, value } of node.items) {
    if (isNode(name) && 'value' in name && String(name.value) === key) return { key: name, value };
  }
  return undefined;
}

function childAt(node: Node | undefined, step: PropertyKey): unknown {
  if (isSeq(node)) return node.items[Number(step)];
  return pairAt(node, String(step))?.value;
}

function resolveAlias(document: Document.Parsed, node: unknown): Node | undefined {
  if (isAlias(node)) return node.resolve(document);
  return isNode(node) ? node : undefined;
}

/** Where a node begins, in UTF-16 code units from the start of the text. */
export function offsetOfNode(node: Node | undefined): number {
  return node?.range?.[0] ?? 0;
}

/**
 * Where in the text a character of a scalar's value stands.
 *
 * A value differs from its source by indentation, by folded line ends and by escapes, so the two are read side by
 * side. Exact for every character that is not white space.
 *
 * @param valueOffset in UTF-16 code units from the start of the value; its length stands for the end.
 */
export function offsetInScalar(source: string, scalar: Scalar, valueOffset: number): number {
  const value = String(scalar.value);
  const isDouble = scalar.type === 'QUOTE_DOUBLE';
  let at = startOfValue(source, scalar);
  for (let index = 0; index < Math.min(valueOffset, value.length); index++) {
    if (!isSpace(value.charAt(index))) at = skipSpace(source, at, isDouble);
    else if (!isSpace(source.charAt(at)) && !(isDouble && source.charAt(at) === '\\')) continue;
    at += sourceLength(source, at, scalar.type);
  }
  // The end of a query stands where it ends, not where the next thing begins.
  const isWithin = valueOffset < value.length && !isSpace(value.charAt(valueOffset));
  return isWithin ? skipSpace(source, at, isDouble) : at;
}

const isSpace = (character: string) => /^\s$/.test(character);

function startOfValue(source: string, { type, range }: Scalar): number {
  const start = range?.[0] ?? 0;
  if (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') return start + 1;
  // The header of a block, `|-`, has the rest of its line to itself.
  if (type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED') return source.indexOf('\n', start) + 1;
  return start;
}

/** Past white space, and past line ends that a backslash joins in double quotes. */
function skipSpace(source: string, at: number, isDouble: boolean): number {
  const filler = isDouble ? /(?:\s|\\\r?\n)*/y : /\s*/y;
  filler.lastIndex = at;
  return at + (filler.exec(source)?.[0].length ?? 0);
}

/** Length of what stands for one character of the value. */
function sourceLength(source: string, at: number, type: Scalar['type']): number {
  if (type === 'QUOTE_SINGLE' && source.startsWith("''", at)) return 2;
  if (type !== 'QUOTE_DOUBLE' || source.charAt(at) !== '\\') return 1;
  return { x: 4, u: 6, U: 10 }[source.charAt(at + 1)] ?? 2;
}

/** A place as people count: both from 1. */
export interface LineAndColumn {
  readonly line: number;
  readonly column: number;
}

/** Finds lines and columns, and shows them. */
export class SourceText {
  readonly lineCounter = new LineCounter();

  /** @param text the whole file. The counter knows its lines once it was given to the parser of `yaml`. */
  constructor(readonly text: string) {}

  lineAndColumn(offset: number): LineAndColumn {
    const { line, col } = this.lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** The line around an offset, with a caret under the character: two lines, cut to the width of a terminal. */
  excerpt(offset: number): string {
    const start = this.text.lastIndexOf('\n', offset - 1) + 1;
    const end = this.text.indexOf('\n', offset);
    const line = this.text.slice(start, end < 0 ? undefined : end).trimEnd();
    const indent = line.length - line.trimStart().length;
    const column = offset - start;
    const cut = Math.min(column - EXCERPT_LENGTH / 2, line.length - EXCERPT_LENGTH);
    const from = Math.max(Math.min(indent, column), cut);
    const shown = line.slice(from, from + EXCERPT_LENGTH);
    // A tab keeps its width only under a tab.
    const before = line.slice(from, column).replaceAll(/[^\t]/g, ' ');
    return `${shown}\n${before}^`;
  }
}

const EXCERPT_LENGTH = 100;
