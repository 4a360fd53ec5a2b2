/** Times of this process as lines of text, in processor time: other work on the machine changes it little. */

import { setImmediate as nextTurn } from 'node:timers/promises';

/** Processor time so far, in milliseconds. */
export function processorMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Writes median, least and most. @param milliseconds at least one. */
export function report(name: string, milliseconds: readonly number[]): void {
  const times = milliseconds.toSorted((a, b) => a - b);
  const ranks = [0, (times.length - 1) >> 1, times.length - 1];
  const [least, median, most] = ranks.map((rank) => (times[rank] as number).toFixed(1));
  console.log(`${name.padEnd(52)} ${median?.padStart(9)} ms  (${least} to ${most})`);
}

/** Runs work some times, and reports. */
export async function time(name: string, runs: number, work: () => unknown): Promise<void> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const started = processorMilliseconds();
    await work();
    times.push(processorMilliseconds() - started);
  }
  report(name, times);
}

/** The longest time in which the event loop did not turn while work went on that lets it, in milliseconds. */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let isDone = false;
  const turns = (async () => {
    for (let before = processorMilliseconds(); !isDone; ) {
      await nextTurn();
      const now = processorMilliseconds();
      longest = Math.max(longest, now - before);
      before = now;
    }
  })();
  await work();
  isDone = true;
  await turns;
  return longest;
}
