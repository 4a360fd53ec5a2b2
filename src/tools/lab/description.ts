/** What is known of recordings besides their values and faults: `fleet.json`, which a simulated fleet has. */

import { join } from 'node:path';
import { z } from 'zod';
import { podKey } from '../../exporter/features/table.js';
import { DataError } from '../../lib/usage-error.js';
import { readJson } from './read-json.js';

const FLEET = z.object({
  case: z.string(),
  start: z.number(),
  learned_until: z.number(),
  workloads: z.array(
    z.object({ namespace: z.string(), workload: z.string(), kind: z.string(), pods: z.array(z.string()) }),
  ),
});

/** Descriptions of the cases of a directory, by the name of the case. */
export type Descriptions = Awaited<ReturnType<typeof readDescriptions>>;

/**
 * Reads `fleet.json` of a directory, a fleet or a list of them.
 *
 * @returns descriptions without content where the file or the case is absent.
 * @throws {DataError} when the file has another form.
 */
export async function readDescriptions(directory: string) {
  const path = join(directory, 'fleet.json');
  const content = await readJson(directory, 'fleet.json', { content: [] });
  const parsed = z.array(FLEET).safeParse(Array.isArray(content) ? content : [content]);
  if (!parsed.success) {
    throw new DataError(`Expected the description of a fleet in ${path}, got: ${z.prettifyError(parsed.error)}`);
  }
  return (caseName: string) => describe(parsed.data.findLast((fleet) => fleet.case === caseName));
}

function describe(fleet: z.infer<typeof FLEET> | undefined) {
  const known = fleet?.workloads ?? [];
  return {
    /** Minutes at the start that are there to be learned from. */
    learningMinutes: fleet && Math.round((fleet.learned_until - fleet.start) / 60),
    /** Workload of each pod, by the pod's key (`podKey`). */
    workloads: new Map(
      known.flatMap(({ namespace, workload, pods }) => pods.map((pod) => [podKey(namespace, pod), workload] as const)),
    ),
    /** Kind of each workload, by the workload's key. */
    kinds: new Map(known.map(({ namespace, workload, kind }) => [podKey(namespace, workload), kind])),
  };
}
