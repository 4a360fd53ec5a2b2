/** Errors of a command that are not bugs: wrong options or unusable data. */

/** Wrong options (exit status 2). The message says what was expected, what was given, and what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something that a user wrote is wrong (exit status 2): settings or a file, with all mistakes at once. */
export class MistakesError extends UsageError {
  /**
   * @param where to read after "mistakes in": `the settings`.
   * @param mistakes each with its place, what was expected and what was found, but no secret; some have an excerpt.
   */
  constructor(
    where: string,
    readonly mistakes: readonly string[],
  ) {
    super(
      `${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'} in ${where}:\n` +
        mistakes.map((mistake) => `  ${mistake.replaceAll('\n', '\n    ')}`).join('\n'),
    );
  }
}

/** Unusable data (exit status 1). The message says what was expected, what was found, and what to do. */
export class DataError extends Error {
  override readonly name = 'DataError';
}
