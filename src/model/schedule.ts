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
export const SCHEDULE_HOURS = 2;

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
 * @param untilNextTrainingSeconds at most an hour counts.
 */
export function historySlices(endSeconds: number, untilNextTrainingSeconds: number): HistorySlice[] {
  const ahead = Math.min(untilNextTrainingSeconds, HOUR_SECONDS);
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
const LARGEST_EXCUSE_SPREADS = 12;

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
  const lastHour = instants.filter((instant) => instant > end - HOUR_SECONDS);
  const expected = new Float32Array(MINUTES * columns * 2);
  let any = false;
  for (let column = 0; column < columns; column++) {
    if (duty(past, column, lastHour) > LARGEST_DUTY) continue;
    for (let minute = 0; minute < MINUTES; minute++) {
      const time = nextTimeAt(minute, end);
      for (const [side, sign] of [1, -1].entries()) {
        const least = leastOverHours(past, column, time, sign);
        if (least < MINIMUM_SPREADS) continue;
        expected[(minute * columns + column) * 2 + side] = Math.min(
          LARGEST_EXCUSE_SPREADS,
          ALLOWANCE * least,
        );
        any = true;
      }
    }
  }
  return any ? { expected } : undefined;
}

/** The first time after `end` whose minute of the hour is `minute`. */
function nextTimeAt(minute: number, end: number): number {
  const time = Math.floor(end / HOUR_SECONDS) * HOUR_SECONDS + minute * MINUTE_SECONDS;
  return time > end ? time : time + HOUR_SECONDS;
}

function duty(past: PastDeviation, column: number, instants: Float64Array): number {
  let busy = 0;
  let known = 0;
  for (const instant of instants) {
    const deviation = past(column, instant);
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
