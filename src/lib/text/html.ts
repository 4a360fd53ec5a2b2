/** HTML that cannot be broken by what is put into it. */

import { harmless } from './control-characters.js';

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
