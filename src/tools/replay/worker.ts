/** The body of a replaying thread (`ThreadPool`). */

import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ChunkPlots, ChunkResult } from './chunk-result.js';
import { History } from './history.js';
import { type OpenMetricsOptions, OpenMetricsText } from './open-metrics.js';
import type { Chunk } from './plan.js';
import type { ThreadInput } from './pool.js';
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

/** A chunk that was replayed. */
export interface ReplayedChunk {
  readonly result: ChunkResult;
  readonly plots: ChunkPlots;
}

/** Progress is reported in steps of this share, not for every minute. */
const PROGRESS_STEP = 0.05;

/** Replays a chunk, and writes its metrics where they are wanted. */
export async function run({ task, progress }: ThreadInput<ReplayTask>): Promise<ReplayedChunk> {
  let reported = 0;
  const history = new History(new Map(task.slabs));
  const { chunk, trainingTimes, parameters, metrics } = task;
  const openMetrics = metrics && new OpenMetricsText(chunk, metrics.options);
  const onProgress = (share: number) => {
    if (share < reported + PROGRESS_STEP) return;
    reported = share;
    progress.postMessage(share);
  };
  const onMinute = openMetrics?.add.bind(openMetrics);
  const replayed = await replay(history, chunk, trainingTimes, parameters, onProgress, onMinute);
  if (metrics !== undefined && openMetrics !== undefined) {
    const { file } = metrics;
    // A file that has its name is complete.
    await pipeline(Readable.from(openMetrics.pieces()), createWriteStream(`${file}.part`));
    await rename(`${file}.part`, file);
  }
  return { result: replayed.result, plots: replayed.plots };
}
