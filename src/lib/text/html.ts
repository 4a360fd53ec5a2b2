/** HTML in which inserted values are always text. */

import { escapeControlCharacters } from './control-characters.js';

/** Markup that is safe to send. */
export class Html {
  constructor(readonly markup: string) {}
}

/** Nothing. */
export const NO_HTML = new Html('');

/** What a template may contain. */
type Insert = string | number | Html | readonly Insert[];

/**
 * A template tag. Texts are escaped, for content and for quoted attributes alike, with their control characters
 * visible. `Html` stays as it is; the items of a list stand on lines of their own.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Insert[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(render)));
}

function render(value: Insert): string {
  if (value instanceof Html) return value.markup;
  if (typeof value === 'object') return value.map(render).join('\n');
  return escapeControlCharacters(String(value)).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
