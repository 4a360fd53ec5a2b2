/** A few threads that replay chunks. */

import { Worker } from 'node:worker_threads';
import type { ChunkPlots, ChunkResult } from './chunk-result.js';
import type { ReplayMessage, ReplayTask } from './worker.js';

/** A chunk that was replayed in a thread. */
export interface ReplayedChunk {
  readonly result: ChunkResult;
  readonly plots: ChunkPlots;
}

/** Threads that are kept from chunk to chunk. */
export class ReplayPool {
  readonly #size: number;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: ((worker: Worker) => void)[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Replays a chunk in the next thread that is free.
   *
   * @param onProgress told the share of the chunk that is done.
   */
  async run(task: ReplayTask, onProgress: (share: number) => void): Promise<ReplayedChunk> {
    const worker = await this.#acquire();
    const outcome = await new Promise<ReplayedChunk | Error>((resolve) => {
      const onMessage = (message: ReplayMessage) => {
        if (message.kind === 'progress') return onProgress(message.share);
        end(message.kind === 'done' ? message : new Error(message.message));
      };
      const onError = (error: Error) => {
        this.#all.delete(worker);
        end(new Error(`The replaying thread failed: ${error.message}`, { cause: error }));
      };
      const onExit = (code: number) => {
        this.#all.delete(worker);
        end(new Error(`The replaying thread ended without an outcome (exit code ${code}).`));
      };
      const end = (value: ReplayedChunk | Error) => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        resolve(value);
      };
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.postMessage(task);
    });
    if (this.#all.has(worker)) this.#release(worker);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  /** Ends all threads, whatever they do. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  async #acquire(): Promise<Worker> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#all.size < this.#size) {
      const worker = new Worker(new URL('./worker.js', import.meta.url));
      // One that fails between two chunks is told of by the next.
      worker.on('error', () => undefined);
      this.#all.add(worker);
      return worker;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(worker: Worker): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(worker);
    else next(worker);
  }
}
