/** How much of what on-call gets is the same every day. */

import type { Message } from './messages.js';

const DAY_SECONDS = 86_400;

/** Messages this close in time of day are at the same time. */
const TOLERANCE_SECONDS = 1800;

/** What came once before may be chance. */
const FEWEST_DAYS_BEFORE = 2;

/**
 * Compares the messages of the last day with those of the days before.
 *
 * @param lengthSeconds of the time that the messages are of.
 * @returns the messages of the last 24 hours, those of them that came about the same workload, at the same time of day, on
 *   most of the days before, and whole days before the last one; `undefined` with fewer than two of these.
 */
export function recurrenceOf(messages: readonly Message[], lengthSeconds: number) {
  const daysBefore = Math.floor(lengthSeconds / DAY_SECONDS) - 1;
  if (daysBefore < FEWEST_DAYS_BEFORE) return undefined;
  const today = messages.filter(({ sentSeconds }) => sentSeconds >= lengthSeconds - DAY_SECONDS);
  const everyDay = today.filter((message) => {
    const days = Array.from({ length: daysBefore }, (_, index) => message.sentSeconds - (index + 1) * DAY_SECONDS);
    const like = days.filter((time) =>
      messages.some(
        (other) =>
          other.namespace === message.namespace &&
          other.workload === message.workload &&
          Math.abs(other.sentSeconds - time) <= TOLERANCE_SECONDS,
      ),
    );
    return 2 * like.length > daysBefore;
  });
  return { today: today.length, every_day: everyDay.length, days_before: daysBefore };
}
