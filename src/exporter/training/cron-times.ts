/** The times that a cron expression names, by a clock that never changes. */

import * as cron from 'node-cron';

const DAY_SECONDS = 86_400;

/** After as many days without a match there is none: 29 February falls on a given weekday every 28 years, or 40 around 2100. */
const MOST_DAYS = 41 * 366;

/**
 * A cron expression with its fields read. Times are seconds since 1970 by the clock on the wall, as if it showed UTC.
 */
export class CronTimes {
  readonly #fields: Readonly<Record<'hours' | 'minutes' | 'seconds' | 'months', readonly number[]>>;
  readonly #daysOfMonth: cron.ParsedFields['dayOfMonth'];
  readonly #days: cron.ScheduledTask;

  /**
   * @param expression 5 fields, or 6 with seconds first.
   * @throws {Error} when it is invalid.
   */
  constructor(expression: string) {
    const { hour, minute, second, month, dayOfMonth } = cron.parse(expression);
    // In the order of the expression, a value perhaps twice.
    this.#fields = { hours: sorted(hour), minutes: sorted(minute), seconds: sorted(second), months: month };
    this.#daysOfMonth = dayOfMonth;
    // What is asked of the package is only whether a day matches: the last Friday, the weekday nearest to the 15th.
    this.#days = cron.createTask(expression, () => undefined, { timezone: 'UTC' });
    void this.#days.destroy();
  }

  /** The first time that is later than a whole second; `undefined` where there is none. */
  after(wallSeconds: number): number | undefined {
    const first = Math.floor((wallSeconds + 1) / DAY_SECONDS);
    for (let day = first; day < first + MOST_DAYS; day++) {
      const second = this.#inDay(day === first ? wallSeconds + 1 - day * DAY_SECONDS : 0);
      if (second !== undefined && this.#matches(day)) return day * DAY_SECONDS + second;
    }
    return undefined;
  }

  /** The first second of a day that matches, from one on. */
  #inDay(fromSecond: number): number | undefined {
    const { hours, minutes, seconds } = this.#fields;
    for (const hour of hours) {
      if (hour * 3600 + 3599 < fromSecond) continue;
      for (const minute of minutes) {
        const begin = hour * 3600 + minute * 60;
        if (begin + 59 < fromSecond) continue;
        const second = seconds.find((own) => begin + own >= fromSecond);
        if (second !== undefined) return begin + second;
      }
    }
    return undefined;
  }

  #matches(day: number): boolean {
    const date = new Date(day * DAY_SECONDS * 1000);
    const { hours, minutes, seconds, months } = this.#fields;
    if (!months.includes(date.getUTCMonth() + 1)) return false;
    if (!this.#daysOfMonth.some((own) => typeof own === 'string' || own === date.getUTCDate())) return false;
    date.setUTCHours(hours[0] as number, minutes[0], seconds[0]);
    return this.#days.match(date);
  }
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
