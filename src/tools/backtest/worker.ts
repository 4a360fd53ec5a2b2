/** The body of a replaying thread (`ThreadPool`). */

import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ChunkPlots, ChunkResult } from '../replay/chunk-result.js';
import { History } from '../replay/history.js';
import { type OpenMetricsOptions, OpenMetricsText } from '../replay/open-metrics.js';
import type { PastHours } from '../replay/past-hours.js';
import type { Chunk } from '../replay/plan.js';
import type { ThreadInput } from '../replay/pool.js';
import type { Slab } from '../replay/range-matrix.js';
import { type ReplayParameters, replay } from '../replay/replay.js';

export interface ReplayTask {
  readonly chunk: Chunk;
  /** The slabs of each query. */
  readonly slabs: readonly (readonly [query: string, slabs: readonly Slab[]])[];
  readonly trainingTimes: readonly number[];
  /** What the trainings remember; `undefined` where they remember nothing. */
  readonly hours: PastHours | undefined;
  readonly parameters: ReplayParameters;
  /** File for OpenMetrics text; none is written where it is `undefined`. */
  readonly metrics: { readonly file: string; readonly options: OpenMetricsOptions } | undefined;
}

export interface ReplayedChunk {
  readonly result: ChunkResult;
  readonly plots: ChunkPlots;
}

/** Replays a chunk, and writes its metrics where they are wanted. */
export async function run({ task, progress }: ThreadInput<ReplayTask>): Promise<ReplayedChunk> {
  const history = new History(new Map(task.slabs));
  const { chunk, trainingTimes, parameters, metrics, hours } = task;
  const openMetrics = metrics && new OpenMetricsText(chunk, metrics.options);
  const onProgress = (share: number) => progress.postMessage(share);
  const onMinute = openMetrics?.add.bind(openMetrics);
  const replayed = await replay({ history, hours }, chunk, trainingTimes, parameters, onProgress, onMinute);
  if (metrics !== undefined && openMetrics !== undefined) {
    const { file } = metrics;
    // A file that has its name is complete.
    await pipeline(Readable.from(openMetrics.pieces()), createWriteStream(`${file}.part`));
    await rename(`${file}.part`, file);
  }
  return { result: replayed.result, plots: replayed.tracks.plots(chunk.startSeconds) };
}
