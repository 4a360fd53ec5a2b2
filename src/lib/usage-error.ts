/** What can be wrong with an evaluation besides the program: how it was asked for, and what it was given. */

/** The evaluation was asked for wrongly (exit status 2). The message says what was expected, what came, what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The data cannot be evaluated (exit status 1). The message says what was expected, what came, what to do. */
export class DataError extends Error {
  override readonly name = 'DataError';
}
