/** Reads the feature file, if there is one. */

import { open } from 'node:fs/promises';
import { buildCatalog } from './catalog.js';
import { FeatureFileError, type FeatureSet, parseFeatureFile } from './feature-file.js';
import type { QueryOptions } from './template.js';

/** 1 MiB: many times what the largest file that is accepted needs. */
const MAXIMUM_BYTES = 1024 * 1024;

/**
 * The features of the file at `path`, or the built-in ones where it is empty.
 *
 * @param path relative to the working directory, or absolute.
 * @throws {FeatureFileError} when the file cannot be read, or is wrong.
 */
export async function loadFeatures(path: string, options: QueryOptions): Promise<FeatureSet> {
  if (path === '') return { features: buildCatalog(options), places: new Map() };
  return parseFeatureFile(await readText(path), path, options);
}

async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw unreadable(path, 'text in UTF-8', 'bytes that are none');
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      // Of a device or a pipe, the size tells nothing and the end may never come.
      const stats = await file.stat();
      if (!stats.isFile()) throw unreadable(path, 'a file', stats.isDirectory() ? 'a directory' : 'no file');
      if (stats.size > MAXIMUM_BYTES) throw unreadable(path, 'at most 1 MiB', `${stats.size} bytes`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof FeatureFileError) throw error;
    const { code = '', message }: NodeJS.ErrnoException =
      error instanceof Error ? error : new Error(String(error));
    throw unreadable(path, 'a file that can be read', FAILURES[code] ?? message);
  }
}

/** What the system says, in words. */
const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'none of that name',
  ENOTDIR: 'none of that name',
  EACCES: 'one that this user may not read',
  EISDIR: 'a directory',
};

function unreadable(path: string, expected: string, got: string): FeatureFileError {
  return new FeatureFileError(path, [
    `FEATURES_FILE: expected ${expected} at ${path}, got ${got}. Example: FEATURES_FILE="/etc/detector/features.yaml"`,
  ]);
}
