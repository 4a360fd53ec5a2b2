/** The body of the worker thread: one training, then the end. */

import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../logging/logger.js';
import { createPrometheusClient } from '../prometheus/client.js';
import { type TrainingRequest, type TrainingResult, train } from './job.js';

/** What the thread is started with. */
export interface WorkerInput {
  readonly prometheusUrl: string;
  readonly request: TrainingRequest;
}

/** What the thread says: each request to Prometheus as it ends, then the outcome. */
export type WorkerMessage =
  | { readonly kind: 'request'; readonly code: string }
  | { readonly kind: 'trained'; readonly result: TrainingResult }
  | { readonly kind: 'failed'; readonly message: string };

async function run({ prometheusUrl, request }: WorkerInput): Promise<void> {
  const post = (message: WorkerMessage) => parentPort?.postMessage(message);
  const api = createPrometheusClient({
    baseUrl: prometheusUrl,
    onRequest: (code) => post({ kind: 'request', code }),
  });
  // The thread that started this one ends it as a whole; nothing here has to abort.
  const never = new AbortController().signal;
  try {
    post({ kind: 'trained', result: await train(api, request, never) });
  } catch (error) {
    post({ kind: 'failed', message: messageOf(error) });
  }
}

await run(workerData as WorkerInput);
