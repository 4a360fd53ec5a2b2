/** The limit on the rate of requests. */

import type { RateLimit } from './config.js';

/** A token bucket: full at first, one token each interval, one token for each request. */
export class TokenBucket {
  readonly limit: RateLimit;
  #tokens: number;
  #updatedMilliseconds: number;

  /** @param nowMilliseconds of any clock. */
  constructor(limit: RateLimit, nowMilliseconds: number) {
    this.limit = limit;
    this.#tokens = limit.burst;
    this.#updatedMilliseconds = nowMilliseconds;
  }

  /** Takes a token. @returns 0 if there was one, else the milliseconds until the next one. */
  take(nowMilliseconds: number): number {
    const { burst, intervalMilliseconds } = this.limit;
    // A clock that is set back neither adds nor removes tokens.
    const elapsed = Math.max(0, nowMilliseconds - this.#updatedMilliseconds);
    this.#tokens = Math.min(burst, this.#tokens + elapsed / intervalMilliseconds);
    this.#updatedMilliseconds = nowMilliseconds;
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) * intervalMilliseconds);
    this.#tokens -= 1;
    return 0;
  }
}
