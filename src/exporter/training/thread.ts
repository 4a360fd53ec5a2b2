/** Runs one job in a thread of its own, so that scrapes are answered meanwhile. */

import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { PrometheusError } from '../prometheus/errors.js';
import type { KeptSamples } from './known-samples.js';
import type { JobMessage, JobResult, ThreadJob, WorkerInput } from './worker.js';

/** A job that ended without a result. The message is the one of the error in the thread. */
export class ThreadError extends Error {
  override readonly name = 'ThreadError';
}

/** What a job may take, and what to say where it takes more. */
export interface ThreadOptions {
  /** Ends the thread at once. */
  readonly signal: AbortSignal;
  /** Called with the HTTP status, or `error`, of each request to Prometheus. */
  readonly onRequest: (code: string) => void;
  /** Ends the thread after this time. */
  readonly limitSeconds: number;
  /** The job in messages: `training`. */
  readonly what: string;
  /** What makes the job shorter: a sentence. */
  readonly advice: string;
  /** The thread ends when it needs more, and nothing else does. */
  readonly heapMebibytes?: number;
  /** Called with what a job that failed had read until then. */
  readonly onSamples?: (samples: KeptSamples) => void;
  /** Buffers of the input that are handed over, so that they are not copied: they are empty here from then on. */
  readonly transferred?: readonly ArrayBuffer[];
}

/**
 * The share of this thread's heap that a job may use besides: Node would give it a whole heap of its own, for which a
 * container has no memory. Tables are not on a heap.
 */
const HEAP_SHARE = 0.5;

/**
 * Young objects of the job are collected whenever there are this many MiB of them. Node would let 48 MiB gather, most of
 * them garbage: what a job keeps is in typed arrays, which are not on the heap.
 */
const YOUNG_HEAP_MEBIBYTES = 8;

/**
 * Runs a job in a worker thread.
 *
 * @throws {PrometheusError} as in the thread, when Prometheus does not answer.
 * @throws {ThreadError} with any other reason in words.
 */
export function runInThread<Job extends ThreadJob>(
  input: WorkerInput<Job>,
  {
    signal,
    onRequest,
    limitSeconds,
    what,
    advice,
    heapMebibytes = Math.floor((HEAP_SHARE * getHeapStatistics().heap_size_limit) / 2 ** 20),
    onSamples = () => undefined,
    transferred = [],
  }: ThreadOptions,
): Promise<JobResult<Job>> {
  return new Promise((resolve, reject) => {
    const fail = (message: string) => reject(new ThreadError(message));
    if (signal.aborted) {
      fail(`The ${what} was stopped before it began.`);
      return;
    }
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: input,
      transferList: [...transferred],
      resourceLimits: {
        maxOldGenerationSizeMb: heapMebibytes,
        maxYoungGenerationSizeMb: YOUNG_HEAP_MEBIBYTES,
      },
    });
    const stop = () => void worker.terminate();
    signal.addEventListener('abort', stop, { once: true });
    const limit = setTimeout(() => {
      fail(`Expected the ${what} to end within ${limitSeconds} s, got no result. ${advice}`);
      stop();
    }, limitSeconds * 1000);
    worker.on('message', (message: JobMessage) => {
      if (message.kind === 'request') onRequest(message.code);
      else if (message.kind === 'done') resolve(message.result as JobResult<Job>);
      else {
        if (message.samples !== undefined) onSamples(message.samples);
        if (message.kind === 'failed') fail(message.message);
        else reject(new PrometheusError(...message.error));
      }
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      fail(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? `Expected the ${what} to need at most ${heapMebibytes} MiB of heap, half of what this process has, but it ` +
              'needs more. Lower MAX_PODS, narrow NAMESPACE_REGEX, or give the process more memory ' +
              '(NODE_OPTIONS=--max-old-space-size=…).'
          : `The thread of the ${what} failed: ${error.message}`,
      );
    });
    worker.on('exit', (code) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', stop);
      // After an outcome this has no effect.
      fail(`The thread of the ${what} ended without an outcome (exit code ${code}).`);
    });
  });
}
