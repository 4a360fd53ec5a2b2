/** What a server says beside many answers, each of which may have other remarks: the first ones say enough. */

import { isPartial } from './api.js';

/** Remarks that are kept of each kind. */
const MOST_REMARKS = 20;

const MORE = 'There were more remarks, which are not listed.';

/** Remarks, each once. Those by which an answer is partial come first, and no others take their places. */
export class Remarks {
  readonly #grave = new Set<string>();
  readonly #others = new Set<string>();
  #hasMore = false;

  /** @param text in which the remark is shown. */
  add(remark: string, text = remark): void {
    const kept = isPartial({ warnings: [remark] }) ? this.#grave : this.#others;
    if (kept.size < MOST_REMARKS) kept.add(text);
    else if (!kept.has(text)) this.#hasMore = true;
  }

  /** Whether an answer may lack a part of the data. */
  get isPartial(): boolean {
    return this.#grave.size > 0;
  }

  get texts(): readonly string[] {
    return [...this.#grave, ...this.#others, ...(this.#hasMore ? [MORE] : [])];
  }
}
