/** What is known of recordings besides their values and faults: `fleet.json`, which a simulated fleet has. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { podKey } from '../../exporter/features/table.js';
import { DataError } from '../../lib/usage-error.js';

/** Of one case. */
export interface Description {
  /** Minutes at the start that are there to be learned from. */
  readonly learningMinutes: number | undefined;
  /** Workload of each pod, by the pod's key (`podKey`). */
  readonly workloads: ReadonlyMap<string, string>;
  /** Kind of each workload, by the workload's key. */
  readonly kinds: ReadonlyMap<string, string>;
}

const UNKNOWN: Description = { learningMinutes: undefined, workloads: new Map(), kinds: new Map() };

const FLEET = z.object({
  case: z.string(),
  start: z.number(),
  learned_until: z.number(),
  workloads: z.array(
    z.object({ namespace: z.string(), workload: z.string(), kind: z.string(), pods: z.array(z.string()) }),
  ),
});

/** Descriptions of the cases of a directory, by the name of the case. */
export type Descriptions = (caseName: string) => Description;

/**
 * Reads `fleet.json` of a directory, a fleet or a list of them.
 *
 * @returns descriptions without content where the file or the case is absent.
 * @throws {DataError} when the file has another form.
 */
export async function readDescriptions(directory: string): Promise<Descriptions> {
  const path = join(directory, 'fleet.json');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new DataError(`Expected JSON in ${path}, got: ${(error as Error).message}`, { cause: error });
  }
  const parsed = z.array(FLEET).safeParse(Array.isArray(content) ? content : [content]);
  if (!parsed.success) {
    throw new DataError(
      `Expected the description of a fleet in ${path}, got: ${z.prettifyError(parsed.error)}`,
    );
  }
  const known = new Map(parsed.data.map((fleet) => [fleet.case, describe(fleet)]));
  return (name) => known.get(name) ?? UNKNOWN;
}

function describe({ start, learned_until: until, workloads }: z.infer<typeof FLEET>): Description {
  return {
    learningMinutes: Math.round((until - start) / 60),
    workloads: new Map(
      workloads.flatMap(({ namespace, workload, pods }) =>
        pods.map((pod) => [podKey(namespace, pod), workload] as const),
      ),
    ),
    kinds: new Map(workloads.map(({ namespace, workload, kind }) => [podKey(namespace, workload), kind])),
  };
}
