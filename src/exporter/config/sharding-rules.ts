/** Which shard a process is: by its settings, or by the name of its pod in a StatefulSet. */

import type { Environment } from './environment.js';
import type { Settings } from './settings.js';

/**
 * The ordinal of the shard. Without `SHARD`, it is the number at the end of the pod's name, as a StatefulSet gives it:
 * `POD_NAME`, or `HOSTNAME`, which Kubernetes sets to the same.
 *
 * @param settings those that are right on their own.
 * @returns a sentence in place of the ordinal where the settings contradict each other.
 */
export function shardOrdinal(
  { shard, totalShards }: Partial<Settings>,
  environment: Environment,
): { readonly ok: true; readonly value: number } | { readonly ok: false; readonly mistake: string } {
  const total = totalShards ?? Number.POSITIVE_INFINITY;
  const least = 'from 0 to TOTAL_SHARDS - 1';
  if (shard !== undefined) {
    if (shard < total) return { ok: true, value: shard };
    const mistake = `SHARD: expected a number ${least}, got ${shard} with TOTAL_SHARDS="${total}". Example: SHARD="${total - 1}"`;
    return { ok: false, mistake };
  }
  if (totalShards === undefined || totalShards === 1) return { ok: true, value: 0 };
  const [variable, name] = environment.POD_NAME?.trim()
    ? ['POD_NAME', environment.POD_NAME.trim()]
    : ['HOSTNAME', environment.HOSTNAME?.trim() ?? ''];
  const digits = /-(\d{1,9})$/.exec(name)?.[1];
  if (digits !== undefined && Number(digits) < totalShards) return { ok: true, value: Number(digits) };
  const got = name === '' ? 'neither POD_NAME nor HOSTNAME' : `${variable}="${name}"`;
  const mistake =
    `SHARD: expected it together with TOTAL_SHARDS="${totalShards}", or the name of a pod that ends in a number ` +
    `${least}, as in a StatefulSet; got no SHARD and ${got}. Example: SHARD="0"`;
  return { ok: false, mistake };
}
