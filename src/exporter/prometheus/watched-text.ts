/** A text that stands in a file and changes with it, such as a token that Kubernetes rotates. */

import { stat } from 'node:fs/promises';
import { readBoundedText } from '../../lib/files/bounded-file.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { RenewableText } from './connection.js';

/**
 * The last good text of a file. A file that vanishes, or holds what cannot be used, leaves the text as it was, with
 * one warning until it is good again.
 */
export class WatchedText {
  readonly #file: string | undefined;
  readonly #mistakeOf: (text: string) => string | undefined;
  readonly #onWarning: (sentence: string) => void;
  #text: string;
  /** What tells one version of the file from another; `undefined` before the first look. */
  #version: string | undefined;
  #looking: Promise<void> | undefined;
  #warning: string | undefined;

  /**
   * @param mistakeOf why a text cannot be used, as the end of a sentence; `undefined` if it can.
   * @param onWarning told of a file that cannot be used.
   */
  constructor(
    { text, file }: RenewableText,
    mistakeOf: (text: string) => string | undefined,
    onWarning: (sentence: string) => void,
  ) {
    this.#text = text;
    this.#file = file;
    this.#mistakeOf = mistakeOf;
    this.#onWarning = onWarning;
  }

  get text(): string {
    return this.#text;
  }

  /** Whether there is a file that may change. */
  get isFile(): boolean {
    return this.#file !== undefined;
  }

  /** Looks for a newer version of the file, once for all who ask at the same time. Does not reject. */
  look(): Promise<void> {
    if (this.#file === undefined) return Promise.resolve();
    this.#looking ??= this.#read(this.#file).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #read(file: string): Promise<void> {
    try {
      // Kubernetes swaps a symbolic link: another inode. An editor may write the same length in the same second.
      const { ino, size, mtimeMs, ctimeMs } = await stat(file);
      const version = [ino, size, mtimeMs, ctimeMs].join();
      if (version === this.#version) return;
      const text = (await readBoundedText(file)).trim();
      const mistake = this.#mistakeOf(text);
      this.#version = version;
      if (mistake === undefined) {
        this.#text = text;
        this.#warning = undefined;
      } else this.#warn(`${file} cannot be used: ${mistake}`);
    } catch (error) {
      // Whatever comes back may be another file with the same numbers.
      this.#version = undefined;
      this.#warn(`${file} cannot be read: ${messageOf(error)}`);
    }
  }

  #warn(reason: string): void {
    if (reason === this.#warning) return;
    this.#warning = reason;
    this.#onWarning(`What was read from it before stays in use. ${reason}`);
  }
}
