/** Errors of a command that are not bugs: wrong options or unusable data. */

/** Wrong options (exit status 2). The message says what was expected, what was given, and what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Unusable data (exit status 1). The message says what was expected, what was found, and what to do. */
export class DataError extends Error {
  override readonly name = 'DataError';
}
