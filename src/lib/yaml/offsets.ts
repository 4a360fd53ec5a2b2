/** Where things stand in a YAML text: offsets in UTF-16 code units from its start. */

import { type Document, isMap, isNode, isScalar } from 'yaml';

/** Keys and positions from the root to a value: `['features', 0, 'query']`. */
export type YamlPath = readonly PropertyKey[];

/** Where the value at a path begins, or the deepest one on the way to it: also the alias that stands for the rest. */
export function offsetAt(document: Document.Parsed, path: YamlPath): number {
  return nodeAt(document, path)?.range?.[0] ?? 0;
}

/** Where a key of the mapping at `path` begins; the start of the mapping if it has no such key. */
export function offsetOfKey(document: Document.Parsed, path: YamlPath, key: string): number {
  const node = nodeAt(document, path);
  const pair = isMap(node)
    ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
    : undefined;
  return (isScalar(pair?.key) ? pair.key.range?.[0] : node?.range?.[0]) ?? 0;
}

function nodeAt(document: Document.Parsed, path: YamlPath) {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node;
  }
  return document.contents ?? undefined;
}
