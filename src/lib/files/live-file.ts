/** A file that somebody may change while the process runs: what it says now, and how the last reading went. */

import type { Logger } from '../logging/logger.js';
import { WatchedFile, type WatchOptions } from './watched-file.js';

/** How the last reading went. */
export interface ReloadState {
  readonly successful: boolean;
  /** End of the last reading that succeeded, Unix time. */
  readonly lastSuccessSeconds: number;
}

interface LiveOptions<Value> extends Omit<WatchOptions<Value>, 'onFailure'> {
  /** For the log, to read after "Reloading the". */
  readonly what: string;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/**
 * How often files are checked, whether requests come or not: so a mistake is in the log and in the metrics before somebody
 * needs what the file says, and no request waits for a disk.
 */
const INTERVAL_MILLISECONDS = 1_000;

/** A watched file that reports on its readings. */
export class LiveFile<Value> {
  #lastSuccessSeconds: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #watched: WatchedFile<Value>;

  /** Reads for the first time. Rejects as `read` does: there is no valid value yet that could stay. */
  static async open<Value>(options: LiveOptions<Value>): Promise<LiveFile<Value>> {
    const { what, logger, onRead } = options;
    let live: LiveFile<Value> | undefined;
    const watched = await WatchedFile.open<Value>({
      ...options,
      onRead: (...reading) => {
        if (live !== undefined) live.#lastSuccessSeconds = options.now() / 1000;
        onRead?.(...reading);
      },
      onFailure: (reason) => logger.warn({}, `Reloading the ${what} failed; the previous one stays active. ${reason}`),
    });
    live = new LiveFile(watched, options.now() / 1000);
    return live;
  }

  private constructor(watched: WatchedFile<Value>, nowSeconds: number) {
    this.#watched = watched;
    this.#lastSuccessSeconds = nowSeconds;
  }

  get current(): Value {
    return this.#watched.current;
  }

  get state(): ReloadState {
    return { successful: this.failure === undefined, lastSuccessSeconds: this.#lastSuccessSeconds };
  }

  /** Why the last reading failed, in words; `undefined` after a success. */
  get failure(): string | undefined {
    return this.#watched.failure;
  }

  /** Reads what has changed, and after a failure in any case. Does not reject, and does not overlap. */
  refresh(): Promise<void> {
    return this.#watched.refresh();
  }

  /**
   * Checks every second from now on, and reads what has not changed from one second to the next. The timer does not keep the
   * process alive.
   */
  watch(): this {
    this.#timer ??= setInterval(() => void this.#watched.refreshSettled(), INTERVAL_MILLISECONDS).unref();
    return this;
  }

  /** Ends the watch for changes. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
