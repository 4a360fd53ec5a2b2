/** How long a simulated case may be. */

/** Shortest case: an hour to learn from, and space for one group of faults. */
export const MINIMUM_HOURS = 2;
/** From here on every kind of fault and of change comes up, and quiet time makes twenty days of pods. */
export const DEFAULT_HOURS = 6;
