/** Reads of the past for people who look: few at a time, each made once, and a failure is a value. */

import { LRUCache } from 'lru-cache';
import { messageOf } from '../../../lib/logging/message-of.js';

/** `message` says why there is nothing, in sentences: the page shows the rest. */
export interface FailedRead {
  readonly kind: 'failed';
  readonly message: string;
}

/** Most reads at the same time, each for something else. */
const MAXIMUM_READINGS = 2;

/** Results that are kept: what is read belongs to one instant, so it does not change. */
const MAXIMUM_CACHED = 8;

export class BoundedReads<Outcome extends { readonly kind: string }> {
  readonly #cache = new LRUCache<string, Promise<Outcome | FailedRead>>({ max: MAXIMUM_CACHED });
  #reading = 0;

  /** The result of reading under a key, which callers share. Does not reject; what failed is read again for the next caller. */
  async read(key: string, read: () => Promise<Outcome>): Promise<Outcome | FailedRead> {
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    if (this.#reading >= MAXIMUM_READINGS) {
      return { kind: 'failed', message: 'Too many history requests are running. Try again.' };
    }
    this.#reading++;
    const answer = read()
      .catch((error: unknown): FailedRead => {
        // The next caller may have more luck.
        this.#cache.delete(key);
        return { kind: 'failed', message: messageOf(error) };
      })
      .finally(() => this.#reading--);
    this.#cache.set(key, answer);
    return answer;
  }
}
