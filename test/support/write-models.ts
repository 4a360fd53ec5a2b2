/** Writes files of a megabyte, one in the place of the other, until it is killed; says a dot for each. */

import { ModelStore } from '../../src/exporter/model/snapshot/store.js';

const [path = '', once] = process.argv.slice(2);
const store = new ModelStore(path, Date.now);

for (let byte = 1; ; byte = (byte % 255) + 1) {
  try {
    await store.write(Buffer.alloc(1_000_000, byte));
    process.stdout.write('.');
  } catch (error) {
    process.stdout.write(String((error as NodeJS.ErrnoException).code));
  }
  if (once !== undefined) break;
}
