/** Logs: one JSON object a line for machines, or lines for people. */

import { type Logger as PinoLogger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { LogOutput } from './log-output.js';

/** Each call takes fields first, then a sentence. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>;

/** A logger that knows how many of its lines nobody has read. */
export interface ProcessLogger extends Logger {
  /** Lines that were dropped because their reader stalled or left. */
  dropped(): number;
}

/**
 * A logger that writes to standard error, where container runtimes and service managers collect it. It never waits for the
 * reader of a pipe or socket.
 */
export function createLogger(
  {
    level,
    format,
  }: {
    readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
    readonly format: 'json' | 'text';
  },
  standardError = process.stderr,
): ProcessLogger {
  const output = new LogOutput(standardError, (dropped) =>
    logger.warn({ dropped }, 'Lines of this log were dropped, since nobody read them in time.'),
  );
  const forPeople = prettyFactory({
    colorize: standardError.isTTY === true,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
  });
  const write =
    format === 'json' ? (line: string) => output.write(line) : (line: string) => output.write(forPeople(line));
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write });
  return Object.assign(logger, { dropped: () => output.dropped });
}
