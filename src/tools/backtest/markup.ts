/** HTML in which nothing that comes from a cluster can be anything but text. */

/** HTML that may be put into HTML as it is. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What may stand between the pieces of a template. */
export type Insert = Markup | string | number | readonly Insert[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters that HTML does not allow, and those that turn the direction of text to disguise it. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A template whose inserts are escaped, for content and for quoted attributes. */
export function html(pieces: TemplateStringsArray, ...inserts: readonly Insert[]): Markup {
  return new Markup(
    pieces.reduce(
      (text, piece, index) => text + piece + (index < inserts.length ? insert(inserts[index]) : ''),
      '',
    ),
  );
}

/** Nothing. */
export const NOTHING = new Markup('');

function insert(value: Insert | undefined): string {
  if (value === undefined) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(insert).join('');
  return String(value)
    .replaceAll(UNPRINTABLE, '\u{fffd}')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
