/** What a pod does at the same minute of every hour: a job that runs every hour is not an anomaly. */

/** How far pods are expected to deviate at minutes of the hour; nothing is expected at those that are not listed. */
export interface HourlyPatterns {
  /** Minute of the hour, feature and side (up, down) as one number: see `cellOf`. */
  readonly cell: Uint32Array;
  /** Spreads, above 0. */
  readonly spreads: Float32Array;
}

/** Reads a deviation, in spreads, of one feature at an instant (Unix time in seconds); `NaN` where none is known. */
export type PastDeviation = (column: number, timeSeconds: number) => number;

const HOUR_SECONDS = 3600;
const MINUTE_SECONDS = 60;
const MINUTES = 60;

/** Hours before the end of the training window of which a slice is wanted, besides the window itself. */
const SLICE_HOURS = [2, 3];

/** What happened at the same minute in each of this many hours is a pattern. */
const PATTERN_HOURS = 2;

/**
 * The slices of earlier hours that are needed until the next training: for the patterns, and as a memory of the usual
 * level. Unix times in seconds, both included.
 *
 * @param endSeconds end of the training window.
 * @param aheadSeconds from there until the next training; at most an hour counts.
 */
export function historySlices(endSeconds: number, aheadSeconds: number) {
  const ahead = Math.min(aheadSeconds, HOUR_SECONDS);
  return SLICE_HOURS.map((hours) => {
    const middle = endSeconds - hours * HOUR_SECONDS;
    const tolerance = TOLERANCE_MINUTES * MINUTE_SECONDS;
    return { startSeconds: middle - tolerance, endSeconds: middle + ahead + tolerance };
  });
}

/** Jobs start up to a minute earlier or later. */
const TOLERANCE_MINUTES = 1;

/** Smaller deviations are not part of a pattern. */
const MINIMUM_SPREADS = 2;

/** The next time may be somewhat larger than the times before. */
const ALLOWANCE = 1.25;

/** A pattern explains no more: a large fault that comes every hour is still a fault. */
export const LARGEST_PATTERN_SPREADS = 12;

/** A pod that deviates for a larger share of the last hour is in trouble: that is not a pattern. */
const LARGEST_DUTY = 0.125;

/**
 * Derives the pattern of a pod from its last hours.
 *
 * @param instants how the last hour was sampled, Unix times in seconds.
 * @returns cells in ascending order; `undefined` where there is no pattern.
 */
export function fitHourlyPattern(
  past: PastDeviation,
  columns: number,
  instants: Float64Array,
): HourlyPatterns | undefined {
  const end = instants[instants.length - 1] as number;
  let expected: Map<number, number> | undefined;
  for (let column = 0; column < columns; column++) {
    if (duty(past, column, instants) > LARGEST_DUTY) continue;
    for (const time of timesToExpect(past, column, end)) {
      const minute = Math.floor(time / MINUTE_SECONDS) % MINUTES;
      for (const [side, sign] of SIGNS.entries()) {
        const least = leastOverHours(past, column, time, sign);
        if (least < MINIMUM_SPREADS) continue;
        expected ??= new Map();
        expected.set(cellOf(minute, columns, column, side), Math.min(LARGEST_PATTERN_SPREADS, ALLOWANCE * least));
      }
    }
  }
  if (expected === undefined) return undefined;
  const sorted = [...expected].sort(([a], [b]) => a - b);
  return {
    cell: Uint32Array.from(sorted, ([cell]) => cell),
    spreads: Float32Array.from(sorted, ([, spreads]) => spreads),
  };
}

/** Cells are below this number. */
export function patternCells(columns: number): number {
  return MINUTES * columns * SIGNS.length;
}

function cellOf(minute: number, columns: number, column: number, side: number): number {
  return (minute * columns + column) * SIGNS.length + side;
}

/** Upwards and downwards: the sides of a cell. */
const SIGNS = [1, -1];

/** The minutes of the hour after `end` an hour before which anything stood out: few of few pods. */
function timesToExpect(past: PastDeviation, column: number, end: number): Iterable<number> {
  let times: Set<number> | undefined;
  const first = (Math.floor(end / MINUTE_SECONDS) + 1) * MINUTE_SECONDS;
  const last = first + HOUR_SECONDS - MINUTE_SECONDS;
  const tolerance = TOLERANCE_MINUTES * MINUTE_SECONDS;
  for (let time = first - tolerance; time <= last + tolerance; time += MINUTE_SECONDS) {
    if (!(Math.abs(past(column, time - HOUR_SECONDS)) >= MINIMUM_SPREADS)) continue;
    times ??= new Set();
    const latest = Math.min(last, time + tolerance);
    for (let near = Math.max(first, time - tolerance); near <= latest; near += MINUTE_SECONDS) times.add(near);
  }
  return times ?? [];
}

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
  for (let hour = 1; hour <= PATTERN_HOURS; hour++) {
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
 * A deviation less what a pattern expects at that minute; never past 0.
 *
 * @param start where the pattern of the pod begins; it ends before `end`.
 * @param columns number of features.
 */
export function subtractPattern(
  { cell, spreads }: HourlyPatterns,
  start: number,
  end: number,
  columns: number,
  column: number,
  timeSeconds: number,
  deviation: number,
): number {
  const minute = Math.floor(timeSeconds / MINUTE_SECONDS) % MINUTES;
  const wanted = cellOf(minute, columns, column, deviation > 0 ? 0 : 1);
  for (let index = start; index < end; index++) {
    if (cell[index] !== wanted) continue;
    const expected = spreads[index] as number;
    return deviation > 0 ? Math.max(0, deviation - expected) : Math.min(0, deviation + expected);
  }
  return deviation;
}
