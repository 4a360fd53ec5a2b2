/** What a server of metrics has worked, as the kernel counts it. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Linux reports times in hundredths of a second, whatever it counts in. */
const TICKS_PER_SECOND = 100;

/** Busier than this it works on something, in ticks a look. */
const QUIET_TICKS = 2;
const LOOK_MILLISECONDS = 250;
const LONGEST_WAIT_MILLISECONDS = 300_000;

/** Processor time of a process so far, user and system, in seconds. */
export function processorSeconds(pid: number): number {
  // The name of the program, in parentheses, may hold anything.
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) (?!.*\) )/s);
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Waits until the server does nothing to speak of for half a second, such as collecting the garbage of what it did. */
export async function untilQuiet(pid: number): Promise<void> {
  const end = Date.now() + LONGEST_WAIT_MILLISECONDS;
  for (let quiet = 0, before = processorSeconds(pid); quiet < 2; ) {
    if (Date.now() > end)
      throw new Error(`Waited ${LONGEST_WAIT_MILLISECONDS / 1000} s for process ${pid} to be quiet.`);
    await sleep(LOOK_MILLISECONDS);
    const now = processorSeconds(pid);
    quiet = (now - before) * TICKS_PER_SECOND < QUIET_TICKS ? quiet + 1 : 0;
    before = now;
  }
}

/** Collects the garbage of earlier work, so that it does not count as that of the next. Both servers are written in Go. */
export async function collectGarbage(url: string): Promise<void> {
  const response = await fetch(`${url}/debug/pprof/heap?gc=1`);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`Expected ${url} to collect its garbage, got status ${response.status}.`);
}
