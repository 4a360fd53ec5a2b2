/** The cron side of retraining. */

import * as cron from 'node-cron';
import type { Logger } from '../logging/logger.js';

/** A schedule that runs until it is stopped. */
export interface Schedule {
  /** When the work is due next, if ever. */
  nextRun(): Date | null;
  /** Time from the next run to the one after it, in seconds; `undefined` where there are no two more. */
  intervalSeconds(): number | undefined;
  stop(): void;
}

/**
 * Runs `work` whenever the cron expression says.
 *
 * @param expression 5 fields, or 6 with seconds first; validated with the settings.
 * @param timezone an IANA name.
 * @param work must not reject.
 */
export function startSchedule(
  expression: string,
  timezone: string,
  work: () => Promise<unknown>,
  logger: Logger,
): Schedule {
  const task = cron.schedule(expression, work, {
    timezone,
    noOverlap: true,
    logger: {
      debug: (message) => logger.debug({}, String(message)),
      info: (message) => logger.debug({}, message),
      warn: (message) => logger.warn({}, message),
      error: (message) => logger.error({}, String(message)),
    },
  });
  return {
    nextRun: () => task.getNextRun(),
    intervalSeconds: () => {
      const [first, second] = task.getNextRuns(2);
      return first && second && (second.getTime() - first.getTime()) / 1000;
    },
    stop: () => void task.destroy(),
  };
}
