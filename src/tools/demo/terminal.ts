/** Writes to the terminal: a screen that is redrawn, or a line for each event where the output is not a terminal. */

import type { Writable } from 'node:stream';
import type { Progress } from './progress.js';
import { screen } from './screen.js';
import { announcement, clock, events, introduction, type Line, type Links, summary } from './words.js';

/** Where to write. `process.stdout` is one. */
export type Output = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export interface View {
  show(progress: Progress): void;
  /** Writes a summary below what was shown. */
  end(progress: Progress): void;
}

export function createView(output: Output, links: Links, colours: boolean, begin: Progress): View {
  return output.isTTY ? createScreen(output, links, colours) : createLog(output, links, begin);
}

/** ANSI: to the top left corner; clear to the end of the line; clear everything below. */
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const STYLES = { bold: 1, dim: 2, bad: 31, good: 32 };

function createScreen(output: Output, links: Links, colours: boolean): View {
  const paint = ({ text, style }: Line) => (style && colours ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text);
  return {
    show(progress) {
      // A line that the terminal wraps would shift the following ones; the last row is that of the cursor.
      const size = { columns: Math.max(1, (output.columns ?? 80) - 1), rows: Math.max(1, (output.rows ?? 50) - 1) };
      const lines = screen(links, progress, size);
      output.write(HOME + lines.map((line) => `${paint(line)}${CLEAR_LINE}\n`).join('') + CLEAR_BELOW);
    },
    end: (progress) => void output.write(`\n${summary(progress)}\n`),
  };
}

const SUMMARY_SECONDS = 30;

function createLog(output: Output, links: Links, begin: Progress): View {
  let previous = begin;
  let summarised = begin.timeSeconds;
  const write = (progress: Progress, text: string) =>
    output.write(`${clock(progress.timeSeconds - begin.timeSeconds).padStart(5)}  ${text}\n`);
  for (const { text } of introduction(links, begin.pods)) output.write(`${text}\n`);
  for (const text of announcement(begin)) output.write(`${text}\n`);
  return {
    show(progress) {
      for (const event of events(previous, progress)) write(progress, event);
      if (progress.timeSeconds - summarised >= SUMMARY_SECONDS) {
        write(progress, summary(progress));
        summarised = progress.timeSeconds;
      }
      previous = progress;
    },
    end: (progress) => void write(progress, summary(progress)),
  };
}
