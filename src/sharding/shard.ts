/** Which namespaces a process watches when several share a cluster. */

import { createHash } from 'node:crypto';

/** One of several processes that share the namespaces of a cluster among them (as in kube-state-metrics). */
export interface Shard {
  /** From 0 to `total - 1`. */
  readonly ordinal: number;
  /** How many there are, 1 or more. */
  readonly total: number;
}

/**
 * The ordinal of the shard that a namespace belongs to, by rendezvous hashing (Thaler and Ravishankar, 1998: "Using
 * name-based mappings to increase hit rates"): the shard with the highest hash of ordinal and name has it. Every
 * process comes to the same answer on its own, and when a shard is added, only the namespaces that it takes over move.
 *
 * @param total how many shards there are, 1 or more.
 */
export function shardOf(namespace: string, total: number): number {
  let best = 0;
  let highest = -1;
  for (let ordinal = 0; ordinal < total; ordinal++) {
    const weight = createHash('sha256').update(`${ordinal}\0${namespace}`).digest().readUIntBE(0, 6);
    if (weight > highest) {
      best = ordinal;
      highest = weight;
    }
  }
  return best;
}

/** The namespaces of one shard, sorted: in whatever order they come, its queries read the same. */
export function namespacesOfShard(
  namespaces: Iterable<string>,
  { ordinal, total }: Shard,
): readonly string[] {
  return [...new Set(namespaces)].filter((namespace) => shardOf(namespace, total) === ordinal).sort();
}
