/** Seconds of a real cluster as minutes of a past: what happened within a minute becomes an hour. */

/** A moment of the real cluster, and when it is in the past that is told. Unix seconds. */
export type Anchor = readonly [realSeconds: number, toldSeconds: number];

/** When everything was that was there before the first anchor: the same at each question, so that counters count on. */
const LONG_AGO_SECONDS = Date.UTC(2026, 0, 1) / 1000;

/**
 * When something was, as the past is told: between two anchors in proportion, as long after the last one as it really was, and
 * long before the first one.
 *
 * @param anchors ascending.
 */
export function toldTime(anchors: readonly Anchor[], realSeconds: number): number {
  const next = anchors.findIndex(([real]) => real > realSeconds);
  if (next === 0) return LONG_AGO_SECONDS;
  const [real, told] = anchors.at(next < 0 ? -1 : next - 1) as Anchor;
  if (next < 0) return told + realSeconds - real;
  const [nextReal, nextTold] = anchors[next] as Anchor;
  return told + ((realSeconds - real) / (nextReal - real)) * (nextTold - told);
}
