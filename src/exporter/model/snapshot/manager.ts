/** Keeps the model across restarts: loads it at start, saves it after each training, and keeps account of both. */

import type { Logger } from '../../../lib/logging/logger.js';
import { messageOf } from '../../../lib/logging/message-of.js';
import { readSnapshot, type Snapshot, type TrainingConfiguration } from './snapshot.js';
import type { ModelStore } from './store.js';

/** What is known of the file. Times are Unix times in seconds. */
export interface SnapshotState {
  readonly path: string;
  /** Whether the last model was saved; `undefined` before the first attempt. */
  readonly lastSaveSucceeded: boolean | undefined;
  /** End of the training of the model in the file, as far as it was saved or loaded by this process. */
  readonly trainedSeconds: number | undefined;
  /** Size of that file. */
  readonly sizeBytes: number | undefined;
  readonly lastError: { readonly message: string; readonly timeSeconds: number } | undefined;
}

/** What snapshots are kept with. */
export interface SnapshotManagerOptions {
  readonly store: ModelStore;
  readonly configuration: TrainingConfiguration;
  /** An older model is not loaded. */
  readonly maximumAgeSeconds: number;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** Neither of its methods rejects: without a snapshot all goes on as without the setting. */
export class SnapshotManager {
  readonly #options: SnapshotManagerOptions;
  #state: SnapshotState;

  constructor(options: SnapshotManagerOptions) {
    this.#options = options;
    this.#state = {
      path: options.store.path,
      lastSaveSucceeded: undefined,
      trainedSeconds: undefined,
      sizeBytes: undefined,
      lastError: undefined,
    };
  }

  /** The model in the file, if it may be used; the log says why not. */
  async load(): Promise<Snapshot | undefined> {
    const { store, configuration, maximumAgeSeconds, logger, now } = this.#options;
    await store.removeLeftovers();
    try {
      const bytes = await store.read();
      if (bytes === undefined) {
        logger.info({ path: store.path }, `There is no snapshot of a model yet. ${UNTIL_TRAINED}`);
        return undefined;
      }
      const nowSeconds = now() / 1000;
      const snapshot = readSnapshot(bytes, { configuration, nowSeconds, maximumAgeSeconds });
      const { model, trainedSeconds } = snapshot;
      this.#state = { ...this.#state, trainedSeconds, sizeBytes: bytes.length };
      const ageSeconds = Math.round(nowSeconds - trainedSeconds);
      logger.info({ path: store.path, pods: model.pods, ageSeconds }, 'Loaded the model of the last run.');
      return snapshot;
    } catch (error) {
      this.#fail(`The snapshot ${store.path} is not used: ${reasonOf(error)}. ${UNTIL_TRAINED}`);
      return undefined;
    }
  }

  /**
   * @param snapshot as `encodeSnapshot` has made it.
   * @param trainedSeconds end of the training, Unix time in seconds.
   */
  async save(snapshot: Uint8Array, trainedSeconds: number): Promise<void> {
    const { store, logger } = this.#options;
    try {
      await store.write(snapshot);
      const sizeBytes = snapshot.length;
      this.#state = { ...this.#state, lastSaveSucceeded: true, trainedSeconds, sizeBytes };
      logger.debug({ path: store.path, sizeBytes }, 'Saved the model.');
    } catch (error) {
      this.#state = { ...this.#state, lastSaveSucceeded: false };
      this.#fail(
        `The model was not saved to ${store.path}: ${reasonOf(error)}. The new model scores all the same; what was ` +
          'saved before is still there, and the next training tries again.',
      );
    }
  }

  #fail(message: string): void {
    this.#state = { ...this.#state, lastError: { message, timeSeconds: this.#options.now() / 1000 } };
    this.#options.logger.warn({}, message);
  }

  state(): SnapshotState {
    return this.#state;
  }
}

const UNTIL_TRAINED = 'Pods are scored once the first training has ended, and its model is saved there.';

const NO_FOLDER = 'its folder is not there; create it, or mount a volume';

/** What the system says, in words. */
const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: NO_FOLDER,
  ENOTDIR: NO_FOLDER,
  EACCES: 'this user may not do that (EACCES)',
  EPERM: 'this user may not do that (EPERM)',
  EROFS: 'the file system is read-only; mount a volume that is not',
  ENOSPC: 'the disk is full (ENOSPC)',
  EDQUOT: 'the quota is used up (EDQUOT)',
  EFBIG: 'the file is larger than this process may write (EFBIG)',
  EISDIR: 'there is a folder of that name',
};

/** Why a file could not be read or written, in words. */
export function reasonOf(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return FAILURES[code] ?? messageOf(error);
}
