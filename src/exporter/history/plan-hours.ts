/** Which hours of the past to read next: pure, from what is known and the time. */

import { type HoursRequest, instantsOfHours } from './fetch-hours.js';
import { HOUR_SECONDS, HOUR_SETTLING_SECONDS, HOURS_PER_DAY, lastSettledHour } from './grid.js';
import type { WorkloadHistory } from './workload-history.js';

/** Consecutive hours, both included. */
export type Stretch = Pick<HoursRequest, 'firstHour' | 'lastHour'>;

/**
 * After this many consecutive hours without a pod, older ones are not asked for: Prometheus does not reach that far back,
 * or nothing ran then. They are not stored as empty, since that may turn out to be wrong (a clock that is set right).
 */
const EMPTY_HOURS = HOURS_PER_DAY;

/** Bounds of one stretch: it holds up nobody for long, and what it read is lost when it fails. */
const MOST_HOURS = 6;
const MOST_POINTS = 1_500_000;

/** Time until another hour has settled, in seconds. @param nowSeconds less the offset of queries, where there is one. */
export function secondsUntilNextHour(nowSeconds: number): number {
  return (lastSettledHour(nowSeconds) + 2) * HOUR_SECONDS + HOUR_SETTLING_SECONDS - nowSeconds;
}

/** The hours up to one that are to be asked for, the newest first. */
export function hoursToRead(history: WorkloadHistory, newestHour: number): number[] {
  const missing: number[] = [];
  let empty = 0;
  for (let hour = newestHour; hour > newestHour - history.hours && hour > 0 && empty < EMPTY_HOURS; hour--) {
    if (!history.knows(hour)) missing.push(hour);
    else empty = history.podsIn(hour) === 0 ? empty + 1 : 0;
  }
  return missing;
}

/**
 * The next hours to read at once: the newest that are missing. The more pods there are, the fewer hours; as long as
 * their number is not known, one.
 *
 * @param hours to be read, the newest first.
 * @param mostHours a further bound, where a longer stretch has failed.
 */
export function nextStretch(
  hours: readonly number[],
  history: WorkloadHistory,
  mostHours = MOST_HOURS,
): Stretch | undefined {
  const lastHour = hours[0];
  if (lastHour === undefined) return undefined;
  const series = history.mostPods * (history.gauges.length + history.counters.length);
  let firstHour = lastHour;
  for (const hour of hours.slice(1)) {
    const longer = { firstHour: firstHour - 1, lastHour };
    const isTooLong = lastHour - firstHour + 1 >= Math.min(mostHours, MOST_HOURS);
    if (series === 0 || isTooLong || instantsOfHours(longer).instants * series > MOST_POINTS) break;
    if (hour !== firstHour - 1) break;
    firstHour = hour;
  }
  return { firstHour, lastHour };
}
