/**
 * Regular expressions in the syntax of RE2 that must match a whole text. They take time in proportion to the text, as RE2
 * does: an expression from a file cannot keep the process busy, as it could with backtracking.
 */

/** An invalid expression. The message is a part of a sentence, to read after "got". */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

const LONGEST_EXPRESSION = 1000;
/** States of an expression after its repetitions are written out; RE2 has a limit as well. */
const MOST_STATES = 2000;
const MOST_REPETITIONS = 1000;

/** A state: it splits into others, or consumes a character that it accepts, or asserts a position. */
type State =
  | { readonly kind: 'split'; readonly next: number[] }
  | { readonly kind: 'character'; readonly accepts: (character: string) => boolean; next: number }
  | { readonly kind: 'start' | 'end'; next: number }
  | { readonly kind: 'match' };

/** A part of the expression; it is compiled once for each repetition. `compile` returns the first state. */
type Part = (compile: Compiler, next: number) => number;

interface Compiler {
  add(state: State): number;
}

/** A token: a class, an escape, the start of a group, a repetition, or one character. */
const TOKEN = /\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|\(\?:|\{\d+(?:,\d*)?\}|./gsu;

/** Escapes and classes that RE2 and JavaScript read alike. */
const ESCAPE = /^\\(?:[dDwWsS]|[^a-zA-Z0-9])$/;
const CLASS = /^\[\^?\]?(?:\\(?:[dDwWsS]|[^a-zA-Z0-9])|[^\\[\]])*\]$/su;

/**
 * A function that tells whether an expression matches a whole text.
 *
 * @throws {ExpressionError} for what RE2 does not accept, and for its rarer forms: flags, named groups, Unicode classes.
 */
export function wholeMatch(expression: string): (text: string) => boolean {
  if (/^[\w-]*$/.test(expression)) return (text) => text === expression;
  if (expression.length > LONGEST_EXPRESSION) {
    throw new ExpressionError(`an expression of ${expression.length} characters (at most ${LONGEST_EXPRESSION})`);
  }
  const part = new Parser(expression.match(TOKEN) ?? []).parse();
  const states: State[] = [{ kind: 'match' }];
  const compiler: Compiler = {
    add(state) {
      if (states.length >= MOST_STATES) throw new ExpressionError('an expression that repeats too much');
      return states.push(state) - 1;
    },
  };
  const first = part(compiler, 0);
  const prefix = prefixOf(expression);
  return (text) => text.startsWith(prefix) && runs(states, first, text);
}

/** What every match begins with: most names differ there, and need no more than a look. */
function prefixOf(expression: string): string {
  if (expression.includes('|')) return '';
  // A character that may be repeated may be absent.
  return /^[\w-]*(?![\w*?{-])/.exec(expression)?.[0] ?? '';
}

function runs(states: readonly State[], first: number, text: string): boolean {
  const characters = [...text];
  let current = new Set<number>();
  const follow = (set: Set<number>, start: number, position: number) => {
    const open = [start];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (set.has(index)) continue;
      set.add(index);
      const state = states[index] as State;
      if (state.kind === 'split') open.push(...state.next);
      else if (state.kind === 'start' && position === 0) open.push(state.next);
      else if (state.kind === 'end' && position === characters.length) open.push(state.next);
    }
  };
  follow(current, first, 0);
  for (const [position, character] of characters.entries()) {
    const following = new Set<number>();
    for (const index of current) {
      const state = states[index] as State;
      if (state.kind === 'character' && state.accepts(character)) follow(following, state.next, position + 1);
    }
    current = following;
    if (current.size === 0) return false;
  }
  return current.has(0);
}

/** Reads tokens by recursive descent: alternatives of sequences of repeated atoms. */
class Parser {
  #position = 0;

  constructor(private readonly tokens: readonly string[]) {}

  parse(): Part {
    const part = this.#alternatives();
    if (this.#peek() !== undefined) throw new ExpressionError('`)` without `(`');
    return part;
  }

  #peek(): string | undefined {
    return this.tokens[this.#position];
  }

  #alternatives(depth = 0): Part {
    if (depth > 100) throw new ExpressionError('groups within more than 100 groups');
    const branches = [this.#sequence(depth)];
    while (this.#peek() === '|') {
      this.#position++;
      branches.push(this.#sequence(depth));
    }
    const [only] = branches;
    if (branches.length === 1) return only as Part;
    return (compiler, next) => compiler.add({ kind: 'split', next: branches.map((part) => part(compiler, next)) });
  }

  #sequence(depth: number): Part {
    const parts: Part[] = [];
    for (let token = this.#peek(); token !== undefined && token !== '|' && token !== ')'; token = this.#peek()) {
      this.#position++;
      parts.push(this.#repeated(this.#atom(token, depth)));
    }
    return (compiler, next) => parts.reduceRight((following, part) => part(compiler, following), next);
  }

  #atom(token: string, depth: number): Part {
    if (token === '(' || token === '(?:') {
      if (token === '(' && this.#peek() === '?')
        throw new ExpressionError('`(?`: flags and named groups do not work here');
      const part = this.#alternatives(depth + 1);
      if (this.tokens[this.#position++] !== ')') throw new ExpressionError('`(` without `)`');
      return part;
    }
    if (/^(?:[*+?]|\{\d.*\})$/.test(token)) throw new ExpressionError(`\`${token}\` with nothing to repeat`);
    if (token === '^' || token === '$') {
      const kind = token === '^' ? 'start' : 'end';
      return (compiler, next) => compiler.add({ kind, next });
    }
    const accepts = acceptor(token);
    return (compiler, next) => compiler.add({ kind: 'character', accepts, next });
  }

  #repeated(part: Part): Part {
    const token = this.#peek() ?? '';
    const [, least, comma, most] = /^\{(\d+)(,?)(\d*)\}$/.exec(token) ?? [];
    const bounds =
      ({ '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] } as Readonly<Record<string, readonly [number, number]>>)[
        token
      ] ?? (least === undefined ? undefined : [Number(least), boundOf(Number(least), comma, most)]);
    if (bounds === undefined) return part;
    this.#position++;
    // Whether it prefers few or many does not matter for a whole match.
    if (this.#peek() === '?') this.#position++;
    if (/^(?:[*+?]|\{\d.*\})$/.test(this.#peek() ?? '')) {
      throw new ExpressionError(`\`${token}${this.#peek()}\`: a repetition of a repetition`);
    }
    const [minimum, maximum] = bounds;
    if (minimum > maximum || minimum > MOST_REPETITIONS || (maximum !== Infinity && maximum > MOST_REPETITIONS)) {
      throw new ExpressionError(`\`${token}\` (from 0 to ${MOST_REPETITIONS}, the first number not above the second)`);
    }
    return (compiler, next) => {
      let following = next;
      if (maximum === Infinity) {
        const loop: State = { kind: 'split', next: [next] };
        following = compiler.add(loop);
        loop.next.push(part(compiler, following));
      } else {
        for (let count = minimum; count < maximum; count++) {
          following = compiler.add({ kind: 'split', next: [next, part(compiler, following)] });
        }
      }
      for (let count = 0; count < minimum; count++) {
        const first = part(compiler, following);
        // An empty part adds no state: the limit of states does not end the repetitions of one.
        if (first === following) break;
        following = first;
      }
      return following;
    };
  }
}

const boundOf = (least: number, comma: string | undefined, most: string | undefined): number =>
  comma === '' ? least : most === '' ? Infinity : Number(most);

/** What one token accepts, as one character. */
function acceptor(token: string): (character: string) => boolean {
  if (token === '.') return (character) => character !== '\n';
  if (token.startsWith('\\')) {
    if (token === '\\') throw new ExpressionError('a backslash at the end');
    if (!ESCAPE.test(token)) throw new ExpressionError(`the escape \`${token}\`, which does not work here`);
    if (/[dDwWsS]/.test(token)) return tester(token);
    const literal = token.slice(1);
    return (character) => character === literal;
  }
  if (token.startsWith('[')) {
    if (token === '[') throw new ExpressionError('`[` without `]`');
    if (!CLASS.test(token)) throw new ExpressionError(`the class \`${token}\`, which does not work here`);
    return tester(token);
  }
  return (character) => character === token;
}

/** Of a class or an escape; it holds for one character, so that nothing is tried twice. */
function tester(token: string): (character: string) => boolean {
  try {
    // A bracket that comes first in a class is a member of it.
    const pattern = new RegExp(`^${token.replace(/^(\[\^?)\]/, '$1\\]')}$`, 's');
    return (character) => pattern.test(character);
  } catch {
    throw new ExpressionError(`the class \`${token}\`, in which a range ends before it begins`);
  }
}
