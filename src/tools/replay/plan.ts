/** How the past is cut into pieces that can be replayed, kept and repeated one by one. */

import { SETTLING_SECONDS } from '../../exporter/training/job.js';

/** A piece of the range: the minutes from its start to before its end. Unix times in seconds, multiples of 60. */
export interface Chunk {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** Detection looks at every minute, as a scrape interval of a minute does. */
export const MINUTE_SECONDS = 60;

const HOUR_SECONDS = 3600;

/** Blocks of Prometheus begin at multiples of two hours. */
const BLOCK_SECONDS = 2 * HOUR_SECONDS;

/** Blocks in a chunk where there are few pods: the fewer chunks, the less is trained and kept twice. */
const MOST_BLOCKS = 3;

/** Readings (pods × minutes) that a thread keeps in memory at a time. */
const MOST_READINGS = 600_000;

/**
 * Cuts a range at multiples of the chunk's length since 1970, so that the same chunks come again when the range moves,
 * and each of them fills whole blocks of Prometheus.
 *
 * @param pods at the same time, about.
 */
export function cutIntoChunks(startSeconds: number, endSeconds: number, pods: number): Chunk[] {
  const fitting = Math.floor((MOST_READINGS * MINUTE_SECONDS) / (Math.max(1, pods) * BLOCK_SECONDS));
  const length = BLOCK_SECONDS * Math.max(1, Math.min(MOST_BLOCKS, fitting));
  const chunks: Chunk[] = [];
  for (let start = startSeconds; start < endSeconds; ) {
    const end = Math.min(endSeconds, (Math.floor(start / length) + 1) * length);
    chunks.push({ startSeconds: start, endSeconds: end });
    start = end;
  }
  return chunks;
}

/** The largest distance of instants on which both the minutes and the samples of the training window lie, in seconds. */
export function gridStepSeconds(stepSeconds: number): number {
  let [a, b] = [MINUTE_SECONDS, stepSeconds];
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** How long before the end of a training window the slices of earlier hours begin (`historySlices`). */
const OLDEST_SLICE_SECONDS = 3 * HOUR_SECONDS + MINUTE_SECONDS;

/** What is known before a training: how far back it looks, in seconds. */
export function reachSeconds(lookbackSeconds: number, stepSeconds: number): number {
  // The window ends at a multiple of its step, up to a step before the newest sample that counts.
  return Math.max(lookbackSeconds, OLDEST_SLICE_SECONDS) + stepSeconds + SETTLING_SECONDS;
}

/** Where a schedule tells no interval. */
const DEFAULT_INTERVAL_SECONDS = 15 * 60;

/** The trainings that matter to a chunk, of all those of the range. */
export function trainingTimesOf({ startSeconds, endSeconds }: Chunk, all: readonly number[]): readonly number[] {
  const before = all.findLast((time) => time < startSeconds);
  const within = all.filter((time) => time >= startSeconds && time < endSeconds);
  return before === undefined ? within : [before, ...within];
}

/** The longest time from one training to the next, in seconds. */
export function longestInterval(times: readonly number[]): number {
  const intervals = times.slice(1).map((time, index) => time - (times[index] as number));
  return intervals.reduce((longest, interval) => Math.max(longest, interval), 0) || DEFAULT_INTERVAL_SECONDS;
}

/** The first instant that a chunk needs data of, on the grid. */
export function firstNeeded(chunk: Chunk, trainings: readonly number[], reach: number, gridStep: number): number {
  const earliest = Math.min(chunk.startSeconds, ...trainings.slice(0, 1));
  return Math.floor((earliest - reach) / gridStep) * gridStep;
}
