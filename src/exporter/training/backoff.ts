/** How long to wait after an attempt that failed. */

/** Waiting time after the first failure; it doubles up to the longest. */
const FIRST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 60;

/** A server may ask to wait longer, but no longer than from one training to the next. */
const LONGEST_ASKED_WAIT_SECONDS = 15 * 60;

/** Twice as long after each failure, and at least as long as Prometheus asks for. */
export class Backoff {
  #waitSeconds = FIRST_WAIT_SECONDS;

  /** @param askedSeconds how long Prometheus asks to wait. */
  next(askedSeconds = 0): number {
    const wait = Math.max(this.#waitSeconds, Math.min(askedSeconds, LONGEST_ASKED_WAIT_SECONDS));
    this.#waitSeconds = Math.min(2 * this.#waitSeconds, LONGEST_WAIT_SECONDS);
    return wait;
  }

  /** Begins with the shortest again, after a success. */
  reset(): void {
    this.#waitSeconds = FIRST_WAIT_SECONDS;
  }
}
