/** Runs a training in a thread of its own, so that scrapes are answered meanwhile. */

import { Worker } from 'node:worker_threads';
import { TRAINING_REQUEST_TIMEOUT_SECONDS, type TrainingResult } from './job.js';
import type { WorkerInput, WorkerMessage } from './worker.js';

/** A training that ended without a model. The message is the one of the error in the worker. */
export class TrainingFailedError extends Error {
  override readonly name = 'TrainingFailedError';

  /** @param retryAfterSeconds How long Prometheus asks to wait before the next try. */
  constructor(
    message: string,
    readonly retryAfterSeconds?: number,
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
 * Trains in a worker thread.
 *
 * @param signal ends the thread at once.
 * @param onRequest called with the HTTP status, or `error`, of each request to Prometheus.
 * @param limitSeconds ends the thread after this time.
 * @throws {TrainingFailedError} with the reason in words.
 */
export function trainInWorker(
  input: WorkerInput,
  signal: AbortSignal,
  onRequest: (code: string) => void,
  limitSeconds: number,
): Promise<TrainingResult> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new TrainingFailedError('The training was stopped before it began.'));
      return;
    }
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: input });
    const stop = () => void worker.terminate();
    signal.addEventListener('abort', stop, { once: true });
    const limit = setTimeout(() => {
      reject(
        new TrainingFailedError(
          `Expected the training to end within ${limitSeconds} s, got no model. Is Prometheus slow? Else make the ` +
            'queries select less (NAMESPACE_REGEX, TRAINING_LOOKBACK_MINUTES).',
        ),
      );
      stop();
    }, limitSeconds * 1000);
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'request') onRequest(message.code);
      else if (message.kind === 'trained') resolve(message.result);
      else reject(new TrainingFailedError(message.message, message.retryAfterSeconds));
    });
    worker.on('error', (error) => {
      reject(new TrainingFailedError(`The training thread failed: ${error.message}`));
    });
    worker.on('exit', (code) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', stop);
      // After an outcome this has no effect.
      reject(new TrainingFailedError(`The training thread ended without an outcome (exit code ${code}).`));
    });
  });
}
