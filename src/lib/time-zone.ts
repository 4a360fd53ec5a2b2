/** Local time in a time zone, and when its clocks change. */

/** A time zone changes its offset. */
export interface ClockChange {
  /** The first second with the new offset, Unix time. */
  readonly atSeconds: number;
  /** Seconds by which the local time is ahead of UTC, before and after the change. */
  readonly before: number;
  readonly after: number;
}

const PARTS = ['year', 'month', 'day', 'hour', 'minute', 'second'] as const;

/** Changes that are closer to each other than this are missed if the later one undoes the earlier one. No zone has any. */
const SAMPLE_SECONDS = 6 * 3600;

/** One time zone. Making one takes a thousand times as long as asking it. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;

  /**
   * @param name an IANA name.
   * @throws {RangeError} when this machine does not know it.
   */
  constructor(name: string) {
    const digits = { month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, hourCycle: 'h23', year: 'numeric', ...digits });
  }

  /** Seconds by which the local time is ahead of UTC at a whole second, Unix time. */
  offsetSeconds(timeSeconds: number): number {
    const parts = this.#format.formatToParts(timeSeconds * 1000);
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = PARTS.map((type) =>
      Number(parts.find((part) => part.type === type)?.value),
    );
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - timeSeconds;
  }

  /**
   * The first change in a span of time.
   *
   * @param afterSeconds whole seconds, Unix time; a change at that second does not count.
   * @param untilSeconds included.
   */
  firstChange(afterSeconds: number, untilSeconds: number): ClockChange | undefined {
    const before = this.offsetSeconds(afterSeconds);
    for (let unchanged = afterSeconds; unchanged < untilSeconds; ) {
      const sample = Math.min(unchanged + SAMPLE_SECONDS, untilSeconds);
      if (this.offsetSeconds(sample) === before) unchanged = sample;
      else return this.#findChange(before, unchanged, sample);
    }
    return undefined;
  }

  #findChange(before: number, unchangedSeconds: number, changedSeconds: number): ClockChange {
    let [unchanged, changed] = [unchangedSeconds, changedSeconds];
    while (changed - unchanged > 1) {
      const middle = Math.floor((unchanged + changed) / 2);
      if (this.offsetSeconds(middle) === before) unchanged = middle;
      else changed = middle;
    }
    return { atSeconds: changed, before, after: this.offsetSeconds(changed) };
  }
}
