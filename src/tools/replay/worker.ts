/** The body of a replaying thread: one chunk after the other, until it is ended. */

import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../lib/logging/message-of.js';
import type { ChunkPlots, ChunkResult } from './chunk-result.js';
import { History } from './history.js';
import { type OpenMetricsOptions, openMetricsText } from './open-metrics.js';
import type { Chunk } from './plan.js';
import type { Slab } from './range-matrix.js';
import { type ReplayParameters, replay } from './replay.js';

/** What the thread is to do. */
export interface ReplayTask {
  readonly chunk: Chunk;
  /** The slabs of each query. */
  readonly slabs: readonly (readonly [query: string, slabs: readonly Slab[]])[];
  readonly trainingTimes: readonly number[];
  readonly parameters: ReplayParameters;
  /** File for OpenMetrics text; none is written where it is `undefined`. */
  readonly metrics: { readonly file: string; readonly options: OpenMetricsOptions } | undefined;
}

/** What the thread says. */
export type ReplayMessage =
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'done'; readonly result: ChunkResult; readonly plots: ChunkPlots }
  | { readonly kind: 'failed'; readonly message: string };

/** So that the progress is told some times in a chunk, and not for every minute. */
const PROGRESS_STEP = 0.05;

async function run(task: ReplayTask, post: (message: ReplayMessage) => void): Promise<void> {
  let told = 0;
  const replayed = await replay(
    new History(new Map(task.slabs)),
    task.chunk,
    task.trainingTimes,
    task.parameters,
    (share) => {
      if (share < told + PROGRESS_STEP) return;
      told = share;
      post({ kind: 'progress', share });
    },
  );
  if (task.metrics !== undefined) {
    const { file, options } = task.metrics;
    const source = {
      startSeconds: task.chunk.startSeconds,
      tracks: replayed.tracks,
      chosen: task.parameters.chosen,
      minutes: replayed.minutes,
    };
    // Under its name, the file is whole.
    await pipeline(Readable.from(openMetricsText(source, options)), createWriteStream(`${file}.part`));
    await rename(`${file}.part`, file);
  }
  post({ kind: 'done', result: replayed.result, plots: replayed.plots });
}

parentPort?.on('message', (task: ReplayTask) => {
  const post = (message: ReplayMessage) => parentPort?.postMessage(message);
  run(task, post).catch((error: unknown) => post({ kind: 'failed', message: messageOf(error) }));
});
