/** What was read from files, renewed when they change; invalid files leave the last valid value in place. */

import { stat } from 'node:fs/promises';
import { messageOf } from '../logging/message-of.js';

export interface WatchOptions<Value> {
  /** Reads the files; `previous` is the value in use. It rejects with the reason in words when they are invalid. */
  readonly read: (previous: Value | undefined) => Promise<Value>;
  readonly filesOf: (value: Value) => readonly string[];
  /** Called after each reading that gives a value; `recovered` after one that failed. */
  readonly onRead?: (value: Value, previous: Value, recovered: boolean) => void;
  /** Called when a reading fails; once for each reason, until one succeeds. */
  readonly onFailure: (reason: string) => void;
}

/** To read a broken file takes time, in which nothing else goes on. */
const LOOKS_AT_BROKEN = 10;

/** The last valid value of some files. */
export class WatchedFile<Value> {
  #current: Value;
  #version: string | undefined;
  #failure: string | undefined;
  #refreshing: Promise<void> | undefined;
  /** The version at the last look for a settled one. */
  #looked: string | undefined;
  /** How often that was the same since. */
  #settledLooks = 0;

  /** Reads the files for the first time. Rejects as `read` does: there is no value to keep. */
  static async open<Value>(options: WatchOptions<Value>): Promise<WatchedFile<Value>> {
    const files = options.filesOf(await options.read(undefined));
    // Older than what is read below: what changes in between is found by the next refresh.
    const version = await versionOf(files);
    return new WatchedFile(await options.read(undefined), options, version);
  }

  /** @param current what was read already. Without the version of the files, the first refresh reads them again. */
  constructor(
    current: Value,
    private readonly options: WatchOptions<Value>,
    version?: string,
  ) {
    this.#current = current;
    this.#version = version;
  }

  get current(): Value {
    return this.#current;
  }

  /** Why the last reading failed; `undefined` after a success. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Reads again what has changed, and after a failure in any case. Does not reject, and does not overlap. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /**
   * Refreshes if the files are as they were at the last call of this: one that is being written differs from look to look. What
   * is broken is read again at every tenth look only, since it may name files that have come meanwhile. Does not reject.
   */
  async refreshSettled(): Promise<void> {
    const version = await versionOf(this.options.filesOf(this.#current));
    if (version !== this.#looked) {
      this.#looked = version;
      this.#settledLooks = 0;
      return;
    }
    const isTurn = this.#failure === undefined || this.#settledLooks % LOOKS_AT_BROKEN === 0;
    this.#settledLooks++;
    if (isTurn) await this.refresh();
  }

  async #refresh(): Promise<void> {
    const { read, filesOf, onRead, onFailure } = this.options;
    // Older than what is read, and of the files that were named before: a difference is read once more.
    const version = await versionOf(filesOf(this.#current));
    if (this.#failure === undefined && version === this.#version) return;
    try {
      const previous = this.#current;
      const recovered = this.#failure !== undefined;
      this.#current = await read(previous);
      this.#version = version;
      this.#failure = undefined;
      onRead?.(this.#current, previous, recovered);
    } catch (error) {
      const reason = messageOf(error);
      if (reason === this.#failure) return;
      this.#failure = reason;
      onFailure(reason);
    }
  }
}

/**
 * Differs when a file was written, replaced or removed. Kubernetes replaces the target of a symbolic link (another
 * inode); an editor may write the same length in the same second.
 */
async function versionOf(files: readonly string[]): Promise<string> {
  const all = await Promise.all(files.map((file) => stat(file, { bigint: true }).catch(() => undefined)));
  return all.map((of) => of && [of.ino, of.size, of.mtimeNs, of.ctimeNs].join(' ')).join('\n');
}
