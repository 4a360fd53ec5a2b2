/** Writes the generated sections of the README: `npm run docs`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { updateReadme } from './generated-docs.js';

const path = 'README.md';
writeFileSync(path, await updateReadme(readFileSync(path, 'utf8')));
