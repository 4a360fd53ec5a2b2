/** Chunks that are done, kept in files, so that a replay that was stopped goes on where it was. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { HOUR_SECONDS } from '../../exporter/history/grid.js';
import type { HourSummary } from '../../exporter/history/hour-summary.js';
import { readBoundedBytesSync } from '../../lib/files/bounded-file.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { ChunkPlots, ChunkResult } from '../replay/chunk-result.js';
import type { Chunk } from '../replay/plan.js';
import { formatInstant } from './time-range.js';
import type { ReplayedChunk } from './worker.js';

/** Raise it when the form of the files or the meaning of what is in them changes. */
const CHECKPOINT_VERSION = 4;

/** Many times what a chunk of a large cluster takes. */
const MOST_COMPRESSED_BYTES = 64 * 1024 * 1024;

/** For gzip, which may make a thousand bytes of one. */
const LIMITS = { maxOutputLength: 256 * 1024 * 1024 };

/** What `nameOf` makes, and nothing that somebody else may have put there. */
const METRICS_FILE = /^\d{8}T\d{4}Z-\d{8}T\d{4}Z\.om(?:\.part)?$/;

export interface ChunkStore {
  /** The result of a chunk that is done; `undefined` when it has to be replayed. */
  load(chunk: Chunk): Promise<ChunkResult | undefined>;
  loadPlots(chunk: Chunk): Promise<ChunkPlots | undefined>;
  save(chunk: Chunk, replayed: ReplayedChunk): Promise<void>;
  loadHour(hour: number): Promise<HourSummary | undefined>;
  saveHour(summary: HourSummary): Promise<void>;
  /** The file for the OpenMetrics text of a chunk; `undefined` where nothing is written. */
  metricsFile(chunk: Chunk): string | undefined;
  /** Removes metrics of other chunks, as those of an earlier run, which would be loaded with these. */
  keepMetricsOf(chunks: readonly Chunk[]): Promise<void>;
}

/** A short hash of all that a result depends on, besides the data. */
export function fingerprintOf(whatCounts: object): string {
  return createHash('sha256').update(JSON.stringify(whatCounts)).digest('hex').slice(0, 16);
}

/** Keeps nothing: for a run without an output directory, which has no plots. */
export function memoryStore(): ChunkStore {
  const nothing = async () => undefined;
  const metricsFile = () => undefined;
  return {
    load: nothing,
    loadPlots: nothing,
    save: nothing,
    loadHour: nothing,
    saveHour: nothing,
    metricsFile,
    keepMetricsOf: nothing,
  };
}

/**
 * Keeps chunks in `DIR/checkpoint`, and their metrics in `DIR/metrics`.
 *
 * @param fingerprint of everything that shapes a result; files with another one are not used.
 * @param withMetrics whether the metrics are wanted.
 * @param onNote told a sentence about each file that is there and not used.
 * @throws {Error} when the directories cannot be made.
 */
export async function directoryStore(
  directory: string,
  fingerprint: string,
  withMetrics: boolean,
  onNote: (note: string) => void,
): Promise<ChunkStore> {
  const results = join(directory, 'checkpoint');
  const metrics = join(directory, 'metrics');
  await mkdir(results, { recursive: true });
  if (withMetrics) await mkdir(metrics, { recursive: true });
  const file = (chunk: Chunk, kind: string) => join(results, `${nameOf(chunk)}.${kind}.json.gz`);
  const metricsFile = (chunk: Chunk) => (withMetrics ? join(metrics, `${nameOf(chunk)}.om`) : undefined);

  const read = async (path: string, chunk: Chunk): Promise<unknown> => {
    if (!existsSync(path)) return undefined;
    try {
      // The checksum of gzip tells a file that is torn.
      const bytes = await promisify(gunzip)(readBoundedBytesSync(path, MOST_COMPRESSED_BYTES), LIMITS);
      const envelope = JSON.parse(bytes.toString('utf8'), withNumbers);
      if (envelope.version !== CHECKPOINT_VERSION || envelope.fingerprint !== fingerprint) {
        onNote(`${path} was made with other settings or another version and is computed again.`);
        return undefined;
      }
      if (envelope.startSeconds !== chunk.startSeconds || envelope.endSeconds !== chunk.endSeconds) {
        onNote(`${path} is of another time than its name says and is computed again.`);
        return undefined;
      }
      return envelope.content;
    } catch (error) {
      onNote(`${path} cannot be read (${messageOf(error)}) and is computed again.`);
      return undefined;
    }
  };

  const write = async (path: string, chunk: Chunk, content: unknown): Promise<void> => {
    const envelope = { version: CHECKPOINT_VERSION, fingerprint, ...chunk, content };
    await writeFile(`${path}.part`, await promisify(gzip)(JSON.stringify(envelope, withoutNumbers)));
    await rename(`${path}.part`, path);
  };

  return {
    async load(chunk) {
      const result = await read(file(chunk, 'result'), chunk);
      if (result === undefined) return undefined;
      const needed = [file(chunk, 'plots'), metricsFile(chunk) ?? []].flat();
      const missing = needed.find((path) => !existsSync(path));
      if (missing === undefined) return result as ChunkResult;
      onNote(`${missing} is missing; its chunk is replayed again.`);
      return undefined;
    },
    loadPlots: async (chunk) => (await read(file(chunk, 'plots'), chunk)) as ChunkPlots | undefined,
    async save(chunk, { result, plots }) {
      await write(file(chunk, 'plots'), chunk, plots);
      // Last: a chunk is done when its result is there.
      await write(file(chunk, 'result'), chunk, result);
    },
    loadHour: async (hour) => {
      const chunk = chunkOfHour(hour);
      return (await read(file(chunk, 'hour'), chunk)) as HourSummary | undefined;
    },
    saveHour: (summary) => {
      const chunk = chunkOfHour(summary.hour);
      return write(file(chunk, 'hour'), chunk, summary);
    },
    metricsFile,
    async keepMetricsOf(chunks) {
      if (!withMetrics) return;
      const kept = new Set(chunks.map((chunk) => `${nameOf(chunk)}.om`));
      for (const name of await readdir(metrics)) {
        if (METRICS_FILE.test(name) && !kept.has(name)) await rm(join(metrics, name), { force: true });
      }
    },
  };
}

function chunkOfHour(hour: number): Chunk {
  return { startSeconds: hour * HOUR_SECONDS, endSeconds: (hour + 1) * HOUR_SECONDS };
}

/** JSON has no `NaN`: arrays of numbers stand as their bytes. */
function withoutNumbers(_: string, value: unknown): unknown {
  if (!(value instanceof Float32Array)) return value;
  return { float32: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
}

function withNumbers(_: string, value: unknown): unknown {
  const { float32 } = (value ?? {}) as { readonly float32?: string };
  return typeof float32 === 'string' ? new Float32Array(Uint8Array.from(Buffer.from(float32, 'base64')).buffer) : value;
}

/** `20260501T0000Z-20260501T0600Z`: sorts by time, and is a file name everywhere. */
function nameOf({ startSeconds, endSeconds }: Chunk): string {
  const compact = (seconds: number) => formatInstant(seconds).slice(0, 16).replaceAll(/[-:]/g, '');
  return `${compact(startSeconds)}Z-${compact(endSeconds)}Z`;
}
