/** The body of the worker thread: one training, then the end. */

import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/logging/message-of.js';
import { openSource, type PrometheusSource } from '../connect.js';
import type { Model } from '../model/model.js';
import { type ModelParcel, packModel } from '../model/parcel.js';
import { decodeModel, encodeModel } from '../model/snapshot/codec.js';
import { PrometheusError } from '../prometheus/errors.js';
import { type TrainingRequest, type TrainingResult, train } from './job.js';

/** What the thread is started with. */
export interface WorkerInput {
  readonly source: PrometheusSource;
  readonly request: TrainingRequest;
  /** Whether the model shall come as bytes too. */
  readonly encode?: boolean;
}

/** What the thread says: each request to Prometheus as it ends, then the outcome. */
export type WorkerMessage =
  | { readonly kind: 'request'; readonly code: string }
  | {
      readonly kind: 'trained';
      readonly result: Omit<TrainingResult, 'model'>;
      readonly parcel: ModelParcel;
    }
  /** A failure of Prometheus, of which the other thread makes the same error. */
  | {
      readonly kind: 'unanswered';
      readonly error: Pick<PrometheusError, 'kind' | 'got' | 'details'>;
    }
  | { readonly kind: 'failed'; readonly message: string };

async function run({ source, request, encode = false }: WorkerInput): Promise<void> {
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
    const encoded = encode ? encodeSafely(model) : undefined;
    const { parcel, buffers } = packModel(model);
    if (encoded !== undefined && 'bytes' in encoded) buffers.push(encoded.bytes.buffer);
    post({ kind: 'trained', result: encoded === undefined ? rest : { ...rest, encoded }, parcel }, buffers);
  } catch (error) {
    if (error instanceof PrometheusError) {
      const { kind, got, details } = error;
      post({ kind: 'unanswered', error: { kind, got, details } });
    } else post({ kind: 'failed', message: messageOf(error) });
  }
}

/** Reads back what it wrote: what could not be loaded shall not replace what can. */
function encodeSafely(model: Model) {
  try {
    const bytes = encodeModel(model);
    decodeModel(bytes);
    return { bytes };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

await run(workerData as WorkerInput);
