/** All mistakes of a YAML file at once, each with its place, for the person who wrote the file. */

import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { nearestName } from '../text/nearest-name.js';
import { MistakesError } from '../usage-error.js';

/** Gathers mistakes with their places. */
export class YamlReport {
  /** Knows the lines of the text as soon as it is parsed. */
  readonly lineCounter = new LineCounter();
  readonly #mistakes: { readonly offset: number; readonly text: string }[] = [];

  /**
   * @param text of the whole file.
   * @param path of the file, as messages name it.
   * @param where the file, to read after "mistakes in": `the feature file x.yaml`.
   */
  constructor(
    readonly text: string,
    private readonly path: string,
    private readonly where: string,
  ) {}

  /** `features.yaml:12:5` */
  place(offset: number): string {
    const { line, col } = this.lineCounter.linePos(offset);
    return `${this.path}:${Math.max(1, line)}:${Math.max(1, col)}`;
  }

  /** @param sentence begins after the place and ends in a full stop. Further lines may follow it. */
  add(offset: number, sentence: string): void {
    this.#mistakes.push({ offset, text: `${this.place(offset)}: ${sentence}` });
  }

  /** @throws {MistakesError} with the mistakes in the order of the file. */
  throwIfAny(): void {
    if (this.#mistakes.length === 0) return;
    const ordered = this.#mistakes.toSorted((a, b) => a.offset - b.offset);
    const sentences = ordered.map(({ text }) => text);
    throw new MistakesError(this.where, sentences);
  }
}

/**
 * Parses the text of a report. Invalid YAML and aliases without an anchor are mistakes, which it throws.
 *
 * @param adviceAt what to add to a mistake at this offset; empty, or beginning with a space.
 */
export function parseYaml(
  report: YamlReport,
  adviceAt: (offset: number) => string = () => '',
): Document.Parsed {
  const { text, lineCounter } = report;
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error' });
  for (const { pos, message } of [...document.errors, ...document.warnings]) {
    report.add(pos[0], `invalid YAML: ${message}.${adviceAt(pos[0])}`);
  }
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      report.add(alias.range?.[0] ?? 0, `expected an anchor \`&${alias.source}\` before its use, got none.`);
    },
  });
  report.throwIfAny();
  return document;
}

/** The document as plain values. Aliases that expand too far are a mistake, which it throws. */
export function yamlToJs(document: Document.Parsed, report: YamlReport): unknown {
  try {
    return document.toJS();
  } catch (error) {
    report.add(0, `invalid YAML: ${error instanceof Error ? error.message : String(error)}.`);
    return report.throwIfAny();
  }
}

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

/** Reports each unknown key of the mapping at `path` at its place, and what was probably meant. */
export function reportUnknownKeys(
  keys: readonly string[],
  path: YamlPath,
  known: readonly string[],
  { document, report }: { readonly document: Document.Parsed; readonly report: YamlReport },
  prefix = '',
): void {
  for (const key of keys) {
    const meant = nearestName(key, known);
    report.add(
      offsetOfKey(document, path, key),
      `${prefix}expected one of the keys ${quoted(known)}, got \`${key}\`.` +
        (meant === undefined ? '' : ` Did you mean \`${meant}\`?`),
    );
  }
}

/** The value at a path within plain values; `undefined` if there is nothing. */
export function valueAt(value: unknown, path: YamlPath): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
    found = Reflect.get(found, step);
  }
  return found;
}

const LONGEST_QUOTE = 60;

/** A value in a few words, to read after "got". Not for secrets: it quotes texts. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

/** Names in backticks, with commas between them. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
