/** Runs a training in a thread of its own, so that scrapes are answered meanwhile. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../lib/logging/message-of.js';
import { decodeModelInTurns } from '../model/snapshot/codec.js';
import { PrometheusError } from '../prometheus/errors.js';
import { TRAINING_REQUEST_TIMEOUT_SECONDS, type TrainingResult } from './job.js';
import type { WorkerInput, WorkerMessage } from './worker.js';

export interface TrainedModel extends TrainingResult {
  /** End of the training, Unix time in seconds. */
  readonly trainedSeconds: number;
  /** The model as it came from the thread, and as it is saved. The model shares its memory. */
  readonly snapshot: Uint8Array;
}

/** A training that ended without a model. The message is the one of the error in the worker. */
export class TrainingFailedError extends Error {
  override readonly name = 'TrainingFailedError';
}

/** There are no pods to train on, which is not an error. */
export class NothingToTrainOnError extends Error {
  override readonly name = 'NothingToTrainOnError';

  /** @param retryAfterSeconds When that may have changed. */
  constructor(
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super(message);
  }
}

/** Bounds of the time for a training, in seconds: several slow requests, and not for ever. */
const SHORTEST_LIMIT_SECONDS = 5 * TRAINING_REQUEST_TIMEOUT_SECONDS;
const LONGEST_LIMIT_SECONDS = 3600;

/**
 * Time for a training as a whole, in seconds: it ends before the next one is due, which would have to wait for it.
 *
 * @param intervalSeconds time until the next training.
 */
export function trainingLimitSeconds(intervalSeconds: number): number {
  return Math.min(Math.max(intervalSeconds, SHORTEST_LIMIT_SECONDS), LONGEST_LIMIT_SECONDS);
}

/**
 * The share of this thread's heap that the training may use besides: Node would give it a whole heap of its own, for
 * which a container has no memory. 10,000 pods train in 128 MiB, 100,000 in 384 MiB; tables are not on a heap.
 */
const HEAP_SHARE = 0.5;

/**
 * Young objects of the training are collected whenever there are this many MiB of them. Node would let 48 MiB gather, most
 * of them garbage: what a training keeps is in typed arrays, which are not on the heap.
 */
const YOUNG_HEAP_MEBIBYTES = 8;

/**
 * Trains in a worker thread.
 *
 * @param signal ends the thread at once.
 * @param onRequest called with the HTTP status, or `error`, of each request to Prometheus.
 * @param limitSeconds ends the thread after this time.
 * @param heapMebibytes the thread ends when it needs more, and nothing else does.
 * @throws {PrometheusError} as in the thread, when Prometheus does not answer.
 * @throws {TrainingFailedError} with any other reason in words.
 */
export function trainInWorker(
  input: WorkerInput,
  signal: AbortSignal,
  onRequest: (code: string) => void,
  limitSeconds: number,
  heapMebibytes = Math.floor((HEAP_SHARE * getHeapStatistics().heap_size_limit) / 2 ** 20),
): Promise<TrainedModel> {
  return new Promise((resolve, reject) => {
    const fail = (message: string) => reject(new TrainingFailedError(message));
    if (signal.aborted) {
      fail('The training was stopped before it began.');
      return;
    }
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: input,
      resourceLimits: {
        maxOldGenerationSizeMb: heapMebibytes,
        maxYoungGenerationSizeMb: YOUNG_HEAP_MEBIBYTES,
      },
    });
    const stop = () => void worker.terminate();
    signal.addEventListener('abort', stop, { once: true });
    const limit = setTimeout(() => {
      fail(
        `Expected the training to end within ${limitSeconds} s, got no model. Is Prometheus slow? Else make the ` +
          'queries select less (NAMESPACE_REGEX, TRAINING_LOOKBACK_MINUTES).',
      );
      stop();
    }, limitSeconds * 1000);
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'request') onRequest(message.code);
      else if (message.kind === 'trained') resolve(read(message));
      else if (message.kind === 'failed') fail(message.message);
      else reject(new PrometheusError(...message.error));
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      fail(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? `Expected the training to need at most ${heapMebibytes} MiB of heap, half of what this process has, but it ` +
              'needs more. Lower MAX_PODS, narrow NAMESPACE_REGEX, or give the process more memory ' +
              '(NODE_OPTIONS=--max-old-space-size=…).'
          : `The training thread failed: ${error.message}`,
      );
    });
    worker.on('exit', (code) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', stop);
      // After an outcome this has no effect.
      fail(`The training thread ended without an outcome (exit code ${code}).`);
    });
  });
}

/** A model that could not be loaded after a restart does not score before it either. */
async function read({
  kind: _,
  ...result
}: Extract<WorkerMessage, { readonly kind: 'trained' }>): Promise<TrainedModel> {
  try {
    return { ...result, model: await decodeModelInTurns(result.snapshot, nextTurn) };
  } catch (error) {
    throw new TrainingFailedError(`The trained model is not valid: ${messageOf(error)}.`);
  }
}
