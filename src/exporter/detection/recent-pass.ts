/** The pass that people see: the one of the last scrape, so that pages ask Prometheus nothing while it scrapes. */

import type { PassOutcome } from './detection.js';

/** Until two scrapes have come, and where they come faster than this, in seconds. */
const LEAST_SECONDS = 15;

/** Prometheus should scrape at least this often; people who look need nothing older, in seconds. */
const MOST_SECONDS = 120;

/** A scrape may be a little late. */
const TOLERANCE = 1.1;

/** Decides whether a pass is recent enough to be shown again: as long as the next scrape is not due. */
export class RecentPass {
  #lastScrape: number | undefined;
  /** Between the last scrapes, in milliseconds. Two of them: two Prometheus servers may scrape shortly one after the other. */
  #distances: readonly number[] = [];

  constructor(
    private readonly options: {
      readonly run: (scrapeTimeoutSeconds: number | undefined) => Promise<PassOutcome>;
      /** The last outcome, of whichever caller; `undefined` before the first. */
      readonly last: () => PassOutcome | undefined;
      /** Unix time in milliseconds. */
      readonly now: () => number;
    },
  ) {}

  /** A pass for a scrape. */
  scrape(scrapeTimeoutSeconds: number | undefined): Promise<PassOutcome> {
    const now = this.options.now();
    if (this.#lastScrape !== undefined) {
      this.#distances = [now - this.#lastScrape, ...this.#distances.slice(0, 1)];
    }
    this.#lastScrape = now;
    return this.options.run(scrapeTimeoutSeconds);
  }

  /** The last outcome, or that of a new pass when the last is too old. */
  async recent(): Promise<PassOutcome> {
    const last = this.options.last();
    // Without a model a pass asks Prometheus nothing, and by now there may be a model.
    if (last === undefined || last.kind === 'no_model') return this.options.run(undefined);
    const scrapeSeconds = (TOLERANCE * Math.max(...this.#distances)) / 1000;
    const lifetimeSeconds = Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, scrapeSeconds));
    const isRecent = this.options.now() / 1000 - last.timeSeconds < lifetimeSeconds;
    return isRecent ? last : this.options.run(undefined);
  }
}
