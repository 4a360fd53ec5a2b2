/** `rate()` of Prometheus over the scrapes of one counter. */

/** A scrape of a counter that never falls. */
export interface Scrape {
  /** Unix time. */
  readonly timeSeconds: number;
  readonly value: number;
}

/** Largest distance between the first scrape and the start of the window, in mean scrape intervals. */
const EXTRAPOLATION_LIMIT = 1.1;

/**
 * The rise of a counter per second over a window, as Prometheus 3 gives it (`promql/functions.go`,
 * `extrapolatedRate`): from the first to the last scrape within the window, extrapolated to its edges where they are
 * near, and otherwise by half a distance of scrapes, though not to before the counter was 0. So a counter that began
 * within the window rises less than it really does.
 *
 * @param scrapes in order of time.
 * @param endSeconds Unix time of the window's end. The window includes its end and not its start.
 * @returns `undefined` with fewer than two scrapes in the window.
 */
export function counterRate(
  scrapes: readonly Scrape[],
  endSeconds: number,
  windowSeconds: number,
): number | undefined {
  const startSeconds = endSeconds - windowSeconds;
  const within = scrapes.filter(({ timeSeconds }) => startSeconds < timeSeconds && timeSeconds <= endSeconds);
  const [first, last] = [within[0], within.at(-1)];
  if (first === undefined || last === undefined || within.length < 2) return undefined;
  const increase = last.value - first.value;
  const covered = last.timeSeconds - first.timeSeconds;
  const distance = covered / (within.length - 1);
  const reach = (gap: number) => (gap < EXTRAPOLATION_LIMIT * distance ? gap : distance / 2);
  const beforeZero = increase > 0 ? covered * (first.value / increase) : Infinity;
  const before = Math.min(reach(first.timeSeconds - startSeconds), beforeZero);
  const after = reach(endSeconds - last.timeSeconds);
  return (increase * (covered + before + after)) / covered / windowSeconds;
}
