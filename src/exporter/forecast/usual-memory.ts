/** How much memory the pods of a workload have usually come to: what has been there before is no leak. */

import { quantileInPlace } from '../../lib/statistics.js';

const DAY_SECONDS = 86_400;

/** Days that are looked at; the last day is that of the growth itself, and does not count. */
export const USUAL_DAYS = 7;

/** Distance of the samples, in seconds. */
export const USUAL_STEP_SECONDS = 1800;

/**
 * The median of the highest values of some days: neither one incident nor a quiet weekend changes it.
 *
 * @param values bytes, each with its time in Unix seconds.
 * @param endSeconds the end of the last of these days.
 * @returns `NaN` where nothing is known.
 */
export function usualBytes(timestampsSeconds: Float64Array, values: Float64Array, endSeconds: number): number {
  const highest = new Map<number, number>();
  for (const [sample, value] of values.entries()) {
    const day = Math.floor((endSeconds - (timestampsSeconds[sample] as number)) / DAY_SECONDS);
    if (day >= 0 && value > (highest.get(day) ?? 0)) highest.set(day, value);
  }
  const days = Float64Array.from(highest.values());
  return days.length === 0 ? Number.NaN : quantileInPlace(days, days.length, 0.5);
}
