/** Writes the ConfigMap of the code: `npm run configmap` and `npm run configmap:bundled`. */

import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { VERSION } from '../src/exporter/version.js';
import { CodeTooLargeError, codeConfigMap, describeCodeSize, packCode } from './code-archive.js';

/** This file runs as `dist/scripts/write-code-configmap.js`. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const { bundled, deploy } = parseArgs({
  options: {
    bundled: { type: 'boolean', default: false },
    // For tests, which must not write into the repository.
    deploy: { type: 'string', default: join(root, 'deploy') },
  },
}).values;
const component = bundled ? 'no-image-bundled' : 'no-image';
// Named after its command: kubectl names the file where it is missing.
const file = `code-from-npm-run-configmap${bundled ? '-bundled' : ''}.yaml`;
const path = join(deploy, 'kubernetes/components', component, file);

try {
  const { yaml, size } = codeConfigMap(await packCode(root, bundled ? 'bundled' : 'installed'), VERSION);
  writeFileSync(path, yaml);
  console.log(`${relative(process.cwd(), path)}: ${describeCodeSize(size)}`);
} catch (error) {
  if (!(error instanceof CodeTooLargeError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
