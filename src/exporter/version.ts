/** What `package.json` says of this program: its version, and where its pages are. */

import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
  homepage: string;
};

/** As in `package.json`, without a leading `v`. */
export const VERSION = manifest.version;

/** Address of the repository, without a slash at its end. Who publishes a fork changes it in `package.json` alone. */
export const HOMEPAGE = manifest.homepage;

/** Address of the folder of the runbooks, without a slash at its end: that of the newest, since alerts outlive a release. */
export const RUNBOOKS_URL = `${HOMEPAGE}/blob/main/docs/runbooks`;
