/** When memory that grows reaches its limit: a robust slope over several windows, and whether it may be extended. Pure. */

/**
 * Floors of memory at equal distances, in bytes, the oldest first, the last one of now: each is the smallest value since the
 * one before, so that what a garbage collector is about to free does not count. `NaN` where there was no sample.
 */
export interface Floors {
  readonly bytes: Float64Array;
  readonly stepSeconds: number;
}

/** The course of a pod's memory up to now. */
export interface MemoryCourse {
  /** Of the last day. */
  readonly day: Floors;
  /** Of the last hour, in finer steps. */
  readonly hour: Floors;
}

/** Memory that runs full. */
export interface LimitForecast {
  /** Memory now, without what was freed within the last minutes. */
  readonly bytes: number;
  /** Until the limit is reached, from 0 to a day. */
  readonly seconds: number;
}

const HOUR_SECONDS = 3600;

/**
 * Windows, the shortest first. A rise is extended to at most `reach` times the window in which it was seen: what grows for an
 * hour says nothing of tomorrow.
 */
const WINDOWS = [
  { seconds: HOUR_SECONDS, of: 'hour', reach: 4 },
  { seconds: 6 * HOUR_SECONDS, of: 'day', reach: 4 },
  { seconds: 24 * HOUR_SECONDS, of: 'day', reach: 1 },
] as const;

/** What grows for all of that is a leak, whatever was there on other days. */
const LONGEST_SECONDS = WINDOWS[2].seconds;

/** Parts of a window, each with its smallest value: what is collected once within a part leaves no trace. */
const PARTS = 6;

/** Of the steps from one part to the next, at least this number must be rises. */
const LEAST_RISES = 4;

/** Memory must have grown by this share within a window, or it may be noise. */
const LEAST_GROWTH = 0.01;

/** What memory came down from before is no leak: it must have grown beyond that by this factor. */
const NEW_TERRITORY = 1.1;

/** No single step may be more than this share of all growth: a jump is a new level, and no slope. */
const MOST_OF_STEP = 0.5;

/** Growth beyond what is known is extended to at most this multiple. */
const MOST_EXTENSION = 4;

/** Where growth has slowed down to this share of that of a longer window, it has stopped. */
const STOPPED_SHARE = 0.33;

/** What one window says. */
interface Trend {
  /** Smallest value of each part. */
  readonly parts: readonly number[];
  /** Bytes a second: the median of the slopes between any two parts (Theil and Sen). */
  readonly slope: number;
}

/**
 * When the limit is reached.
 *
 * @param usualBytes the most that is usual for the workload at any time of the day, from earlier days; `NaN` where it is not known.
 * @returns `undefined` where memory does not grow, where nobody can say how it goes on, or where the limit is more than a day
 *   away.
 */
export function forecastLimit(course: MemoryCourse, limitBytes: number, usualBytes: number): LimitForecast | undefined {
  const bytes = newestOf(course.hour);
  const trends = WINDOWS.map(({ seconds, of }) => trendOf(course[of], seconds));
  const room = Math.max(0, limitBytes - bytes);
  const lastHour = trends[0];
  if (lastHour === undefined) return undefined;
  for (const [index, { seconds: window, reach }] of WINDOWS.entries()) {
    const trend = trends[index];
    if (trend === undefined || !isGrowing(trend) || lastHour.slope < STOPPED_SHARE * trend.slope) continue;
    const seconds = room / trend.slope;
    if (seconds > reach * window || mayEndBefore(trend, room)) continue;
    const known = Math.max(highestBefore(course.day, window), usualBytes || 0);
    if (window === LONGEST_SECONDS || isBeyond(known, bytes, room)) return { bytes, seconds };
  }
  return undefined;
}

/** Whether memory is well beyond what is known, so that the rest of the way to the limit is no bold extension of that. */
function isBeyond(knownBytes: number, bytes: number, room: number): boolean {
  return bytes > NEW_TERRITORY * knownBytes && room <= MOST_EXTENSION * (bytes - knownBytes);
}

/** The newest floor that is known; `NaN` without one. */
function newestOf({ bytes }: Floors): number {
  return bytes.findLast((value) => !Number.isNaN(value)) ?? Number.NaN;
}

/** `undefined` where a part of the window has no samples. */
function trendOf({ bytes, stepSeconds }: Floors, seconds: number): Trend | undefined {
  const perPart = Math.round(seconds / stepSeconds / PARTS);
  const first = bytes.length - PARTS * perPart;
  if (first < 0) return undefined;
  const parts = Array.from({ length: PARTS }, (_, part) => {
    const from = first + part * perPart;
    return bytes
      .subarray(from, from + perPart)
      .reduce(
        (least, value) => (value >= least ? least : Number.isNaN(value) ? least : value),
        Number.POSITIVE_INFINITY,
      );
  });
  if (parts.includes(Number.POSITIVE_INFINITY)) return undefined;
  const slopes: number[] = [];
  for (let from = 0; from < PARTS; from++) {
    for (let to = from + 1; to < PARTS; to++) {
      slopes.push(((parts[to] as number) - (parts[from] as number)) / ((to - from) * perPart * stepSeconds));
    }
  }
  slopes.sort((a, b) => a - b);
  return { parts, slope: slopes[(slopes.length - 1) / 2] as number };
}

function isGrowing({ parts, slope }: Trend): boolean {
  const steps = parts.slice(1).map((value, part) => value - (parts[part] as number));
  const rises = steps.filter((step) => step > 0).length;
  const [first, last] = [parts[0] as number, parts.at(-1) as number];
  const growth = last - first;
  return (
    slope > 0 &&
    rises >= LEAST_RISES &&
    growth > LEAST_GROWTH * first &&
    last >= Math.max(...parts) &&
    Math.max(...steps) <= MOST_OF_STEP * growth
  );
}

/** Whether growth slows down so that it ends before the limit, as that of a cache that fills up. */
function mayEndBefore({ parts }: Trend, room: number): boolean {
  const half = PARTS / 2;
  const earlier = (parts[half - 1] as number) - (parts[0] as number);
  const later = (parts[PARTS - 1] as number) - (parts[half] as number);
  const ratio = later / earlier;
  if (earlier <= 0 || ratio >= 1) return false;
  // As a geometric series: each step is smaller than the one before by the same factor.
  const factor = ratio ** (1 / half);
  return ((later / (half - 1)) * factor) / (1 - factor) < room;
}

/** The highest floor of the day before the last `seconds`; 0 where it has none. */
function highestBefore({ bytes, stepSeconds }: Floors, seconds: number): number {
  const end = bytes.length - Math.round(seconds / stepSeconds);
  let highest = 0;
  for (const value of bytes.subarray(0, Math.max(0, end))) if (value > highest) highest = value;
  return highest;
}
