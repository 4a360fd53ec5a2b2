/** Programs that some tests need and not every machine has. */

import { spawnSync } from 'node:child_process';
import type { Context } from 'mocha';

/**
 * Lets a test go on where the program is on the PATH. Elsewhere the test is skipped, and says so; but on a build
 * server (`CI` is set) it fails, since a check that nobody runs is none.
 *
 * @param context the test: `this` in a `function`.
 * @param name the program: `promtool`.
 */
export function requireTool(context: Pick<Context, 'skip'>, name: string): void {
  const { error } = spawnSync(name, ['--version'], { timeout: 10_000 });
  if (error === undefined) return;
  const missing = `${name} cannot be run (${error.message})`;
  if (process.env.CI) throw new Error(`Expected the build server to have ${name}, but ${missing}.`);
  console.warn(`SKIPPED: ${missing}. Install it to run this test.`);
  context.skip();
}
