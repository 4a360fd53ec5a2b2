/** One work for all who want the same at the same time. */

/** A work has ended early because nobody wants its result any more. */
export class AbandonedError extends Error {
  override readonly name = 'AbandonedError';

  constructor() {
    super('Nobody waits for the result any more.');
  }
}

/** A work that is under way, and its callers. */
interface Work<Value> {
  readonly result: Promise<Value>;
  readonly callers: (() => boolean)[];
}

/** Works that are under way, by what they are about. Nothing is kept when a work has ended. */
export class SharedWork<Key, Value> {
  readonly #running = new Map<Key, Work<Value>>();

  /**
   * The result of the work about this that is under way, or of a new one. Rejects as the work does.
   *
   * @param stillWants whether the caller still wants the result.
   * @param work calls `requireWanted` now and then, which throws an `AbandonedError` once no caller wants the result; a
   *   later caller starts another work.
   */
  run(key: Key, stillWants: () => boolean, work: (requireWanted: () => void) => Promise<Value>): Promise<Value> {
    const running = this.#running.get(key);
    if (running !== undefined) {
      running.callers.push(stillWants);
      return running.result;
    }
    const callers = [stillWants];
    const end = () => {
      if (this.#running.get(key)?.callers === callers) this.#running.delete(key);
    };
    const requireWanted = () => {
      if (callers.some((wants) => wants())) return;
      end();
      throw new AbandonedError();
    };
    const result = work(requireWanted).finally(end);
    this.#running.set(key, { result, callers });
    return result;
  }
}
