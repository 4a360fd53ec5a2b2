/** Errors as sentences. By itself, so that threads and commands that do not log load no logger. */

/** The sentence of an error, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
