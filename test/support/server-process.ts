/** Servers of other projects, each in a process of its own that no test leaves behind. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningServer } from '../../src/tools/demo/listen.js';

const READY_LIMIT_MILLISECONDS = 30_000;
const STOP_LIMIT_MILLISECONDS = 10_000;
const LONGEST_LOG = 4000;

/** A server in a process of its own. */
export interface RealServer extends RunningServer {
  readonly pid: number;
  /** The end of what it wrote to its standard error. */
  readonly log: () => string;
}

export interface ServerProcess {
  readonly program: string;
  readonly parameters: readonly string[];
  /** Where it is reached. */
  readonly url: string;
  readonly isReady: () => Promise<boolean>;
  /** How long it may take to be ready, and to end before it is ended. */
  readonly patienceMilliseconds?: number;
}

/** Linux ends a program that this one starts when the parent ends, also where the parent was killed. Elsewhere nothing does. */
const WITH_PARENT: readonly string[] = ['setpriv', '--pdeathsig', 'KILL'];
const endsWithParent = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { timeout: 10_000 }).status === 0;

/** Starts a server and waits until it is ready. @throws Error with the end of its log if it is not */
export async function startServerProcess({
  program,
  parameters,
  url,
  isReady,
  patienceMilliseconds,
}: ServerProcess): Promise<RealServer> {
  const [command = program, ...own] = [...(endsWithParent ? WITH_PARENT : []), program, ...parameters];
  const child = spawn(command, own, { stdio: ['ignore', 'ignore', 'pipe'] });
  // Where nobody has stopped it.
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('close', () => process.removeListener('exit', end));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LONGEST_LOG);
  });
  try {
    await once(child, 'spawn');
    await untilReady(child, isReady, patienceMilliseconds);
  } catch (error) {
    await stop(child, patienceMilliseconds);
    throw new Error(`${program} did not start. It said:\n${said}`, { cause: error });
  }
  return { url, pid: child.pid as number, log: () => said, close: () => stop(child, patienceMilliseconds) };
}

async function untilReady(
  child: ChildProcess,
  isReady: () => Promise<boolean>,
  limitMilliseconds = READY_LIMIT_MILLISECONDS,
): Promise<void> {
  const deadline = AbortSignal.timeout(limitMilliseconds);
  for (;;) {
    if (child.exitCode !== null) throw new Error(`It ended with status ${child.exitCode}.`);
    if (await isReady()) return;
    deadline.throwIfAborted();
    await sleep(100);
  }
}

/** Asks it to end; insists after a while. */
async function stop(child: ChildProcess, limitMilliseconds = STOP_LIMIT_MILLISECONDS): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), limitMilliseconds);
  await exited;
  clearTimeout(insist);
}
