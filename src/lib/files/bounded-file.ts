/** Reads a text file that somebody else wrote: not a device, not gigabytes, not binary. */

import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { messageOf } from '../logging/message-of.js';

const MEBIBYTE = 1024 * 1024;

/** Many times what the largest file needs that people write for this program. */
const MAXIMUM_FILE_BYTES = MEBIBYTE;

const CHUNK_BYTES = MEBIBYTE / 16;

const ABSENT = 'no such file';

/** The file cannot be read. The message is a sentence; `reason` is a part of one: `no such file`. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';

  constructor(
    path: string,
    readonly reason: string,
  ) {
    super(`Cannot read ${path}: ${reason}.`);
  }

  get isAbsent(): boolean {
    return this.reason === ABSENT;
  }
}

/** Codes of errors in words. */
const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: ABSENT,
  ENOTDIR: ABSENT,
  EACCES: 'permission denied',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not valid UTF-8',
};

/**
 * The text of a file, in UTF-8.
 *
 * @param path relative to the working directory, or absolute.
 * @param mostBytes its largest size; 1 MiB if unset.
 * @throws {UnreadableFileError} when there is no such file, or something else.
 */
export function readBoundedTextSync(path: string, mostBytes = MAXIMUM_FILE_BYTES): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readBoundedBytesSync(path, mostBytes));
  } catch (error) {
    if (error instanceof UnreadableFileError) throw error;
    throw new UnreadableFileError(path, reasonOf(error));
  }
}

/**
 * The bytes of a file.
 *
 * @throws {UnreadableFileError} when there is no such file, or something else.
 */
export function readBoundedBytesSync(path: string, mostBytes: number): Buffer {
  let file: number | undefined;
  try {
    // The size of a device or a pipe is unknown and its end may never come: it is not even opened.
    requireReadable(statSync(path), path, mostBytes);
    // Another one may have come meanwhile. Without O_NONBLOCK, opening a pipe waits for somebody to write.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    requireReadable(fstatSync(file), path, mostBytes);
    return readUpTo(file, path, mostBytes);
  } catch (error) {
    if (error instanceof UnreadableFileError) throw error;
    throw new UnreadableFileError(path, reasonOf(error));
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function requireReadable(stats: Stats, path: string, mostBytes: number): void {
  if (stats.isDirectory()) throw new UnreadableFileError(path, 'it is a directory');
  if (!stats.isFile()) throw new UnreadableFileError(path, 'it is not a regular file');
  if (stats.size > mostBytes) throw new UnreadableFileError(path, excessOf(stats.size, mostBytes));
}

/** The size that a file has is not the last word: it may grow, and files that the kernel makes have none. */
function readUpTo(file: number, path: string, mostBytes: number): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const read = readSync(file, chunk);
    if (read === 0) return Buffer.concat(chunks);
    size += read;
    if (size > mostBytes) throw new UnreadableFileError(path, excessOf(size, mostBytes));
    chunks.push(chunk.subarray(0, read));
  }
}

const excessOf = (bytes: number, mostBytes: number) => `it has ${bytes} bytes, more than ${mostBytes / MEBIBYTE} MiB`;

function reasonOf(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return FAILURES[code] ?? messageOf(error);
}

/** As `readBoundedTextSync`, for those who work with promises. The file is small, so that reading blocks for no time. */
export const readBoundedText = async (path: string, mostBytes?: number): Promise<string> =>
  readBoundedTextSync(path, mostBytes);
