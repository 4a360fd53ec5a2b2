/** Logs: one JSON object a line for machines, or lines for people. */

import { type Logger as PinoLogger, pino } from 'pino';
import pretty from 'pino-pretty';

/** Each call takes fields first, then a sentence. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>;

/** A logger that writes to standard error, where container runtimes and service managers collect it. */
export function createLogger({
  level,
  format,
}: {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'json' | 'text';
}): Logger {
  const standardError = 2;
  const forPeople = { sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' };
  const destination =
    format === 'json'
      ? pino.destination({ dest: standardError, sync: true })
      : pretty({ ...forPeople, destination: standardError });
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
