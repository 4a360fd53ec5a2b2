/** Which pods to keep where there are more than the process has room for. */

import type { NamedPod } from './table.js';

/**
 * Keeps the pods of the lowest hashes. Which they are depends on nothing but the names of the pods that are there: the
 * same in every scrape, training and replica, and a pod that comes or goes moves one other at most. Up to the limit
 * nothing is hashed.
 */
export class PodLimit {
  /** Rows as a heap: none has a lower hash than the two below it. Empty up to the limit. */
  #heap = new Uint32Array(0);
  /** The hash of the pod in each row. */
  #hashes = new Float64Array(0);
  readonly #shed = new Set<number>();

  /** @param limit pods to keep, at least 1. */
  constructor(private readonly limit: number) {}

  /** Different pods that were left out. */
  get shed(): number {
    return this.#shed.size;
  }

  /**
   * The row for a pod that has none: a further one, or that of another pod, which is left out from now on.
   *
   * @param pods those that have the rows so far.
   * @returns `undefined` where the pod itself is left out.
   */
  rowFor(newcomer: NamedPod, pods: readonly NamedPod[]): number | undefined {
    if (pods.length < this.limit) return pods.length;
    if (this.#heap.length === 0) this.#build(pods);
    const hash = hashOf(newcomer);
    const row = this.#heap[0] as number;
    const highest = this.#hashes[row] as number;
    this.#shed.add(Math.max(hash, highest));
    if (hash >= highest) return undefined;
    this.#hashes[row] = hash;
    this.#sink(0);
    return row;
  }

  #build(pods: readonly NamedPod[]): void {
    this.#hashes = Float64Array.from(pods, hashOf);
    this.#heap = Uint32Array.from(pods.keys());
    for (let place = this.#heap.length >>> 1; place >= 0; place--) this.#sink(place);
  }

  /** Exchanges what stands at a place with what is below it, as long as that is higher. */
  #sink(start: number): void {
    const heap = this.#heap;
    const hashAt = (place: number) => this.#hashes[heap[place] as number] as number;
    let place = start;
    for (;;) {
      let highest = place;
      for (const below of [2 * place + 1, 2 * place + 2]) {
        if (below < heap.length && hashAt(below) > hashAt(highest)) highest = below;
      }
      if (highest === place) return;
      const row = heap[place] as number;
      heap[place] = heap[highest] as number;
      heap[highest] = row;
      place = highest;
    }
  }
}

/** cyrb53 by bryc (public domain). Of its 53 bits, two among a million pods share all with odds of 1 to 18,000. */
function hashOf({ namespace, pod }: NamedPod): number {
  const text = `${namespace}/${pod}`;
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
