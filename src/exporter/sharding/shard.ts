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
 * name-based mappings to increase hit rates"): the shard with the highest weight has it. Every process comes to the
 * same answer on its own, and when a shard is added, only the namespaces that it takes over move: about one of `total`.
 *
 * Namespaces are not weighed by their pods. Shards that see a count at different moments would disagree, and a
 * namespace would have two owners or none; and with every pod that comes or goes, others would have to move.
 *
 * @param total how many shards there are, 1 or more.
 */
export function shardOf(namespace: string, total: number): number {
  const key = createHash('sha256').update(namespace).digest().readUInt32BE(0);
  let best = 0;
  let highest = -1;
  for (let ordinal = 0; ordinal < total; ordinal++) {
    const weight = mix(key + Math.imul(ordinal, GOLDEN_RATIO));
    if (weight > highest) {
      best = ordinal;
      highest = weight;
    }
  }
  return best;
}

/** 2^32 divided by the golden ratio: the distance of the points of a SplitMix sequence (Steele et al., 2014). */
const GOLDEN_RATIO = 0x9e3779b9;

/** The finalizer of MurmurHash3 (Appleby, 2011): each bit of the key changes each bit of the result half of the time. */
function mix(key: number): number {
  let bits = key | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** Why a shard scores nothing. */
export function emptyShardMessage({ ordinal, total }: Shard): string {
  return (
    `Shard ${ordinal} of ${total} (counted from 0) has no namespaces: there are more shards than needed. New ` +
    'namespaces are picked up within two minutes.'
  );
}
