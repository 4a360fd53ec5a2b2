/** The body of a thread for the tests of the pool: fails in the ways that threads fail. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ThreadInput } from '../../src/tools/replay/pool.js';

/** What the thread does. */
export type TestTask =
  | { readonly kind: 'answer'; readonly value: number }
  | { readonly kind: 'block' | 'sleep' | 'reject' | 'crash' };

export async function run({ task, progress }: ThreadInput<TestTask>): Promise<number> {
  switch (task.kind) {
    case 'answer':
      progress.postMessage(0.5);
      return 2 * task.value;
    case 'block':
      for (;;) Math.sqrt(2);
    case 'sleep':
      await sleep(60_000);
      return 0;
    case 'reject':
      throw new Error('Expected a task that works.');
    case 'crash':
      setImmediate(() => {
        throw new Error('thrown where no task catches it');
      });
      await sleep(60_000);
      return 0;
  }
}
