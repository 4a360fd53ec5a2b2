/**
 * The body of a process that runs the exporter and can be asked how much it holds: started with `--expose-gc` by
 * `service-process.ts`, with the settings in its environment.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { type RunningService, startService } from '../../src/exporter/serve.js';
import { createLogger } from '../../src/lib/logging/logger.js';
import { shiftClock } from './shifted-clock.js';

/** What the process can be told. Each is answered by a `ServiceReply` of the same kind. */
export type ServiceCommand =
  | { readonly kind: 'measure' }
  /** From now on the clock is wrong by so much. */
  | { readonly kind: 'shift_clock'; readonly milliseconds: number }
  /** Ends the training thread; `killed` tells whether there was one. */
  | { readonly kind: 'kill_training' }
  | { readonly kind: 'stop' };

/** What the process holds, after a garbage collection. */
export interface Held {
  readonly heapBytes: number;
  /** Buffers and the like. */
  readonly externalBytes: number;
  /** The most memory that the process has ever had, in bytes. */
  readonly peakBytes: number;
  /** Sockets, servers, timers, … by name. */
  readonly handles: Readonly<Record<string, number>>;
}

export type ServiceReply =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'measure'; readonly held: Held }
  | { readonly kind: 'shift_clock' }
  | { readonly kind: 'kill_training'; readonly killed: boolean }
  | { readonly kind: 'stop' };

const workers = new Set<Worker>();
process.on('worker', (worker: Worker) => {
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
});

async function measure(): Promise<Held> {
  // What a collection sets free may free more in the next one: weak references, finalizers.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await sleep(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  const handles: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1;
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    handles,
  };
}

async function obey(command: ServiceCommand, service: RunningService): Promise<ServiceReply> {
  switch (command.kind) {
    case 'measure':
      return { kind: 'measure', held: await measure() };
    case 'shift_clock':
      shiftClock(command.milliseconds);
      return { kind: 'shift_clock' };
    case 'kill_training': {
      const killed = workers.size > 0;
      await Promise.all([...workers].map((worker) => worker.terminate()));
      return { kind: 'kill_training', killed };
    }
    case 'stop':
      await service.close();
      return { kind: 'stop' };
  }
}

const { settings } = parseSettings(process.env);
const service = await startService(settings, createLogger({ level: settings.logLevel, format: settings.logFormat }));
const reply = (message: ServiceReply) => process.send?.(message);
process.on('message', async (command: ServiceCommand) => {
  reply(await obey(command, service));
  // Without the channel nothing is left that keeps the process alive, if the service let go of everything.
  if (command.kind === 'stop') process.disconnect();
});
reply({ kind: 'listening', url: service.url });
