/** The smallest fleet. */

/** A day to learn from, and two days with faults. */
export const FEWEST_DAYS = 3;
/** From here on each kind of workload has room. */
export const FEWEST_PODS = 60;
