/** Reads a text file that somebody else wrote: not a device, not gigabytes, not binary. */

import { open } from 'node:fs/promises';

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
  const bytes = await readBytes(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UnreadableFileError('text in UTF-8', 'bytes that are none');
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      // Of a device or a pipe, the size tells nothing and the end may never come.
      const stats = await file.stat();
      if (!stats.isFile())
        throw new UnreadableFileError('a file', stats.isDirectory() ? 'a directory' : 'no file');
      if (stats.size > MAXIMUM_FILE_BYTES)
        throw new UnreadableFileError('at most 1 MiB', `${stats.size} bytes`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof UnreadableFileError) throw error;
    const { code = '', message }: NodeJS.ErrnoException =
      error instanceof Error ? error : new Error(String(error));
    throw new UnreadableFileError('a file that can be read', FAILURES[code] ?? message);
  }
}

/** What the system says, in words. */
const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'none of that name',
  ENOTDIR: 'none of that name',
  EACCES: 'one that this user may not read',
  EISDIR: 'a directory',
};
