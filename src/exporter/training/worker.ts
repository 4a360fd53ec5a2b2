/** The body of a worker thread: one job, then the end. */

import { isDeepStrictEqual } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/logging/message-of.js';
import { describeSource, type OpenPrometheus, openSource, type PrometheusSource } from '../connect.js';
import { fetchHours, type HoursRequest, instantsOfHours } from '../history/fetch-hours.js';
import type { HourSummary } from '../history/hour-summary.js';
import { decodeModel } from '../model/snapshot/codec.js';
import { encodeSnapshot } from '../model/snapshot/snapshot.js';
import { PrometheusError } from '../prometheus/errors.js';
import { PartialAnswers } from '../prometheus/partial-answers.js';
import { type TrainingRequest, type TrainingResult, train } from './job.js';
import { buffersOfSamples, type KeptSamples, KnownSamples } from './known-samples.js';

/** What a thread can do. */
export type ThreadJob =
  | {
      readonly kind: 'training';
      readonly request: TrainingRequest;
      /** The snapshot of the model that this one replaces. */
      readonly previous?: Uint8Array;
      /** What the training before has kept. */
      readonly samples?: KeptSamples;
    }
  | { readonly kind: 'hours'; readonly request: HoursRequest };

export interface WorkerInput<Job extends ThreadJob = ThreadJob> {
  readonly source: PrometheusSource;
  readonly job: Job;
}

/** What each kind of job comes to. */
interface Results {
  training: Omit<TrainingResult, 'model'> & {
    readonly snapshot: Uint8Array<ArrayBuffer>;
    readonly trainedSeconds: number;
    readonly samples: KeptSamples;
  };
  hours: HoursRead;
}

export type JobResult<Job extends ThreadJob> = Results[Job['kind']];

/** Hours that were read. */
export interface HoursRead {
  readonly summaries: readonly HourSummary[];
  /** How long that took. */
  readonly seconds: number;
  /** Why they may be incomplete; `undefined` if they are not. */
  readonly warning: string | undefined;
}

/** What the thread says: each request to Prometheus as it ends, then the outcome. */
export type JobMessage =
  | { readonly kind: 'request'; readonly code: string }
  | { readonly kind: 'done'; readonly result: JobResult<ThreadJob> }
  /** A failure of Prometheus, of which the other thread makes the same error. */
  | (FailedJob & { readonly kind: 'unanswered'; readonly error: ConstructorParameters<typeof PrometheusError> })
  | (FailedJob & { readonly kind: 'failed'; readonly message: string });

interface FailedJob {
  /** What a training had read until then, for the next one. */
  readonly samples?: KeptSamples | undefined;
}

const post = (message: JobMessage, transferred: readonly ArrayBuffer[] = []) =>
  parentPort?.postMessage(message, transferred);

async function run({ source, job }: WorkerInput): Promise<void> {
  const work = job.kind === 'training' ? training(source, job) : readingOfHours(source, job.request);
  await work().catch((error: unknown) => fail(error));
}

function fail(error: unknown, samples?: KeptSamples): void {
  post(
    error instanceof PrometheusError
      ? { kind: 'unanswered', error: [error.kind, error.got, error.details], samples }
      : { kind: 'failed', message: messageOf(error), samples },
    samples && buffersOfSamples(samples),
  );
}

function training(
  source: PrometheusSource,
  { request, previous, samples: kept }: Extract<ThreadJob, { kind: 'training' }>,
): () => Promise<void> {
  // A training keeps to the namespaces that it began with.
  const { api, namespaces: shard } = open(source, request.nowSeconds);
  let left = () => kept;
  const work = async () => {
    const namespaces = await shard?.get();
    const isSame = kept !== undefined && isDeepStrictEqual(kept.namespaces, namespaces);
    const known = new KnownSamples(isSame ? kept : undefined);
    left = () => known.keep(namespaces);
    const { model, ...rest } = await train(api, request, undefined, previous && decodeModel(previous), known);
    const trainedSeconds = Date.now() / 1000;
    const configuration = { ...request, source: describeSource(source) };
    const snapshot = encodeSnapshot(model, trainedSeconds, configuration);
    const samples = known.keep(namespaces);
    const transferred = [snapshot.buffer, ...buffersOfSamples(samples)];
    post({ kind: 'done', result: { snapshot, trainedSeconds, samples, ...rest } }, transferred);
  };
  return () => work().catch((error: unknown) => fail(error, left()));
}

function readingOfHours(source: PrometheusSource, request: HoursRequest): () => Promise<void> {
  const { startSeconds, endSeconds } = instantsOfHours(request);
  // A shard of that time: namespaces that are gone had pods then, and the list is the same whenever it is asked for.
  const sharding = source.sharding && { ...source.sharding, windowSeconds: endSeconds - startSeconds };
  const api = new PartialAnswers(open({ ...source, sharding }, endSeconds).api);
  return async () => {
    const started = performance.now();
    const summaries = await fetchHours(api, request);
    const { warning } = api;
    const seconds = (performance.now() - started) / 1000;
    const arrays = summaries.flatMap((summary) => Object.values(summary).filter((value) => ArrayBuffer.isView(value)));
    post(
      { kind: 'done', result: { summaries, seconds, warning } },
      arrays.map(({ buffer }) => buffer as ArrayBuffer),
    );
  };
}

/** The client of the other thread warns of files that cannot be read. */
function open(source: PrometheusSource, nowSeconds: number): OpenPrometheus {
  return openSource(source, { onRequest: (code) => post({ kind: 'request', code }), now: () => nowSeconds * 1000 });
}

// Not awaited: Node.js 20 crashes as a whole where a thread is ended while a module with a top-level await is evaluated.
void run(workerData as WorkerInput);
