/** Runs a training in a thread of its own, so that scrapes are answered meanwhile. */

import { Worker } from 'node:worker_threads';
import type { TrainingResult } from './job.js';
import type { WorkerInput, WorkerMessage } from './worker.js';

/** A training that ended without a model. The message is the one of the error in the worker. */
export class TrainingFailedError extends Error {
  override readonly name = 'TrainingFailedError';
}

/**
 * Trains in a worker thread.
 *
 * @param signal ends the thread at once.
 * @param onRequest called with the HTTP status, or `error`, of each request to Prometheus.
 * @throws {TrainingFailedError} with the reason in words.
 */
export function trainInWorker(
  input: WorkerInput,
  signal: AbortSignal,
  onRequest: (code: string) => void,
): Promise<TrainingResult> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new TrainingFailedError('The training was stopped before it began.'));
      return;
    }
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: input });
    const stop = () => void worker.terminate();
    signal.addEventListener('abort', stop, { once: true });
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'request') onRequest(message.code);
      else if (message.kind === 'trained') resolve(message.result);
      else reject(new TrainingFailedError(message.message));
    });
    worker.on('error', (error) => {
      reject(new TrainingFailedError(`The training thread failed: ${error.message}`));
    });
    worker.on('exit', (code) => {
      signal.removeEventListener('abort', stop);
      // After an outcome this has no effect.
      reject(new TrainingFailedError(`The training thread ended without an outcome (exit code ${code}).`));
    });
  });
}
