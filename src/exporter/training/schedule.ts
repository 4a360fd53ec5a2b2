/** The cron side of retraining. */

import type { Logger } from '../../lib/logging/logger.js';
import { RunTimes } from './run-times.js';

/** A schedule that runs until it is stopped. */
export interface Schedule {
  /** When the work is due next, if ever. */
  nextRun(): Date | null;
  /** The longest time between two of the next runs, in seconds; `undefined` where there are no two more. */
  intervalSeconds(): number | undefined;
  /** How many times the work was due after `seconds` (Unix time), now included; at most `MOST_MISSED`. */
  dueSince(seconds: number): number;
  stop(): void;
}

export interface ScheduleOptions {
  /** 5 fields, or 6 with seconds first; validated with the settings. */
  readonly expression: string;
  /** An IANA name. */
  readonly timezone: string;
  /** Gets the time at which it was due, Unix time in seconds; must not reject. */
  readonly work: (dueSeconds: number) => Promise<unknown>;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Waits that long, or until the signal aborts; does not reject. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Enough to see the longest interval of an uneven expression, such as `0,50 * * * *`. */
const RUNS_AHEAD = 10;

/** More runs than this are not counted: an expression may have one each second. */
const MOST_MISSED = 10;

/** A clock that is set, or a machine that sleeps, is noticed after this time. */
const LONGEST_WAIT_SECONDS = 60;

/** What is this late is due now: the time at which it was due is no longer of interest. */
const LATE_SECONDS = 60;

/**
 * As `Schedule.intervalSeconds`, without running anything.
 *
 * @param nowSeconds Unix time.
 */
export function longestIntervalSeconds(expression: string, timezone: string, nowSeconds: number): number | undefined {
  return longestInterval(new RunTimes(expression, timezone), nowSeconds);
}

function longestInterval(times: RunTimes, nowSeconds: number): number | undefined {
  let longest: number | undefined;
  let last = times.after(nowSeconds);
  for (let run = 1; run < RUNS_AHEAD && last !== undefined; run++) {
    const next = times.after(last);
    if (next !== undefined) longest = Math.max(longest ?? 0, next - last);
    last = next;
  }
  return longest;
}

/** Runs the work whenever the cron expression says, never twice at the same time. */
export function startSchedule({ expression, timezone, work, logger, now, delay }: ScheduleOptions): Schedule {
  const times = new RunTimes(expression, timezone);
  const stopping = new AbortController();
  const nowSeconds = () => now() / 1000;
  let isBusy = false;
  let seen = nowSeconds();
  let next = times.after(seen);

  const run = (dueSeconds: number) => {
    if (isBusy) {
      const due = new Date(dueSeconds * 1000).toISOString();
      logger.warn({}, `The training of ${due} is left out: the one before has not ended.`);
      return;
    }
    isBusy = true;
    void work(dueSeconds).finally(() => {
      isBusy = false;
    });
  };
  const loop = async () => {
    while (next !== undefined) {
      await delay(Math.min(Math.max(0, next - seen), LONGEST_WAIT_SECONDS) * 1000, stopping.signal);
      if (stopping.signal.aborted) return;
      const time = nowSeconds();
      // The time that was next may be years away by a clock that was set back.
      if (time < seen - LATE_SECONDS) next = times.after(time);
      seen = time;
      if (next === undefined || time < next) continue;
      run(time - next > LATE_SECONDS ? time : next);
      next = times.after(time);
    }
  };
  void loop();
  return {
    nextRun: () => (next === undefined ? null : new Date(next * 1000)),
    intervalSeconds: () => longestInterval(times, nowSeconds()),
    dueSince: (seconds) => {
      let count = 0;
      for (let run = times.after(seconds); run !== undefined && run <= nowSeconds(); run = times.after(run)) {
        count++;
        if (count === MOST_MISSED) break;
      }
      return count;
    },
    stop: () => stopping.abort(),
  };
}

/**
 * When a schedule would have run in the past, or will run.
 *
 * @param expression as for `startSchedule`.
 * @param startSeconds first instant, Unix time; included.
 * @param endSeconds last instant; included.
 * @returns Unix times in seconds, ascending.
 */
export function runsBetween(expression: string, timezone: string, startSeconds: number, endSeconds: number): number[] {
  const times = new RunTimes(expression, timezone);
  const runs: number[] = [];
  let run = times.after(Math.ceil(startSeconds) - 1);
  while (run !== undefined && run <= endSeconds) {
    runs.push(run);
    run = times.after(run);
  }
  return runs;
}
