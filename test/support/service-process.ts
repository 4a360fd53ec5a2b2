/** The exporter in a process of its own, whose memory, handles, clock and training thread a test can reach. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Held, ServiceCommand, ServiceReply } from './measured-service.js';
import { within } from './waiting.js';

const BODY = fileURLToPath(new URL('./measured-service.js', import.meta.url));
const REPLY_LIMIT_MILLISECONDS = 20_000;

type Reply<Kind extends ServiceReply['kind']> = Extract<ServiceReply, { readonly kind: Kind }>;

export interface ServiceProcess {
  readonly url: string;
  readonly pid: number;
  /** Its log so far. */
  readonly log: () => string;
  measure(): Promise<Held>;
  shiftClock(milliseconds: number): Promise<void>;
  /**
   * Lets the next scrape be of another minute than the last: of an earlier one, and then of this one again. The schedule of
   * trainings takes no less than this for a clock that was set back.
   */
  turnMinute(): Promise<void>;
  /** @returns whether there was one. */
  killTraining(): Promise<boolean>;
  /** Closes the service and waits for the process to end by itself, which it only does when nothing is left open. */
  stop(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** For `after`: ends what is left. */
  kill(): Promise<void>;
}

/** @param parameters of Node.js, besides `--expose-gc`. */
export async function startServiceProcess(
  environment: Readonly<Record<string, string>>,
  parameters: readonly string[] = [],
): Promise<ServiceProcess> {
  const child = fork(BODY, [], {
    env: {
      PATH: process.env.PATH,
      NODE_V8_COVERAGE: process.env.NODE_V8_COVERAGE,
      HOST: '127.0.0.1',
      PORT: '0',
      ...environment,
    },
    execArgv: ['--expose-gc', ...parameters],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const replyOf = async <Kind extends ServiceReply['kind']>(kind: Kind): Promise<Reply<Kind>> => {
    const reply = once(child, 'message') as Promise<[ServiceReply]>;
    const early = ended.then(() => {
      throw new Error(`The service ended. It said:\n${log}`);
    });
    const [message] = await within(REPLY_LIMIT_MILLISECONDS, `the reply ${kind}`, Promise.race([reply, early]));
    if (message.kind !== kind) throw new Error(`Expected the reply ${kind}, got ${message.kind}.`);
    return message as Reply<Kind>;
  };
  const tell = <Kind extends ServiceCommand['kind']>(
    command: Extract<ServiceCommand, { readonly kind: Kind }>,
  ): Promise<Reply<Kind>> => {
    const reply = replyOf<Kind>(command.kind as Kind);
    child.send(command);
    return reply;
  };
  const { url } = await replyOf('listening');
  let isEarlier = false;
  return {
    url,
    pid: child.pid as number,
    log: () => log,
    measure: async () => (await tell<'measure'>({ kind: 'measure' })).held,
    shiftClock: async (milliseconds) => {
      await tell<'shift_clock'>({ kind: 'shift_clock', milliseconds });
    },
    turnMinute: async () => {
      isEarlier = !isEarlier;
      await tell<'shift_clock'>({ kind: 'shift_clock', milliseconds: isEarlier ? -120_000 : 0 });
    },
    killTraining: async () => (await tell<'kill_training'>({ kind: 'kill_training' })).killed,
    stop: async () => {
      await tell<'stop'>({ kind: 'stop' });
      const [code, signal] = await within(60_000, 'the process to end', ended);
      return { code, signal };
    },
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await ended;
    },
  };
}
