/** The grid of the history: how finely the past is looked at, and in what portions. */

/** Distance of the instants that are read of the past, in seconds: five times that of a training window by default. */
export const HISTORY_STEP_SECONDS = 300;

/** The past is read and remembered by whole hours since 1970, so that all replicas come to the same numbers. */
export const HOUR_SECONDS = 3600;

/** Levels are remembered for each half hour: fine enough for a morning ramp, and six values make a robust median. */
export const BIN_SECONDS = 1800;
export const BINS_PER_HOUR = HOUR_SECONDS / BIN_SECONDS;

export const HOURS_PER_DAY = 24;
export const BINS_PER_DAY = HOURS_PER_DAY * BINS_PER_HOUR;

/** Instants before an hour that its summary looks at: a pod is compared with its own hour before. */
export const LEAD_SECONDS = HOUR_SECONDS;

/** The hour that a time belongs to, by its number since 1970. An hour holds its end, and not its beginning. */
export function hourOf(timeSeconds: number): number {
  return Math.ceil(timeSeconds / HOUR_SECONDS) - 1;
}

/** An hour is read when it is over for this long, in seconds: by then, all of its samples are stored and recorded. */
export const HOUR_SETTLING_SECONDS = 135;

/** The newest hour that does not change any more. @param nowSeconds less the offset of queries, where there is one. */
export function lastSettledHour(nowSeconds: number): number {
  return Math.floor((nowSeconds - HOUR_SETTLING_SECONDS) / HOUR_SECONDS) - 1;
}

/** Saturdays and Sundays (UTC) are days of another kind. 1970 began on a Thursday. */
export function isWeekend(day: number): boolean {
  const weekday = (day + 4) % 7;
  return weekday === 0 || weekday === 6;
}
