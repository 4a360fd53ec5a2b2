/** Signals with a deadline. */

/** A signal that aborts with the given one, or with a `TimeoutError` after that many seconds. */
export function withDeadline(signal: AbortSignal | undefined, seconds: number): AbortSignal {
  // Timers take whole milliseconds, and `2.01 * 1000` is not a whole number.
  const deadline = AbortSignal.timeout(Math.round(seconds * 1000));
  return signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
}
