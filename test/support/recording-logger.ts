/** A logger that remembers. */

import type { ProcessLogger } from '../../src/lib/logging/logger.js';

/** One line of the log. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: unknown;
}

/** A logger, and what was written to it so far. */
export interface RecordingLogger extends ProcessLogger {
  readonly lines: LogLine[];
}

export function recordingLogger(): RecordingLogger {
  const lines: LogLine[] = [];
  const write =
    (level: LogLine['level']) =>
    (fields: unknown, message?: string): void => {
      lines.push(
        typeof fields === 'string'
          ? { level, message: fields, fields: {} }
          : { level, message: String(message), fields },
      );
    };
  return {
    lines,
    dropped: () => 0,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
}
