/** Waiting, always with a deadline. */

import { setTimeout as sleep } from 'node:timers/promises';

/** The outcome of a promise; fails when it takes longer. `what` completes "Waited … for". */
export async function within<Value>(milliseconds: number, what: string, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${milliseconds} ms for ${what}.`)), milliseconds);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

const SHORTEST_PAUSE_MILLISECONDS = 10;
const LONGEST_PAUSE_MILLISECONDS = 250;

/**
 * Tries until nothing is thrown, and gives what the check gave; at the deadline its last error. The deadline is there so
 * that a test ends with a reason; that something is quick is no claim of it. What takes longer is looked at less often: a
 * check may cost a scrape, and the machine shall have its time for what is waited for.
 */
export async function eventually<Value>(check: () => Value | Promise<Value>, milliseconds = 60_000): Promise<Value> {
  const start = Date.now();
  for (;;) {
    const waited = Date.now() - start;
    try {
      return await check();
    } catch (error) {
      if (waited > milliseconds) throw error;
    }
    await sleep(Math.min(Math.max(SHORTEST_PAUSE_MILLISECONDS, waited / 20), LONGEST_PAUSE_MILLISECONDS));
  }
}

/** A promise and what settles it. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** Holds work back until the test lets it go. */
export function gate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
