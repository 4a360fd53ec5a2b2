/** Reads the JSON files beside the recordings. */

import { join } from 'node:path';
import { readBoundedText, UnreadableFileError } from '../../lib/files/bounded-file.js';
import { DataError } from '../../lib/usage-error.js';

/** Many times what a month of a large fleet takes. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * The content of a file.
 *
 * @param absent instead of a file that is not there; a sentence with what to do, where it has to be there.
 * @throws {DataError} when it cannot be read, has more than 256 MiB, or is no JSON.
 */
export async function readJson(
  directory: string,
  name: string,
  absent: { readonly content: unknown } | { readonly advice: string },
): Promise<unknown> {
  const path = join(directory, name);
  try {
    return JSON.parse(await readBoundedText(path, MOST_BYTES));
  } catch (error) {
    if (error instanceof UnreadableFileError) {
      if ('content' in absent && error.isAbsent) return absent.content;
      const advice = 'advice' in absent ? ` ${absent.advice}` : '';
      throw new DataError(`Expected JSON in ${path}, got: ${error.reason}.${advice}`, { cause: error });
    }
    throw new DataError(`Expected JSON in ${path}, got: ${(error as Error).message}`, { cause: error });
  }
}
