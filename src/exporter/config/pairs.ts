/** Lists of `name=value` in one variable. */

/** In the order of the text; a name may come several times. */
export type Pairs = readonly (readonly [name: string, value: string])[];

/**
 * The pairs of `name=value,name=value`. Spaces around names and values do not count. In a value `\,` is a comma and
 * `\\` a backslash; a value may have `=`.
 *
 * @returns `undefined` where a pair has no name or no `=`, or another character follows a backslash.
 */
export function parsePairs(text: string): Pairs | undefined {
  if (text.trim() === '') return [];
  // A piece ends at a comma that no backslash takes away.
  const pieces = text.match(/(?:^|,)(?:\\.|[^\\,])*/gs) ?? [];
  if (pieces.join('') !== text) return undefined;
  const pairs: (readonly [string, string])[] = [];
  for (const [index, piece] of pieces.entries()) {
    const [, name, raw] = /^([^=\\]+)=(.*)$/s.exec(index === 0 ? piece : piece.slice(1)) ?? [];
    if (name === undefined || raw === undefined || name.trim() === '') return undefined;
    if (/\\[^\\,]/.test(raw.replaceAll('\\\\', ''))) return undefined;
    pairs.push([name.trim(), raw.trim().replaceAll(/\\([\\,])/g, '$1')]);
  }
  return pairs;
}
