/** What a server of metrics has worked, as the kernel counts it. */

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Busier than this it works on something, as a share of one processor. */
const QUIET_SHARE = 0.08;
const LOOK_SECONDS = 0.25;
const LONGEST_WAIT_SECONDS = 300;

/** Processor time of the threads of a process so far, in seconds. Those of a program in Go stay until it ends. */
export function processorSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9;
}

/** Waits until the server does nothing to speak of for half a second, such as collecting the garbage of what it did. */
export async function untilQuiet(pid: number): Promise<void> {
  const end = Date.now() + 1000 * LONGEST_WAIT_SECONDS;
  for (let quiet = 0, before = processorSeconds(pid); quiet < 2; ) {
    if (Date.now() > end) throw new Error(`Waited ${LONGEST_WAIT_SECONDS} s for process ${pid} to be quiet.`);
    await sleep(1000 * LOOK_SECONDS);
    const now = processorSeconds(pid);
    quiet = now - before < QUIET_SHARE * LOOK_SECONDS ? quiet + 1 : 0;
    before = now;
  }
}

/** Collects the garbage of earlier work, so that it does not count as that of the next. Both servers are written in Go. */
export async function collectGarbage(url: string): Promise<void> {
  const response = await fetch(`${url}/debug/pprof/heap?gc=1`);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`Expected ${url} to collect its garbage, got status ${response.status}.`);
}
