/** The end of a log that its reader may hold up, and that must not hold up its program. */

import type { Writable } from 'node:stream';

/** Bytes that wait for a reader: a few thousand lines. */
const MAXIMUM_WAITING_BYTES = 1024 * 1024;

/**
 * Writes lines to a stream whose reader may stall or leave. What a pipe or socket does not take waits, up to a limit; lines
 * beyond it are dropped, and so are all lines after the reader has left. Files and terminals take each line at once.
 */
export class LogOutput {
  #dropped = 0;
  /** Of them, those that the log has not reported yet. */
  #untold = 0;

  /**
   * @param stream as Node.js opens it for a pipe or socket: it takes what it can at once, and the rest later.
   * @param onResume called when the reader goes on, with the number of lines that it will never see.
   */
  constructor(
    private readonly stream: Writable,
    private readonly onResume: (dropped: number) => void,
  ) {
    // Without a listener, a reader that leaves (EPIPE) would end the process.
    stream.on('error', () => {});
    stream.on('drain', () => this.#tell());
  }

  /** Lines that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @param line with its end. */
  write(line: string): void {
    if (this.stream.writableLength < MAXIMUM_WAITING_BYTES) {
      this.stream.write(line, (error) => {
        if (error) this.#drop();
      });
    } else this.#drop();
  }

  #drop(): void {
    this.#dropped++;
    this.#untold++;
  }

  #tell(): void {
    const untold = this.#untold;
    this.#untold = 0;
    if (untold > 0) this.onResume(untold);
  }
}
