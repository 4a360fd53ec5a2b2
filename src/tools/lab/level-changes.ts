/** The changes of level that are there for good: `changes.json`, which a simulated fleet has. */

import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../lib/usage-error.js';
import { readJson } from './read-json.js';

/** A workload whose usual CPU or memory is another one from an instant on. */
export interface LevelChange {
  readonly case: string;
  readonly namespace: string;
  readonly workload: string;
  /** What the recording calls it, such as `release` or `shift`. */
  readonly change: string;
  /** Unix time in seconds. */
  readonly startSeconds: number;
  /** What the usual values are multiplied by. */
  readonly cpuFactor: number;
  readonly memoryFactor: number;
}

/** A smaller change is nothing that anybody would notice. */
const SMALLEST_FACTOR = 1.2;

const CHANGES = z.array(
  z.object({
    case: z.string(),
    namespace: z.string(),
    workload: z.string(),
    change: z.string(),
    start: z.number(),
    cpu_factor: z.number().positive().default(1),
    memory_factor: z.number().positive().default(1),
  }),
);

/**
 * Reads the changes of level by at least a fifth, up or down, in order of time.
 *
 * @returns none where the directory has no such file.
 * @throws {DataError} when the file has another form.
 */
export async function readLevelChanges(directory: string): Promise<readonly LevelChange[]> {
  const path = join(directory, 'changes.json');
  const content = await readJson(directory, 'changes.json', { content: [] });
  const parsed = CHANGES.safeParse(content);
  if (!parsed.success) {
    throw new DataError(`Expected a list of changes in ${path}, got: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data
    .map(({ start, cpu_factor, memory_factor, ...change }) => ({
      ...change,
      startSeconds: start,
      cpuFactor: cpu_factor,
      memoryFactor: memory_factor,
    }))
    .filter(({ cpuFactor, memoryFactor }) => isLarge(cpuFactor) || isLarge(memoryFactor))
    .sort((a, b) => a.startSeconds - b.startSeconds);
}

const isLarge = (factor: number) => Math.max(factor, 1 / factor) >= SMALLEST_FACTOR;
