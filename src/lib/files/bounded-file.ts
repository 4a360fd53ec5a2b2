/** Reads a text file that somebody else wrote: not a device, not gigabytes, not binary. */

import { readFileSync, type Stats, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** 1 MiB: many times what the largest file needs that people write for this program. */
export const MAXIMUM_FILE_BYTES = 1024 * 1024;

/** The file cannot be used. Both texts are to be put into a sentence. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';

  constructor(
    /** To read after "expected": `a file`. */
    readonly expected: string,
    /** To read after "got": `a directory`. */
    readonly got: string,
  ) {
    super(`Expected ${expected}, got ${got}.`);
  }
}

/**
 * The text of a file of at most 1 MiB, in UTF-8.
 *
 * @param path relative to the working directory, or absolute.
 * @throws {UnreadableFileError} when there is none, or something else.
 */
export async function readBoundedText(path: string): Promise<string> {
  try {
    requireSmallFile(await stat(path));
    return decode(await readFile(path));
  } catch (error) {
    throw unreadable(error);
  }
}

/** As `readBoundedText`, for the start of the program. */
export function readBoundedTextSync(path: string): string {
  try {
    requireSmallFile(statSync(path));
    return decode(readFileSync(path));
  } catch (error) {
    throw unreadable(error);
  }
}

/** Of a device or a pipe, the size tells nothing and the end may never come: it is not even opened. */
function requireSmallFile(stats: Stats): void {
  if (!stats.isFile())
    throw new UnreadableFileError('a file', stats.isDirectory() ? 'a directory' : 'no file');
  if (stats.size > MAXIMUM_FILE_BYTES) throw new UnreadableFileError('at most 1 MiB', `${stats.size} bytes`);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UnreadableFileError('text in UTF-8', 'bytes that are none');
  }
}

/** What the system says, in words. */
const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'none of that name',
  ENOTDIR: 'none of that name',
  EACCES: 'one that this user may not read',
  EISDIR: 'a directory',
};

function unreadable(error: unknown): UnreadableFileError {
  if (error instanceof UnreadableFileError) return error;
  const { code = '', message }: NodeJS.ErrnoException =
    error instanceof Error ? error : new Error(String(error));
  return new UnreadableFileError('a file that can be read', FAILURES[code] ?? message);
}
