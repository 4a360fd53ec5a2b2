/** Errors as sentences. Separate from the logger, so that threads and commands without logs do not load it. */

/** The message of an error, or of any other thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
