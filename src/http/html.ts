/** HTML that cannot be broken by what is put into it. */

/** Markup that is safe to send. */
export class Html {
  constructor(readonly markup: string) {}
}

/** Nothing. */
export const NO_HTML = new Html('');

/**
 * A template tag: texts are escaped, for content and for quoted attributes alike, and made harmless; `Html` and lists
 * of it stay as they are.
 */
export function html(
  strings: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(render)));
}

function render(value: string | Html | readonly Html[]): string {
  if (value instanceof Html) return value.markup;
  if (typeof value === 'string')
    return harmless(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return value.map(render).join('\n');
}

/** What has no picture, or changes that of others: controls, directions, joiners, tags, separators, half characters. */
const INVISIBLE = /[^\P{C}\n\t]|\p{Zl}|\p{Zp}|\p{Variation_Selector}|\p{Default_Ignorable_Code_Point}/gu;

/** More marks on one character than any language has: they cover the lines above and below. */
const PILE_OF_MARKS = /(\p{M}{3})\p{M}+/gu;

/**
 * A text that shows what it is: `\u{202e}` in place of a character that turns the direction of what follows it. Line
 * breaks and tabs stay.
 */
export function harmless(text: string): string {
  return text
    .replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replace(PILE_OF_MARKS, '$1…');
}
