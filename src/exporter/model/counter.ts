/** Counters as features: not how high they stand, but how far they rose just now. */

/** Rises are summed over this time, in seconds: long enough to hold two restarts of a crash loop. */
export const COUNTER_LOOKBACK_SECONDS = 10 * 60;

/** A loop is never quiet for longer: the kubelet's back-off between restarts ends at 5 minutes. */
const QUIET_SECONDS = 5 * 60;

/**
 * How far a counter rose in the last ten minutes, at each instant; 0 once it has been quiet for five. A counter that
 * starts again at 0 belongs to a new object of the same name and has risen by what it shows.
 *
 * @param values one for each instant; `NaN` where it is missing, and so is the result.
 * @param stepSeconds distance of the instants.
 * @param rises room for as many numbers as there are values, overwritten.
 * @param sums the same; returned.
 */
export function recentRises(
  values: Float64Array,
  stepSeconds: number,
  rises: Float64Array = new Float64Array(values.length),
  sums: Float64Array = new Float64Array(values.length),
): Float64Array {
  const span = Math.max(1, Math.round(COUNTER_LOOKBACK_SECONDS / stepSeconds));
  const quiet = Math.max(1, Math.round(QUIET_SECONDS / stepSeconds));
  let last = Number.NaN;
  let sum = 0;
  let lastRise = Number.NEGATIVE_INFINITY;
  for (let instant = 0; instant < values.length; instant++) {
    const value = values[instant] as number;
    rises[instant] = 0;
    if (!Number.isNaN(value)) {
      if (value > last) rises[instant] = value - last;
      else if (value < last) rises[instant] = value;
      last = value;
    }
    if ((rises[instant] as number) > 0) lastRise = instant;
    sum += rises[instant] as number;
    if (instant >= span) sum -= rises[instant - span] as number;
    sums[instant] = Number.isNaN(value) ? Number.NaN : instant - lastRise < quiet ? sum : 0;
  }
  return sums;
}
