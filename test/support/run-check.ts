/** The command `check` in this process. */

import { Writable } from 'node:stream';
import { type CheckSurroundings, runCheck } from '../../src/exporter/check/command.js';

/** What came of it. */
export interface CheckOutcome {
  readonly status: number;
  readonly text: string;
}

/** Runs it with these settings only. */
export async function checkOf(
  environment: Readonly<Record<string, string>>,
  { json = false, isTTY = false }: { readonly json?: boolean; readonly isTTY?: boolean } = {},
): Promise<CheckOutcome> {
  let text = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const stdout: CheckSurroundings['stdout'] = Object.assign(sink, { isTTY, columns: 100 });
  const status = await runCheck({ json }, { stdout, environment, signal: new AbortController().signal });
  return { status, text };
}
