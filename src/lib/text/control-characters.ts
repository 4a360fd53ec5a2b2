/** Texts that others wrote, for pages, terminals and logs. */

/** What has no picture, or changes that of others: controls, directions, joiners, tags, separators, half characters. */
const INVISIBLE = /[^\P{C}\n\t]|\p{Zl}|\p{Zp}|\p{Variation_Selector}|\p{Default_Ignorable_Code_Point}/gu;

/** More marks on one character than any language has: they cover the lines above and below. */
const PILE_OF_MARKS = /(\p{M}{3})\p{M}+/gu;

/**
 * A text that shows what it is: `\u{202e}` in place of a character that turns the direction of what follows it. Line
 * breaks and tabs stay.
 */
export function escapeControlCharacters(text: string): string {
  return text
    .replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replace(PILE_OF_MARKS, '$1…');
}
