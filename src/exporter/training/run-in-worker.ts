/** Trainings, and reading hours of the past, in a thread. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '../../lib/logging/message-of.js';
import type { PrometheusSource } from '../connect.js';
import type { HoursRequest } from '../history/fetch-hours.js';
import { decodeModelInTurns } from '../model/snapshot/codec.js';
import { TRAINING_REQUEST_TIMEOUT_SECONDS, type TrainingRequest, type TrainingResult } from './job.js';
import { buffersOfSamples, type KeptSamples } from './known-samples.js';
import { runInThread, ThreadError } from './thread.js';
import type { HoursRead } from './worker.js';

export interface TrainedModel extends TrainingResult {
  /** End of the training, Unix time in seconds. */
  readonly trainedSeconds: number;
  /** The model as it came from the thread, and as it is saved. The model shares its memory. */
  readonly snapshot: Uint8Array;
}

/** A model, and what was read for it. */
export interface WorkerTraining extends TrainedModel {
  /** For the next training. */
  readonly samples: KeptSamples;
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
 * Trains in a worker thread, which takes over the arrays of the history in the request and those of `samples`, what the
 * training before has read, and gets a copy of `previous`, the snapshot of the model that the new one replaces.
 *
 * @param signal ends the thread at once.
 * @param onRequest called with the HTTP status, or `error`, of each request to Prometheus.
 * @param limitSeconds ends the thread after this time.
 * @param heapMebibytes the thread ends when it needs more, and nothing else does.
 * @throws {PrometheusError} as in the thread, when Prometheus does not answer.
 * @throws {ThreadError} with any other reason in words.
 */
export async function trainInWorker(
  {
    source,
    request,
    previous,
    samples,
    onSamples,
  }: {
    readonly source: PrometheusSource;
    readonly request: TrainingRequest;
    readonly previous?: Uint8Array | undefined;
    readonly samples?: KeptSamples | undefined;
    /** Called with what a training that fails has read until then, and what it was given. */
    readonly onSamples?: (samples: KeptSamples) => void;
  },
  signal: AbortSignal,
  onRequest: (code: string) => void,
  limitSeconds: number,
  heapMebibytes?: number,
): Promise<WorkerTraining> {
  const { history } = request;
  const arrays = history === undefined ? [] : Object.values(history.columns);
  const result = await runInThread(
    { source, job: { kind: 'training', request, ...(previous && { previous }), ...(samples && { samples }) } },
    {
      signal,
      onRequest,
      limitSeconds,
      ...(heapMebibytes !== undefined && { heapMebibytes }),
      ...(onSamples && { onSamples }),
      what: 'training',
      advice: 'Is Prometheus slow? Else make the queries select less (NAMESPACE_REGEX, TRAINING_LOOKBACK_MINUTES).',
      transferred: [
        ...arrays.map(({ buffer }) => buffer as ArrayBuffer),
        ...(samples === undefined ? [] : buffersOfSamples(samples)),
      ],
    },
  );
  try {
    return { ...result, model: await decodeModelInTurns(result.snapshot, nextTurn) };
  } catch (error) {
    // A model that could not be loaded after a restart does not score before it either.
    throw new ThreadError(`The trained model is not valid: ${messageOf(error)}.`);
  }
}

/** Time for a stretch of hours as a whole, in seconds. */
const HOURS_LIMIT_SECONDS = 600;

/**
 * Reads hours of the past in a worker thread.
 *
 * @param signal ends the thread at once.
 * @param onRequest called with the HTTP status, or `error`, of each request to Prometheus.
 * @throws {PrometheusError} as in the thread, when Prometheus does not answer.
 * @throws {ThreadError} with any other reason in words.
 */
export function readHoursInWorker(
  { source, request }: { readonly source: PrometheusSource; readonly request: HoursRequest },
  signal: AbortSignal,
  onRequest: (code: string) => void,
): Promise<HoursRead> {
  return runInThread(
    { source, job: { kind: 'hours', request } },
    {
      signal,
      onRequest,
      limitSeconds: HOURS_LIMIT_SECONDS,
      what: 'reading of past hours',
      advice: 'Is Prometheus slow? Else make the queries select less (NAMESPACE_REGEX), or set HISTORY_DAYS=0.',
    },
  );
}
