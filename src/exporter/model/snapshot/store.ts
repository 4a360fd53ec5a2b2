/** The snapshot on disk: whatever happens, the file is the old one or the new one, whole. */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { check } from './snapshot-error.js';

/** The part of `node:fs/promises` that is used. Tests replace it by one that fails. */
export type FileSystem = Pick<typeof nodeFiles, 'lstat' | 'open' | 'readdir' | 'rename' | 'unlink'>;

/** Only this user may read what pods there are, and nobody else may change what is loaded. */
const MODE = 0o600;

/** Ten times a model of 100,000 pods in 30,000 workloads (about 50 MiB); a history of four weeks and 20,000 workloads. */
export const LARGEST_FILE_BYTES = 512 * 2 ** 20;

/** A temporary file that was not written for this time belongs to a process that has ended. */
const LEFTOVER_MILLISECONDS = 60_000;

/** What the system says where a folder cannot be synchronised: some network file systems, and Windows. */
const NO_FOLDER_SYNC: readonly unknown[] = ['EINVAL', 'ENOTSUP', 'EISDIR', 'EPERM'];

/** Reads and writes one file. Any number of processes may do so with the same one. */
export class ModelStore {
  readonly path: string;
  readonly #now: () => number;
  readonly #files: FileSystem;
  readonly #largestBytes: number;

  /**
   * @param path of the file. Its folder must be there.
   * @param now Unix time in milliseconds.
   * @param largestBytes a larger file is neither read nor written: it would be something else.
   */
  constructor(
    path: string,
    now: () => number,
    files: FileSystem = nodeFiles,
    largestBytes: number = LARGEST_FILE_BYTES,
  ) {
    this.path = path;
    this.#now = now;
    this.#files = files;
    this.#largestBytes = largestBytes;
  }

  /**
   * The content of the file; `undefined` without a file.
   *
   * @throws {SnapshotError} when what is there cannot be a snapshot.
   * @throws {Error} of the file system.
   */
  async read(): Promise<Uint8Array | undefined> {
    // Without O_NONBLOCK, opening a pipe waits for somebody to write.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
    const file = await this.#files.open(this.path, flags).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    try {
      const stats = await file.stat();
      check(stats.isFile(), 'it is not a file');
      this.#requireReadable(stats.size);
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  /**
   * Puts a new file in the place of the old one: written beside it, synchronised, then renamed.
   *
   * @throws {SnapshotError} when it is too large to be read back: what cannot be loaded must not replace what can.
   * @throws {Error} of the file system. The old file is still there, and nothing beside it; unless all that failed was
   *   to synchronise the folder.
   */
  async write(content: Uint8Array): Promise<void> {
    this.#requireReadable(content.length);
    await this.removeLeftovers();
    const temporary = join(dirname(this.path), `${this.#temporaryPrefix()}${randomUUID()}${TEMPORARY_SUFFIX}`);
    // `wx`: never through a link that somebody has put there.
    const file = await this.#files.open(temporary, 'wx', MODE);
    try {
      const written = file.writeFile(content).then(() => file.sync());
      await written.finally(() => file.close());
      await this.#files.rename(temporary, this.path);
    } catch (error) {
      await this.#files.unlink(temporary).catch(() => undefined);
      throw error;
    }
    await this.#syncFolder();
  }

  /** Removes what processes have left behind that ended while they wrote. Does not reject. */
  async removeLeftovers(): Promise<void> {
    const folder = dirname(this.path);
    const names = await this.#files.readdir(folder).catch(() => []);
    for (const name of names) {
      if (!name.startsWith(this.#temporaryPrefix()) || !name.endsWith(TEMPORARY_SUFFIX)) continue;
      const path = join(folder, name);
      const stats = await this.#files.lstat(path).catch(() => undefined);
      // A young one may be another process at work.
      if (stats === undefined || this.#now() - stats.mtimeMs < LEFTOVER_MILLISECONDS) continue;
      await this.#files.unlink(path).catch(() => undefined);
    }
  }

  #requireReadable(bytes: number): void {
    check(bytes <= this.#largestBytes, `it has ${bytes} bytes where at most ${this.#largestBytes} are expected`);
  }

  #temporaryPrefix(): string {
    return `.${basename(this.path)}.`;
  }

  /** Makes the rename outlast a loss of power. */
  async #syncFolder(): Promise<void> {
    try {
      const folder = await this.#files.open(dirname(this.path), 'r');
      await folder.sync().finally(() => folder.close());
    } catch (error) {
      if (!NO_FOLDER_SYNC.includes((error as NodeJS.ErrnoException).code)) throw error;
    }
  }
}

const TEMPORARY_SUFFIX = '.tmp';
