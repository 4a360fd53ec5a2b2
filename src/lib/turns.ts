/** Turns of the event loop, which serves everything else between two pieces of a long work. */

import { setImmediate as nextTurn } from 'node:timers/promises';

let last: Promise<unknown> = Promise.resolve();

/**
 * Waits for a turn that no other caller gets. Each turn then has one piece of one work, and several long works at the same
 * time block the event loop no longer than one of them.
 */
export async function ownTurn(): Promise<void> {
  last = last.then(() => nextTurn());
  await last;
}
