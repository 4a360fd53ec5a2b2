/** The built program as a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually, within } from './waiting.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** How a process ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running program. */
export interface Program {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Sends a signal to this process. */
  kill(signal: NodeJS.Signals): void;
  /** Waits for the end. */
  ended(milliseconds?: number): Promise<ProgramEnd>;
  /** Waits for the line of the log that tells the address, and gives the address. */
  listening(): Promise<string>;
}

const running = new Set<ChildProcess>();

/** Where the program writes to: a descriptor, or by default what `stdout` and `stderr` give. */
interface Outputs {
  readonly stdout?: number | 'pipe';
  readonly stderr?: number | 'pipe';
}

/** Starts the program with these arguments and only these settings. */
export function startProgram(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  { stdout: out = 'pipe', stderr: err = 'pipe' }: Outputs = {},
): Program {
  const child = spawn(process.execPath, [MAIN, ...parameters], {
    // The coverage of a child is measured where that of its parent is.
    env: { PATH: process.env.PATH, NODE_V8_COVERAGE: process.env.NODE_V8_COVERAGE, ...environment },
    stdio: ['ignore', out, err],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // `close` comes after the last output.
  const end = once(child, 'close').then(([code, signal]): ProgramEnd => {
    running.delete(child);
    return { code, signal };
  });
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => void child.kill(signal),
    ended: (milliseconds = 60_000) =>
      within(milliseconds, 'the program to end', end).catch((error: Error) => {
        throw new Error(`${error.message} It said:\n${stderr}`);
      }),
    listening: () =>
      eventually(() => {
        const address = /Listening on (https?:\/\/[^\s"]+:\d+)\./.exec(stderr)?.[1];
        if (address === undefined) throw new Error(`The program does not listen. It said:\n${stderr}`);
        return address;
      }),
  };
}

/** For `afterEach`: ends what a test has left behind. */
export async function endPrograms(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const end = once(child, 'close');
      child.kill('SIGKILL');
      await end;
    }),
  );
}
