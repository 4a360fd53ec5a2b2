/** When a cron expression is due in a time zone, also where its clocks change. */

import { type ClockChange, TimeZone } from '../../lib/time-zone.js';
import { CronTimes } from './cron-times.js';

/** Longer than any change of a clock: some islands have skipped a day. */
const LONGEST_CHANGE_SECONDS = 25 * 3600;

/**
 * The instants at which work is due. Times are Unix times in whole seconds.
 *
 * Where clocks go back, an hour comes twice, and where they go forward, one is missing. Work that is also due in the hour
 * before or after goes on by the clock on the wall: twice in the hour that comes twice, and not in the missing one, so
 * that a quarter of an hour stays one. Other work is due once, such as the daily one at 2:30: the first time that it is
 * 2:30, or when it would have been 2:30 had the clock not changed.
 */
export class RunTimes {
  readonly #times: CronTimes;
  readonly #zone: TimeZone;

  /**
   * @param expression 5 fields, or 6 with seconds first.
   * @param timezone an IANA name.
   * @throws {Error} when one of them is invalid.
   */
  constructor(expression: string, timezone: string) {
    this.#times = new CronTimes(expression);
    this.#zone = new TimeZone(timezone);
  }

  /** The first instant that is later than a time; `undefined` where there is none. */
  after(timeSeconds: number): number | undefined {
    let start = Math.floor(timeSeconds) + 1;
    for (;;) {
      const due = this.#withoutChangeFrom(start);
      if (due === undefined) return undefined;
      // Only the changes near the instant matter, not those on the way to it.
      const near = due - LONGEST_CHANGE_SECONDS;
      const change = near - start > LONGEST_CHANGE_SECONDS ? undefined : this.#zone.firstChange(start, due);
      if (near - start > LONGEST_CHANGE_SECONDS) start = near;
      else if (change === undefined) return due;
      else start = change.atSeconds;
    }
  }

  /** The first instant from a time on, as if no clock changed later than that. */
  #withoutChangeFrom(start: number): number | undefined {
    const change = this.#zone.firstChange(start - LONGEST_CHANGE_SECONDS, start);
    const offset = this.#zone.offsetSeconds(start);
    if (change === undefined || this.#goesOnAcross(change)) return this.#byOffset(start, offset);
    const settled = change.atSeconds + Math.abs(change.after - change.before);
    if (change.after < change.before) return this.#byOffset(Math.max(start, settled), offset);
    const missed = this.#byOffset(start, change.before);
    return missed !== undefined && missed < settled ? missed : this.#byOffset(start, offset);
  }

  #byOffset(start: number, offsetSeconds: number): number | undefined {
    const wall = this.#times.after(start + offsetSeconds - 1);
    return wall === undefined ? undefined : wall - offsetSeconds;
  }

  /** Whether work is due in as long a time before, or after, what is missing or comes twice. */
  #goesOnAcross({ atSeconds, before, after }: ClockChange): boolean {
    const length = Math.abs(after - before);
    const start = atSeconds + Math.min(before, after);
    return [start - length, start + length].some((from) => {
      const due = this.#times.after(from - 1);
      return due !== undefined && due < from + length;
    });
  }
}
