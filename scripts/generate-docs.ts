/** Writes the generated sections of the documents: `npm run docs`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { GENERATED_DOCUMENTS } from './generated-docs.js';

for (const [path, update] of GENERATED_DOCUMENTS) {
  writeFileSync(path, update(readFileSync(path, 'utf8')));
}
