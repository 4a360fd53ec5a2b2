/** Suggests a name for a misspelled one. */

/** Characters in which names may differ, so that a name of a megabyte is compared with none. */
const FARTHEST = 3;

/** The known name that is closest to `name`, or `undefined` if all are too different. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= FARTHEST)
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  // Names that differ in every letter have nothing in common.
  if (nearest === undefined || nearest.distance >= name.length) return undefined;
  return nearest.distance <= Math.max(1, Math.min(FARTHEST, name.length / 3)) ? nearest.candidate : undefined;
}

/** Levenshtein distance: single-character insertions, deletions and substitutions between two texts. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
