/** Reads the escapes with which programs write a text into URLs, JSON and HTML. */

/** A text, and where each of its characters (UTF-16 units) stands in another text that it was read from. */
export interface Traced {
  readonly text: string;
  /** Offsets in the other text: character `i` stands from `starts[i]` up to `starts[i + 1]`. One more than characters. */
  readonly starts: Uint32Array;
}

/** A text that stands for itself. */
export function traced(text: string): Traced {
  return { text, starts: Uint32Array.from({ length: text.length + 1 }, (_, index) => index) };
}

/** Names of the characters that HTML writes so, as far as they are ASCII. */
const ENTITIES: ReadonlyMap<string, string> = new Map(
  [
    ['\t', 'Tab'],
    ['\n', 'NewLine'],
    ['!', 'excl'],
    ['"', 'quot', 'QUOT'],
    ['#', 'num'],
    ['$', 'dollar'],
    ['%', 'percnt'],
    ['&', 'amp', 'AMP'],
    ["'", 'apos'],
    ['(', 'lpar'],
    [')', 'rpar'],
    ['*', 'ast', 'midast'],
    ['+', 'plus'],
    [',', 'comma'],
    ['-', 'hyphen', 'dash'],
    ['.', 'period'],
    ['/', 'sol'],
    [':', 'colon'],
    [';', 'semi'],
    ['<', 'lt', 'LT'],
    ['=', 'equals'],
    ['>', 'gt', 'GT'],
    ['?', 'quest'],
    ['@', 'commat'],
    ['[', 'lsqb', 'lbrack'],
    ['\\', 'bsol'],
    [']', 'rsqb', 'rbrack'],
    ['^', 'Hat'],
    ['_', 'lowbar', 'UnderBar'],
    ['`', 'grave', 'DiacriticalGrave'],
    ['{', 'lcub', 'lbrace'],
    ['|', 'verbar', 'vert', 'VerticalLine'],
    ['}', 'rcub', 'rbrace'],
  ].flatMap(([character = '', ...names]) => names.map((name) => [name, character] as const)),
);

/** What a letter stands for behind a backslash; others, such as a slash, stand for themselves. */
const LETTERS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/**
 * One escape, of bounded length: in a URL (the bytes of one character in UTF-8), with a backslash, in HTML by number or by
 * name.
 */
const ESCAPE = new RegExp(
  [
    '(?<url>%[0-7][\\da-f]|%[cd][\\da-f]%[89ab][\\da-f]|%e[\\da-f](?:%[89ab][\\da-f]){2}|%f[0-7](?:%[89ab][\\da-f]){3})',
    '\\\\u\\{(?<braced>[\\da-f]{1,6})\\}',
    '[\\\\%]u(?<unit>[\\da-f]{4})',
    '\\\\x(?<byte>[\\da-f]{2})',
    '\\\\(?<octal>[0-3][0-7]{2})',
    '\\\\(?<letter>[^ux\\s])',
    '&#x(?<hex>[\\da-f]{1,20});?',
    '&#(?<decimal>\\d{1,20});?',
    '&(?<name>[a-z]{2,16});',
    // These need no end.
    '&(?<old>amp|lt|gt|quot)',
  ].join('|'),
  'gi',
);

/** The beginning of an escape, at the end of a text. */
const BEGINNING = /(?:%[\da-fu%]{0,11}|\\(?:u\{?[\da-f]{0,6}|x[\da-f]?|[0-3][0-7]?)?|&#?[\da-z]{0,20})$/i;

/** The text without an escape at its end that was cut in two. */
export function withoutCutEscape({ text, starts }: Traced): Traced {
  // No beginning is longer.
  const from = Math.max(0, text.length - 24);
  const found = text.slice(from).search(BEGINNING);
  return found < 0
    ? { text, starts }
    : { text: text.slice(0, from + found), starts: starts.slice(0, from + found + 1) };
}

/** Reads one layer of escapes; `undefined` where there are none. The time is linear in the length. */
export function unescaped({ text, starts }: Traced): Traced | undefined {
  let read = '';
  let end = 0;
  const places: number[] = [];
  const copyUpTo = (position: number) => {
    read += text.slice(end, position);
    for (; end < position; end++) places.push(starts[end] as number);
  };
  for (const match of text.matchAll(ESCAPE)) {
    const characters = meaningOf(match.groups ?? {});
    if (characters === undefined) continue;
    copyUpTo(match.index);
    read += characters;
    for (let unit = 0; unit < characters.length; unit++) places.push(starts[match.index] as number);
    end = match.index + match[0].length;
  }
  if (end === 0) return undefined;
  copyUpTo(text.length);
  places.push(starts[text.length] as number);
  return { text: read, starts: Uint32Array.from(places) };
}

function meaningOf({
  url,
  braced,
  unit,
  byte,
  octal,
  letter,
  hex,
  decimal,
  name,
  old,
}: Partial<Record<string, string>>) {
  if (letter !== undefined) return LETTERS[letter] ?? letter;
  if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
  if (unit !== undefined) return String.fromCharCode(Number.parseInt(unit, 16));
  const entity = name ?? old;
  if (entity !== undefined) return ENTITIES.get(entity);
  if (url !== undefined) return decoded(url);
  const code = decimal === undefined ? Number.parseInt(braced ?? byte ?? hex ?? '', 16) : Number(decimal);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

/** Some sequences of bytes are no character. */
function decoded(url: string): string | undefined {
  try {
    return decodeURIComponent(url);
  } catch {
    return undefined;
  }
}
