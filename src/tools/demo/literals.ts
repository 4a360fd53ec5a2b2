/** What string literals of PromQL say. */

/** The text of a literal, without its quotes. */
export function unquoted(literal: string): string {
  return literal.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
}

/** The expression in a literal, anchored as matchers are; `undefined` if it is invalid. */
export function anchored(literal: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${unquoted(literal)})$`, 's');
  } catch {
    return undefined;
  }
}

/** The texts of a literal that `quoteAlternatives` has made. */
export function alternativesOf(literal: string): readonly string[] {
  // A piece ends at a bar that no backslash takes away.
  const pieces = unquoted(literal).match(/(?:\\.|[^\\|])+/gs) ?? [];
  return pieces.map((piece) => piece.replaceAll(/\\(.)/gs, '$1'));
}
