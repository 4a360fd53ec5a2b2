/** Processes that help to measure, and end with the one that started them. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process that was started, and its first message. */
export interface Child<Message> {
  readonly first: Message;
  stop(): Promise<void>;
}

/**
 * Starts a file of this folder and waits for its first message.
 *
 * @throws {Error} when the process ends without one.
 */
export async function startChild<Message>(
  file: string,
  parameters: readonly string[],
  execArgv: readonly string[] = [],
): Promise<Child<Message>> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, parameters, {
    execArgv: [...execArgv],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code} before it said anything.`);
  });
  // After the first message the end is nothing new.
  ended.catch(() => undefined);
  const [first] = await Promise.race([once(child, 'message'), ended]);
  return { first: first as Message, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = once(child, 'exit');
  child.kill('SIGKILL');
  await end;
}
