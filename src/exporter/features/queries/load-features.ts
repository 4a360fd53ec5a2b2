/** Reads the feature file, if there is one. */

import { readBoundedText, UnreadableFileError } from '../../../lib/files/bounded-file.js';
import { MistakesError } from '../../../lib/usage-error.js';
import { buildCatalog } from '../catalog.js';
import { buildOwnerQueries } from '../owners.js';
import { type FeatureSet, parseFeatureFile } from './feature-file.js';
import type { QueryOptions } from './template.js';

/**
 * The features of the file at `path`, or the built-in ones where it is empty.
 *
 * @param path relative to the working directory, or absolute.
 * @throws {MistakesError} when the file cannot be read, or is wrong.
 */
export async function loadFeatures(path: string, options: QueryOptions): Promise<FeatureSet> {
  if (path === '') {
    return {
      features: buildCatalog(options),
      ownerQueries: buildOwnerQueries(options),
      places: new Map(),
    };
  }
  return parseFeatureFile(await readText(path), path, options);
}

async function readText(path: string): Promise<string> {
  try {
    return await readBoundedText(path);
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new MistakesError(`the feature file ${path}`, [
      `FEATURES_FILE: cannot read ${path}: ${error.reason}. ` +
        'Example: FEATURES_FILE="/etc/detector/features.yaml"',
    ]);
  }
}
