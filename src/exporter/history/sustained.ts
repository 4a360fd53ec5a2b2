/** Levels that last: what a value stayed above, or below, for some minutes. A deviation counts only when it lasts. */

/** How long a deviation must last to count in full, in seconds. */
export const SUSTAINED_SECONDS = 300;

/** Of the minutes in that time, this many must have values. */
const LEAST_MINUTES = 4;

/**
 * What the last minutes of a series stayed above, and below.
 *
 * Of six minutes, one may be an exception; the newest and the one five minutes before may not. On the coarser grid of
 * the history only these two are there, so that what counts while scoring has counted in the history as well.
 */
export interface Sustained {
  /** The level that the values stayed at or above. */
  up: number;
  /** The level that the values stayed at or below. */
  down: number;
}

/**
 * @param values of a series at equal distances, `NaN` where they are missing.
 * @param end position of the newest.
 * @param stepSeconds distance of the values.
 * @param into is overwritten; both are `NaN` where too little is known.
 */
export function sustainedAt(values: Float64Array, end: number, stepSeconds: number, into: Sustained): void {
  const steps = Math.max(1, Math.round(SUSTAINED_SECONDS / stepSeconds));
  const newest = values[end] as number;
  const first = end - steps;
  const before = first >= 0 ? (values[first] as number) : Number.NaN;
  into.up = Number.NaN;
  into.down = Number.NaN;
  if (Number.isNaN(newest)) return;
  if (steps === 1) {
    if (Number.isNaN(before)) return;
    into.up = Math.min(newest, before);
    into.down = Math.max(newest, before);
    return;
  }
  let count = 0;
  let least = Number.POSITIVE_INFINITY;
  let secondLeast = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let secondMost = Number.NEGATIVE_INFINITY;
  for (let position = Math.max(0, first); position <= end; position++) {
    const value = values[position] as number;
    if (Number.isNaN(value)) continue;
    count++;
    if (value < least) {
      secondLeast = least;
      least = value;
    } else if (value < secondLeast) secondLeast = value;
    if (value > most) {
      secondMost = most;
      most = value;
    } else if (value > secondMost) secondMost = value;
  }
  if (count < Math.min(LEAST_MINUTES, steps + 1)) return;
  into.up = Math.min(secondLeast, newest, Number.isNaN(before) ? newest : before);
  into.down = Math.max(secondMost, newest, Number.isNaN(before) ? newest : before);
}
