/** A YAML file, and all its mistakes at once, each with its place, for the person who wrote it. */

import { type Document, isAlias, isMap, isNode, isScalar, isSeq, Lexer, LineCounter, parseDocument, visit } from 'yaml';
import { formatNumber } from '../text/format.js';
import { nearestName } from '../text/nearest-name.js';
import { MistakesError } from '../usage-error.js';

/** Keys and positions from the root to a value: `['features', 0, 'query']`. */
export type YamlPath = readonly PropertyKey[];

/** A parsed file. It gathers the mistakes that its reader finds. */
export class YamlFile {
  readonly #lineCounter = new LineCounter();
  readonly #document: Document.Parsed;
  readonly #root: unknown;
  readonly #mistakes: { readonly offset: number; readonly text: string }[] = [];
  /** Number of mistakes that were found and not placed. */
  #unlisted = 0;

  /**
   * @param text of the whole file.
   * @param path of the file, as messages name it.
   * @param where the file, to read after "mistakes in": `the feature file x.yaml`.
   * @param adviceAt what to add to a mistake of YAML at this offset; empty, or beginning with a space.
   * @throws {MistakesError} for invalid YAML, aliases without an anchor and those that expand too far.
   */
  constructor(
    text: string,
    private readonly path: string,
    private readonly where: string,
    adviceAt: (offset: number) => string = () => '',
  ) {
    const excess = excessIn(text);
    if (excess !== undefined) {
      for (let line = 0; line >= 0; line = text.indexOf('\n', line) + 1 || -1) this.#lineCounter.addNewLine(line);
      this.#add(excess.offset, `expected at most ${excess.most}, got more.`);
      this.throwIfAny();
    }
    // The parser compares each key with all others.
    const options = {
      lineCounter: this.#lineCounter,
      prettyErrors: false,
      logLevel: 'error',
      uniqueKeys: false,
    } as const;
    const document = parseDocument(text, options);
    this.#document = document;
    const addInvalid = (offset: number, message: string) =>
      this.#add(offset, `invalid YAML: ${message}.${adviceAt(offset)}`);
    for (const { pos, message } of [...document.errors, ...document.warnings]) addInvalid(pos[0], message);
    const anchors = new Set<string>();
    visit(document, {
      Value: (_, { anchor }) => {
        if (anchor !== undefined) anchors.add(anchor);
      },
      Map: (_, { items }) => {
        // As texts: `1` and `"1"` are the same key of an object.
        const keys = new Set<string>();
        for (const { key } of items) {
          if (!isScalar(key)) continue;
          const name = String(key.value);
          if (keys.has(name)) addInvalid(key.range?.[0] ?? 0, 'Map keys must be unique');
          keys.add(name);
        }
      },
      Alias: (_, { source, range }) => {
        if (anchors.has(source)) return;
        this.#add(range?.[0] ?? 0, `expected an anchor \`&${source}\` before its use, got none.`);
      },
    });
    const expanding = expandingAliasIn(document.contents);
    if (expanding !== undefined) {
      const most = `${formatNumber(MOST_VALUES)} keys and values, where an alias counts as all that it stands for`;
      this.#add(expanding, `expected at most ${most}, got more.`);
    }
    this.throwIfAny();
    try {
      // Aliases are counted above; the limit of the parser would refuse a hundred uses of a small list.
      this.#root = document.toJS({ maxAliasCount: -1 });
    } catch (error) {
      this.#add(0, `invalid YAML: ${error instanceof Error ? error.message : String(error)}.`);
      this.throwIfAny();
    }
  }

  /** The value at a path; `undefined` if there is nothing. */
  at(path: YamlPath): unknown {
    let found = this.#root;
    for (const step of path) {
      if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
      found = Reflect.get(found, step);
    }
    return found;
  }

  /** `features.yaml:12:5`: where a value begins, or the deepest one on the way to it, which may be an alias. */
  place(path: YamlPath): string {
    return this.#place(this.#offset(path));
  }

  /**
   * Reports a mistake at the place of a value.
   *
   * @param sentence begins after the place and ends in a full stop. Further lines may follow it.
   */
  add(path: YamlPath, sentence: string): void {
    if (this.#isFull) this.#unlisted++;
    else this.#add(this.#offset(path), sentence);
  }

  /** Reports a mistake at a key of the mapping at `path`; at the start of the mapping if it has no such key. */
  addAtKey(path: YamlPath, key: string, sentence: string): void {
    const node = this.#nodeAt(path);
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
      : undefined;
    this.#add((isScalar(pair?.key) ? pair.key.range?.[0] : node?.range?.[0]) ?? 0, sentence);
  }

  /** Reports each unknown key of the mapping at `path` at its place, and what was probably meant. */
  addUnknownKeys(path: YamlPath, keys: readonly string[], known: readonly string[], prefix = ''): void {
    for (const key of keys.slice(0, MOST_MISTAKES)) {
      const meant = nearestName(key, known);
      const advice = meant === undefined ? '' : ` Did you mean \`${meant}\`?`;
      const got = `got \`${shortened(key)}\`.${advice}`;
      this.addAtKey(path, key, `${prefix}expected one of the keys ${quoted(known)}, ${got}`);
    }
    this.#unlisted += Math.max(0, keys.length - MOST_MISTAKES);
  }

  /** @throws {MistakesError} with the mistakes in the order of the file. */
  throwIfAny(): void {
    if (this.#mistakes.length === 0) return;
    const ordered = this.#mistakes.toSorted((a, b) => a.offset - b.offset).map(({ text }) => text);
    const more = ordered.length - MOST_MISTAKES + this.#unlisted;
    throw new MistakesError(this.where, [
      ...ordered.slice(0, MOST_MISTAKES),
      ...(more > 0 ? [`${this.path}: ${more} more, which are not listed.`] : []),
    ]);
  }

  /** Whether more mistakes are only counted. To find the place of one takes time. */
  get #isFull(): boolean {
    return this.#mistakes.length >= PLACED_MISTAKES;
  }

  #add(offset: number, sentence: string): void {
    const start = sentence.length > LONGEST_SENTENCE ? `${sentence.slice(0, LONGEST_SENTENCE)}…` : sentence;
    this.#mistakes.push({ offset, text: `${this.#place(offset)}: ${start}` });
  }

  #place(offset: number): string {
    const { line, col } = this.#lineCounter.linePos(offset);
    return `${this.path}:${Math.max(1, line)}:${Math.max(1, col)}`;
  }

  #offset(path: YamlPath): number {
    return this.#nodeAt(path)?.range?.[0] ?? 0;
  }

  #nodeAt(path: YamlPath) {
    for (let length = path.length; length > 0; length--) {
      const node = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node)) return node;
    }
    return this.#document.contents ?? undefined;
  }
}

/** Of a file that is not what it should be, the first mistakes say enough. */
const MOST_MISTAKES = 100;

/** The parser quotes what it does not understand, which may be all of the file. */
const LONGEST_SENTENCE = 1_000;

/** So that the first ones in the order of the file are listed, whatever the order in which they are found. */
const PLACED_MISTAKES = 10 * MOST_MISTAKES;

/** Levels of nesting; far more exhaust the stack of the parser, which ends the process. */
const DEEPEST = 100;

/**
 * Words, marks and spaces between them: a thousand rules of a tuning file take 43,000. Nothing else of the process goes on while
 * they are parsed.
 */
const MOST_TOKENS = 60_000;

/** Tokens that are not in the text: the start of a document, an error and the start of a scalar. */
const LEXER_MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);

/**
 * Where a text has more than is parsed, and of what; `undefined` if it has not. It is found by the tokens: a level of a block
 * takes at least one column.
 */
function excessIn(text: string): { readonly offset: number; readonly most: string } | undefined {
  let [offset, lineStart, flowDepth, tokens] = [0, 0, 0, 0];
  let isFirst = true;
  for (const token of new Lexer().lex(text)) {
    if (LEXER_MARKS.has(token)) continue;
    if (/^[[{]$/.test(token)) flowDepth++;
    if (/^[\]}]$/.test(token)) flowDepth = Math.max(0, flowDepth - 1);
    const isBlank = /^[ \t\r\n]*$/.test(token);
    const opensBlock = flowDepth === 0 && !isBlank && (isFirst || token === '-' || token === '?');
    if (flowDepth > DEEPEST || (opensBlock && offset - lineStart > DEEPEST)) {
      return { offset, most: `${DEEPEST} levels of nesting` };
    }
    if (++tokens > MOST_TOKENS) return { offset, most: `${formatNumber(MOST_TOKENS)} words, marks and spaces` };
    if (!isBlank) isFirst = false;
    offset += token.length;
    const newLine = token.lastIndexOf('\n');
    if (newLine < 0) continue;
    lineStart = offset - token.length + newLine + 1;
    isFirst = true;
  }
  return undefined;
}

/** Keys and values that a reader of the file sees: a thousand rules that share some windows of time. */
const MOST_VALUES = 5 * MOST_TOKENS;

/**
 * Where the aliases of a document stand for more than is read: at the alias with which it is too much; `undefined` if they do not.
 * What contains itself has no end.
 */
function expandingAliasIn(contents: unknown): number | undefined {
  const sizes = new Map<string, number>();
  let total = 0;
  let found: number | undefined;
  const count = (node: unknown): void => {
    if (found !== undefined) return;
    if (isAlias(node)) {
      total += sizes.get(node.source) ?? 1;
      if (total > MOST_VALUES) found = node.range?.[0] ?? 0;
      return;
    }
    const before = total++;
    const anchor = isNode(node) ? node.anchor : undefined;
    if (anchor !== undefined) sizes.set(anchor, Number.POSITIVE_INFINITY);
    if (isMap(node)) for (const { key, value } of node.items) [key, value].forEach(count);
    if (isSeq(node)) node.items.forEach(count);
    if (anchor !== undefined) sizes.set(anchor, total - before);
  };
  count(contents);
  return found;
}

const LONGEST_QUOTE = 60;

/** A value in a few words, to read after "got". Not for secrets: it quotes texts. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, LONGEST_QUOTE + 1)) : String(value);
  return shortened(text);
}

const shortened = (text: string) => (text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);

/** Names in backticks, with commas between them. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
