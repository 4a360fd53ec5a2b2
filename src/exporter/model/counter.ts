/** Counters as features: not how high they stand, but how far they rose just now. */

import { counterWindow } from '../features/counter-events.js';
import { heightAfter } from '../features/counter-height.js';

/**
 * How far a counter rose in the ten minutes (`COUNTER_WINDOW_SECONDS`) up to its last rise, at each instant; 0 from ten
 * minutes after that rise on.
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
  const span = counterWindow(stepSeconds);
  let height = Number.NaN;
  let sum = 0;
  let lastRise = Number.NEGATIVE_INFINITY;
  let sumAtLastRise = 0;
  for (let instant = 0; instant < values.length; instant++) {
    const value = values[instant] as number;
    const rise = value > height ? value - height : 0;
    rises[instant] = rise;
    height = heightAfter(height, value);
    sum += rise;
    if (instant >= span) sum -= rises[instant - span] as number;
    if (rise > 0) {
      lastRise = instant;
      sumAtLastRise = sum;
    }
    sums[instant] = Number.isNaN(value) ? Number.NaN : instant - lastRise < span ? sumAtLastRise : 0;
  }
  return sums;
}
