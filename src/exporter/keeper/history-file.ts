/** The file of the history: loaded at start, saved now and then, with an account of both. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../../lib/logging/logger.js';
import { withDays } from '../history/resize.js';
import type { HistoryState } from '../history/workload-history.js';
import { decodeHistory, encodeHistory, type HistoryConfiguration } from '../model/snapshot/history-codec.js';
import { reasonOf } from '../model/snapshot/manager.js';
import type { ModelStore } from '../model/snapshot/store.js';

/** What is known of the file. Times are Unix times in seconds. */
export interface HistoryFileState {
  readonly path: string;
  /** Whether the last save succeeded; `undefined` before the first. */
  readonly lastSaveSucceeded: boolean | undefined;
  /** When this process last saved it. */
  readonly savedSeconds: number | undefined;
  /** Size of the file, as far as it was saved or loaded by this process. */
  readonly sizeBytes: number | undefined;
  readonly lastError: { readonly message: string; readonly timeSeconds: number } | undefined;
}

/** How often to save while the history is filled: what is lost with the process takes as long to read again. */
const SAVE_EVERY_MILLISECONDS = 5 * 60_000;

/** Neither of its methods rejects: without a file, all goes on as without the setting. */
export class HistoryFile {
  #state: HistoryFileState;
  #lastSaveMilliseconds: number;

  constructor(
    private readonly options: {
      readonly store: ModelStore;
      readonly configuration: HistoryConfiguration;
      /** How far back the history is to reach. */
      readonly days: number;
      readonly logger: Logger;
      /** Unix time in milliseconds. */
      readonly now: () => number;
    },
  ) {
    this.#lastSaveMilliseconds = options.now();
    this.#state = {
      path: options.store.path,
      lastSaveSucceeded: undefined,
      savedSeconds: undefined,
      sizeBytes: undefined,
      lastError: undefined,
    };
  }

  /** The history in the file, if it may be used; the log says why not. */
  async load(): Promise<HistoryState | undefined> {
    const { store, configuration, days, logger } = this.options;
    await store.removeLeftovers();
    try {
      const bytes = await store.read();
      if (bytes === undefined) return undefined;
      const state = decodeHistory(bytes, configuration);
      this.#state = { ...this.#state, sizeBytes: bytes.length };
      const hours = state.hours.reduce((count, hour) => count + Number(hour !== -1), 0);
      logger.info({ path: store.path, workloads: state.workloads.length, hours }, 'Loaded the history of workloads.');
      return withDays(state, days);
    } catch (error) {
      this.#fail(`The history ${store.path} is not used: ${reasonOf(error)}. It is read from Prometheus again.`);
      return undefined;
    }
  }

  /** Whether the last save was long enough ago, or the clock was set back. */
  get isDue(): boolean {
    const age = this.options.now() - this.#lastSaveMilliseconds;
    return age >= SAVE_EVERY_MILLISECONDS || age < 0;
  }

  /** @returns whether it was saved; the log says why not. */
  async save(state: HistoryState): Promise<boolean> {
    const { store, configuration, logger, now } = this.options;
    this.#lastSaveMilliseconds = now();
    try {
      const bytes = await encodeHistory(state, configuration, nextTurn);
      await store.write(bytes);
      const sizeBytes = bytes.length;
      this.#state = { ...this.#state, lastSaveSucceeded: true, savedSeconds: now() / 1000, sizeBytes };
      logger.debug({ path: store.path, sizeBytes }, 'Saved the history of workloads.');
      return true;
    } catch (error) {
      this.#state = { ...this.#state, lastSaveSucceeded: false };
      this.#fail(
        `The history of workloads was not saved to ${store.path}: ${reasonOf(error)}. It is used all the same; what was ` +
          'saved before is still there.',
      );
      return false;
    }
  }

  #fail(message: string): void {
    this.#state = { ...this.#state, lastError: { message, timeSeconds: this.options.now() / 1000 } };
    this.options.logger.warn({}, message);
  }

  state(): HistoryFileState {
    return this.#state;
  }
}
