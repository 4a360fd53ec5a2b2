/** Writes the generated sections of the documents: `npm run docs`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { updateFaults, updateReadme } from './generated-docs.js';

for (const [path, update] of [
  ['README.md', updateReadme],
  ['docs/faults.md', updateFaults],
] as const) {
  writeFileSync(path, await update(readFileSync(path, 'utf8')));
}
