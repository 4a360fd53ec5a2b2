/** The cron side of retraining. */

import * as cron from 'node-cron';
import type { Logger } from '../../lib/logging/logger.js';

/** A schedule that runs until it is stopped. */
export interface Schedule {
  /** When the work is due next, if ever. */
  nextRun(): Date | null;
  /** The longest time between two of the next runs, in seconds; `undefined` where there are no two more. */
  intervalSeconds(): number | undefined;
  stop(): void;
}

/** Enough to see the longest interval of an uneven expression, such as `0,50 * * * *`. */
const RUNS_AHEAD = 10;

/** As `Schedule.intervalSeconds`, without running anything. */
export function longestIntervalSeconds(expression: string, timezone: string): number | undefined {
  const task = cron.createTask(expression, () => undefined, { timezone });
  const interval = longestIntervalOf(task);
  void task.destroy();
  return interval;
}

function longestIntervalOf(task: cron.ScheduledTask): number | undefined {
  const runs = task.getNextRuns(RUNS_AHEAD).map((run) => run.getTime() / 1000);
  const intervals = runs.slice(1).map((run, index) => run - (runs[index] as number));
  return intervals.length === 0 ? undefined : Math.max(...intervals);
}

/**
 * Runs `work` whenever the cron expression says.
 *
 * @param expression 5 fields, or 6 with seconds first; validated with the settings.
 * @param timezone an IANA name.
 * @param work gets the time at which it was due, Unix time in seconds; must not reject.
 */
export function startSchedule(
  expression: string,
  timezone: string,
  work: (dueSeconds: number) => Promise<unknown>,
  logger: Logger,
): Schedule {
  const task = cron.schedule(expression, ({ date }) => work(date.getTime() / 1000), {
    timezone,
    noOverlap: true,
    // Else a clock that is set forward by a day makes a line of the log for every run of that day.
    suppressMissedWarning: true,
    logger: {
      debug: (message) => logger.debug({}, String(message)),
      info: (message) => logger.debug({}, message),
      warn: (message) => logger.warn({}, message),
      error: (message) => logger.error({}, String(message)),
    },
  });
  return {
    nextRun: () => task.getNextRun(),
    intervalSeconds: () => longestIntervalOf(task),
    stop: () => void task.destroy(),
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
  // Without a seconds field, all runs are at the beginning of a minute.
  const step = expression.trim().split(/\s+/).length === 6 ? 1 : 60;
  const task = cron.createTask(expression, () => undefined, { timezone });
  const runs: number[] = [];
  for (let time = Math.ceil(startSeconds / step) * step; time <= endSeconds; time += step) {
    if (task.match(new Date(time * 1000))) runs.push(time);
  }
  void task.destroy();
  return runs;
}
