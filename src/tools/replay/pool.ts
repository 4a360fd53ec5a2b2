/** A few threads that do one task after the other. */

import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { Tinypool } from 'tinypool';
import { messageOf } from '../../lib/logging/message-of.js';

/** What a thread gets: the task, and where it reports its progress. */
export interface ThreadInput<Task> {
  readonly task: Task;
  /** Takes the share of the task that is done, in [0, 1]. */
  readonly progress: { postMessage(share: number): void };
}

/** Threads that are kept from task to task. A thread that crashes is replaced, and its task rejects. */
export class ThreadPool<Task, Result> {
  readonly #pool: Tinypool;

  /**
   * @param file a module that exports `run`, from `ThreadInput` of a task to a promise of its result.
   * @param threads how many tasks run at the same time.
   */
  constructor(file: URL, threads: number) {
    const { href } = file;
    this.#pool = new Tinypool({ filename: href, name: 'run', minThreads: threads, maxThreads: threads });
    // A thread that fails between two tasks is replaced; no task suffers from it.
    this.#pool.on('error', () => undefined);
  }

  /**
   * Runs a task in the next thread that is free.
   *
   * @param signal rejects the task at once, and ends the thread that runs it.
   * @param onProgress receives the share of the task that is done.
   * @throws {Error} when the task fails, the thread crashes, the signal aborts, or the pool is closed.
   */
  async run(task: Task, signal: AbortSignal, onProgress: (share: number) => void): Promise<Result> {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', onProgress);
    // The task keeps the process alive, not its progress.
    port1.unref();
    try {
      const input: ThreadInput<Task> = { task, progress: port2 };
      return (await this.#pool.run(input, { transferList: [port2], signal })) as Result;
    } catch (error) {
      signal.throwIfAborted();
      throw new Error(`A replaying thread failed: ${messageOf(error)}`, { cause: error });
    } finally {
      // The result overtakes what was posted before it, which closing the port would lose.
      for (let last = receiveMessageOnPort(port1); last !== undefined; last = receiveMessageOnPort(port1)) {
        onProgress(last.message as number);
      }
      port1.close();
    }
  }

  /**
   * Runs a task for each of `items`, and yields their results in the same order. A few tasks are prepared ahead, so that
   * no thread waits for its data.
   *
   * @param prepare makes the task of an item; called one item after the other.
   * @param onProgress receives the share of all tasks that is done, and the item whose task is a little further.
   * @throws {Error} as `run`, of the first task in order that fails.
   */
  async *map<Item>(
    items: readonly Item[],
    prepare: (item: Item) => Task | Promise<Task>,
    signal: AbortSignal,
    onProgress: (share: number, item: Item) => void,
  ): AsyncGenerator<readonly [item: Item, result: Result], void, void> {
    const shares = new Map<Item, number>();
    const show = (item: Item, share: number) => {
      shares.set(item, share);
      onProgress([...shares.values()].reduce((sum, own) => sum + own, 0) / items.length, item);
    };
    const underWay: (readonly [Item, Promise<Result>])[] = [];
    for (const item of items) {
      const [oldest] = underWay;
      if (oldest !== undefined && underWay.length > this.#pool.options.maxThreads) {
        yield [oldest[0], await oldest[1]];
        underWay.shift();
      }
      signal.throwIfAborted();
      const result = this.run(await prepare(item), signal, (share) => show(item, share));
      // A task that fails before its turn is reported in its turn.
      result.catch(() => undefined);
      underWay.push([item, result]);
    }
    for (const [item, result] of underWay) yield [item, await result];
  }

  /** Ends all threads, whatever they do. Tasks that run or wait reject. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
