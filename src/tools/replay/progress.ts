/** Shows how far a replay is: a bar on a terminal, a line for each case elsewhere. */

import type { Writable } from 'node:stream';
import { formatDuration } from '../../lib/text/format.js';

/** Where to write. `process.stderr` is one. */
export type ProgressOutput = Writable & { readonly isTTY?: boolean };

export interface Progress {
  /** @param share of all work that is done, in [0, 1]. @param what the case at hand. */
  show(share: number, what: string): void;
  caseDone(line: string): void;
  /** Leaves a clean line. */
  end(): void;
}

/** A bar that is repainted at most this often. */
const REPAINT_MILLISECONDS = 100;

const BAR_WIDTH = 30;

/** ANSI: to the start of the line, and clear it. */
const CLEAR_LINE = '\r\x1b[K';

/** @param now Unix time in milliseconds. */
export function createProgress(output: ProgressOutput, now: () => number): Progress {
  const write = (text: string) => void output.write(text);
  const nothing = () => undefined;
  if (!output.isTTY) return { show: nothing, caseDone: (line) => write(`${line}\n`), end: nothing };
  const started = now();
  let painted = Number.NEGATIVE_INFINITY;
  return {
    show(share, what) {
      if (now() - painted < REPAINT_MILLISECONDS) return;
      painted = now();
      write(CLEAR_LINE + progressLine(share, what, (painted - started) / 1000));
    },
    caseDone: nothing,
    end: () => write(CLEAR_LINE),
  };
}

/** The bar, percentage, case, and time left after `elapsedSeconds`. */
export function progressLine(share: number, what: string, elapsedSeconds: number): string {
  const done = Math.round(share * BAR_WIDTH);
  const bar = '#'.repeat(done) + '-'.repeat(BAR_WIDTH - done);
  const percentage = `${Math.floor(100 * share)} %`.padStart(5);
  const left = share > 0.01 ? `, ${formatDuration(Math.ceil((elapsedSeconds * (1 - share)) / share))} left` : '';
  return `[${bar}] ${percentage}  ${what.length > 40 ? `${what.slice(0, 39)}…` : what}${left}`;
}
