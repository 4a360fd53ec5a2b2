/** What is wrong with a snapshot. */

/**
 * Bytes are no model that this program can use, or a model cannot be written as bytes. The message is the reason, to
 * read after "is not used: ".
 */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

/** @throws {SnapshotError} with the reason, unless the condition holds. */
export function check(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new SnapshotError(reason);
}
