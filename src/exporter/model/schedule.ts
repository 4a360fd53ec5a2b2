/** What a pod does at the same minute of every hour: jobs on a timetable are not anomalies. */

/** How far a pod is expected to deviate at each minute of the hour. */
export interface Schedule {
  /** Minutes of the hour × features × (up, down): spreads, 0 where nothing is expected. */
  readonly expected: Float32Array;
}

/** Reads a deviation, in spreads, of one feature at an instant (Unix time in seconds); `NaN` where none is known. */
export type PastDeviation = (column: number, timeSeconds: number) => number;

const HOUR_SECONDS = 3600;
const MINUTE_SECONDS = 60;
const MINUTES = 60;

/** Hours before the end of the training window of which a slice is wanted, besides the window itself. */
const SLICE_HOURS = [2, 3];

/** What happened at the same minute in each of so many hours is a timetable. */
const SCHEDULE_HOURS = 2;

/** A slice of time before the training window: Unix times in seconds, both included. */
export interface HistorySlice {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/**
 * The slices of earlier hours that tell what to expect until the next training: for the timetables, and as a memory of
 * the usual level.
 *
 * @param endSeconds end of the training window.
 * @param aheadSeconds from there until the next training; at most an hour counts.
 */
export function historySlices(endSeconds: number, aheadSeconds: number): HistorySlice[] {
  const ahead = Math.min(aheadSeconds, HOUR_SECONDS);
  return SLICE_HOURS.map((hours) => {
    const middle = endSeconds - hours * HOUR_SECONDS;
    const tolerance = TOLERANCE_MINUTES * MINUTE_SECONDS;
    return { startSeconds: middle - tolerance, endSeconds: middle + ahead + tolerance };
  });
}

/** Jobs start up to a minute earlier or later. */
const TOLERANCE_MINUTES = 1;

/** Smaller deviations need no excuse. */
const MINIMUM_SPREADS = 2;

/** The next time may be somewhat larger than the times before. */
const ALLOWANCE = 1.25;

/** More is not excused: a large fault on a timetable is one all the same. */
export const LARGEST_EXCUSE_SPREADS = 12;

/** A pod that deviates for a larger share of the last hour has no timetable but trouble. */
const LARGEST_DUTY = 0.125;

/**
 * Derives the timetable of a pod from its last hours.
 *
 * @param instants how the last hour was sampled, Unix times in seconds.
 * @returns `undefined` where there is no timetable.
 */
export function fitSchedule(
  past: PastDeviation,
  columns: number,
  instants: Float64Array,
): Schedule | undefined {
  const end = instants[instants.length - 1] as number;
  let expected: Float32Array | undefined;
  for (let column = 0; column < columns; column++) {
    if (duty(past, column, instants) > LARGEST_DUTY) continue;
    for (const time of timesToExpect(past, column, end)) {
      const minute = Math.floor(time / MINUTE_SECONDS) % MINUTES;
      for (const [side, sign] of SIGNS.entries()) {
        const least = leastOverHours(past, column, time, sign);
        if (least < MINIMUM_SPREADS) continue;
        expected ??= new Float32Array(scheduleCells(columns));
        expected[(minute * columns + column) * 2 + side] = Math.min(
          LARGEST_EXCUSE_SPREADS,
          ALLOWANCE * least,
        );
      }
    }
  }
  return expected && { expected };
}

/** Length of `expected` for so many features. */
export function scheduleCells(columns: number): number {
  return MINUTES * columns * 2;
}

/** Upwards and downwards, in the order of `expected`. */
const SIGNS = [1, -1];

/** The minutes of the hour after `end` an hour before which anything stood out: few of few pods. */
function timesToExpect(past: PastDeviation, column: number, end: number): ReadonlySet<number> {
  let times: Set<number> | undefined;
  const first = (Math.floor(end / MINUTE_SECONDS) + 1) * MINUTE_SECONDS;
  const last = first + HOUR_SECONDS - MINUTE_SECONDS;
  const tolerance = TOLERANCE_MINUTES * MINUTE_SECONDS;
  for (let time = first - tolerance; time <= last + tolerance; time += MINUTE_SECONDS) {
    if (!(Math.abs(past(column, time - HOUR_SECONDS)) >= MINIMUM_SPREADS)) continue;
    times ??= new Set();
    const latest = Math.min(last, time + tolerance);
    for (let near = Math.max(first, time - tolerance); near <= latest; near += MINUTE_SECONDS)
      times.add(near);
  }
  return times ?? NO_TIMES;
}

const NO_TIMES: ReadonlySet<number> = new Set();

/** The share of the last hour in which a feature stands out; 1 where nothing of it is known. */
function duty(past: PastDeviation, column: number, instants: Float64Array): number {
  let busy = 0;
  let known = 0;
  const begin = (instants[instants.length - 1] as number) - HOUR_SECONDS;
  for (let index = instants.length - 1; index >= 0 && (instants[index] as number) > begin; index--) {
    const deviation = past(column, instants[index] as number);
    if (Number.isNaN(deviation)) continue;
    known++;
    if (Math.abs(deviation) >= MINIMUM_SPREADS) busy++;
  }
  return known === 0 ? 1 : busy / known;
}

/** The smallest, over the last hours, of the largest deviation of that sign around the same minute. */
function leastOverHours(past: PastDeviation, column: number, time: number, sign: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let hour = 1; hour <= SCHEDULE_HOURS; hour++) {
    let most = 0;
    for (let offset = -TOLERANCE_MINUTES; offset <= TOLERANCE_MINUTES; offset++) {
      const deviation = sign * past(column, time - hour * HOUR_SECONDS + offset * MINUTE_SECONDS);
      if (deviation > most) most = deviation;
    }
    least = Math.min(least, most);
    if (least < MINIMUM_SPREADS) break;
  }
  return least;
}

/**
 * A deviation less what the timetable expects at that minute; never past 0.
 *
 * @param columns number of features.
 */
export function excuse(
  { expected }: Schedule,
  columns: number,
  column: number,
  timeSeconds: number,
  deviation: number,
): number {
  const minute = Math.floor(timeSeconds / MINUTE_SECONDS) % MINUTES;
  const cell = (minute * columns + column) * 2;
  if (deviation > 0) return Math.max(0, deviation - (expected[cell] as number));
  return Math.min(0, deviation + (expected[cell + 1] as number));
}
