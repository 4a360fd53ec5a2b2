/** Turns of the event loop, which serves everything else between two pieces of a long work. */

import { setImmediate as nextTurn } from 'node:timers/promises';

let last: Promise<unknown> = Promise.resolve();

/**
 * Waits for a turn that nobody else gets who asks here. So many long works at the same time block the event loop for no
 * longer than one of them: each turn has one piece of one work.
 */
export async function ownTurn(): Promise<void> {
  last = last.then(() => nextTurn());
  await last;
}
