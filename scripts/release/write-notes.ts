/** Writes the notes of a release to standard output: `npm run --silent release:notes -- v1.2.3`, with the tag of the release. */

import { readFileSync } from 'node:fs';
import { HOMEPAGE, VERSION } from '../../src/exporter/version.js';
import { releaseNotes, tagOf } from './notes.js';

const [tag] = process.argv.slice(2);
// What is published would have another number than what it says of itself.
if (tag !== tagOf(VERSION)) throw new Error(`Expected the tag ${tagOf(VERSION)}, as in package.json, got ${tag}.`);
process.stdout.write(releaseNotes(readFileSync('CHANGELOG.md', 'utf8'), VERSION, HOMEPAGE));
