/** A line of a text with a caret below a place. */

const EXCERPT_LENGTH = 100;

/** The line around an offset without its indentation, with a caret under the character: two lines of at most 100. */
export function excerpt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  const line = text.slice(start, end < 0 ? undefined : end).trimEnd();
  const indent = line.length - line.trimStart().length;
  const column = offset - start;
  const cut = Math.min(column - EXCERPT_LENGTH / 2, line.length - EXCERPT_LENGTH);
  const from = Math.max(Math.min(indent, column), cut);
  const shown = line.slice(from, from + EXCERPT_LENGTH);
  // A tab keeps its width only under a tab.
  const before = line.slice(from, column).replaceAll(/[^\t]/g, ' ');
  return `${shown}\n${before}^`;
}
