/** The body of the worker thread: one training, then the end. */

import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/logging/message-of.js';
import { describeSource, openSource, type PrometheusSource } from '../connect.js';
import { encodeSnapshot } from '../model/snapshot/snapshot.js';
import { PrometheusError } from '../prometheus/errors.js';
import { type TrainingRequest, type TrainingResult, train } from './job.js';

export interface WorkerInput {
  readonly source: PrometheusSource;
  readonly request: TrainingRequest;
}

/** What the thread says: each request to Prometheus as it ends, then the outcome. */
export type WorkerMessage =
  | { readonly kind: 'request'; readonly code: string }
  | ({
      readonly kind: 'trained';
      readonly snapshot: Uint8Array<ArrayBuffer>;
      readonly trainedSeconds: number;
    } & Omit<TrainingResult, 'model'>)
  /** A failure of Prometheus, of which the other thread makes the same error. */
  | { readonly kind: 'unanswered'; readonly error: ConstructorParameters<typeof PrometheusError> }
  | { readonly kind: 'failed'; readonly message: string };

async function run({ source, request }: WorkerInput): Promise<void> {
  const post = (message: WorkerMessage, transferred: readonly ArrayBuffer[] = []) =>
    parentPort?.postMessage(message, transferred);
  const { api } = openSource(source, {
    // The client of the other thread warns of files that cannot be read.
    onRequest: (code) => post({ kind: 'request', code }),
    // A training keeps to the namespaces that it began with.
    now: () => request.nowSeconds * 1000,
  });
  try {
    const { model, ...rest } = await train(api, request);
    const trainedSeconds = Date.now() / 1000;
    const configuration = { ...request, source: describeSource(source) };
    const snapshot = encodeSnapshot(model, trainedSeconds, configuration);
    post({ kind: 'trained', snapshot, trainedSeconds, ...rest }, [snapshot.buffer]);
  } catch (error) {
    post(
      error instanceof PrometheusError
        ? { kind: 'unanswered', error: [error.kind, error.got, error.details] }
        : { kind: 'failed', message: messageOf(error) },
    );
  }
}

await run(workerData as WorkerInput);
