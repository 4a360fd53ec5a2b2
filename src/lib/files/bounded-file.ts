/** Reads a text file that somebody else wrote: not a device, not gigabytes, not binary. */

import { readFileSync, type Stats, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** 1 MiB: many times what the largest file needs that people write for this program. */
export const MAXIMUM_FILE_BYTES = 1024 * 1024;

/** The file cannot be read. The message is a sentence; `reason` is a part of one: `no such file`. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';

  constructor(
    path: string,
    readonly reason: string,
  ) {
    super(`Cannot read ${path}: ${reason}.`);
  }
}

/**
 * The text of a file of at most 1 MiB, in UTF-8.
 *
 * @param path relative to the working directory, or absolute.
 * @throws {UnreadableFileError} when there is no such file, or something else.
 */
export async function readBoundedText(path: string): Promise<string> {
  try {
    requireSmallFile(path, await stat(path));
    return decode(path, await readFile(path));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** As `readBoundedText`, for the start of the program. */
export function readBoundedTextSync(path: string): string {
  try {
    requireSmallFile(path, statSync(path));
    return decode(path, readFileSync(path));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The size of a device or a pipe is unknown and its end may never come: it is not even opened. */
function requireSmallFile(path: string, stats: Stats): void {
  if (stats.isDirectory()) throw new UnreadableFileError(path, 'it is a directory');
  if (!stats.isFile()) throw new UnreadableFileError(path, 'it is not a regular file');
  if (stats.size > MAXIMUM_FILE_BYTES) {
    throw new UnreadableFileError(path, `it has ${stats.size} bytes, more than 1 MiB`);
  }
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UnreadableFileError(path, 'it is not valid UTF-8');
  }
}

/** What the system says, in words. */
const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
};

function unreadable(path: string, error: unknown): UnreadableFileError {
  if (error instanceof UnreadableFileError) return error;
  const { code = '', message }: NodeJS.ErrnoException =
    error instanceof Error ? error : new Error(String(error));
  return new UnreadableFileError(path, FAILURES[code] ?? message);
}
