/** Makes texts from outside safe to show on pages, on terminals and in logs. */

/** Invisible characters and those that change others: controls, directions, joiners, tags, lone surrogates. */
const INVISIBLE = /[^\P{C}\n\t]|\p{Zl}|\p{Zp}|\p{Variation_Selector}|\p{Default_Ignorable_Code_Point}/gu;

/** More combining marks than any language uses: they would cover the lines above and below. */
const PILE_OF_MARKS = /(\p{M}{3})\p{M}+/gu;

/**
 * Replaces invisible and control characters by their codes, such as `\u{202e}` for one that turns the direction of the
 * text after it. Line breaks and tabs stay.
 */
export function escapeControlCharacters(text: string): string {
  return text
    .replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replace(PILE_OF_MARKS, '$1…');
}
