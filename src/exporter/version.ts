/** The version of this program. */

import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** As in `package.json`, without a leading `v`. */
export const VERSION = manifest.version;
