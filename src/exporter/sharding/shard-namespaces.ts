/** The namespaces of one shard: asked for, kept, and renewed beside the queries that need them. */

import { withDeadline } from '../../lib/deadline.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { LabelValuesApi } from '../prometheus/api.js';
import { PrometheusError } from '../prometheus/errors.js';
import { namespacesOfShard, type Shard } from './shard.js';

/** What a shard watches. Plain data: the thread of a training makes its own list from it. */
export interface ShardingPlan {
  readonly shard: Shard;
  /** Selectors of the series whose namespaces are shared out. */
  readonly selectors: readonly string[];
  /** Namespaces that had such series within so many seconds count as well: a training still reads their past. */
  readonly windowSeconds: number;
}

/** Which shard a process is, and how much it watches. */
export interface ShardingState {
  readonly shard: Shard;
  /** Number of its namespaces; `undefined` until that is known. */
  readonly namespaces: number | undefined;
}

/** What a list of namespaces works with. */
export interface ShardNamespacesOptions {
  readonly plan: ShardingPlan;
  /** Unix time in milliseconds. One that stands still keeps the first list. */
  readonly now: () => number;
  /** Told why the namespaces could not be asked for, when those known go on to be used; once for each reason. */
  readonly onWarning?: (sentence: string) => void;
  /** Told the first list, and each one that is another. */
  readonly onChange?: (namespaces: readonly string[]) => void;
}

/** A list that old is renewed: a new namespace is watched after at most that time, and one scrape. */
const RENEW_AFTER_MILLISECONDS = 60_000;

/** Longest time for one question, in seconds. Those who wait for the first list have their own, shorter limits. */
const QUESTION_LIMIT_SECONDS = 30;

/**
 * Keeps the namespaces of a shard. Only the first list is waited for. A newer one comes beside the queries, and as long
 * as it cannot be had, the last one stays. Two shards may know different lists for a while, and still never share a
 * namespace: whose it is depends on nothing but its name.
 */
export class ShardNamespaces {
  readonly #api: LabelValuesApi;
  readonly #options: ShardNamespacesOptions;
  readonly #closing = new AbortController();
  #namespaces: readonly string[] | undefined;
  #fetching: Promise<readonly string[]> | undefined;
  #fetchStartedMilliseconds = Number.NEGATIVE_INFINITY;
  #lastWarning: string | undefined;

  constructor(api: LabelValuesApi, options: ShardNamespacesOptions) {
    this.#api = api;
    this.#options = options;
  }

  get state(): ShardingState {
    return { shard: this.#options.plan.shard, namespaces: this.#namespaces?.length };
  }

  /** As last known; `undefined` before the first answer. */
  get current(): readonly string[] | undefined {
    return this.#namespaces;
  }

  /**
   * The namespaces as last known, sorted; before the first answer, that answer.
   *
   * @throws {PrometheusError} when there is no first answer, or not before the signal aborts.
   */
  async get(signal?: AbortSignal): Promise<readonly string[]> {
    const age = this.#options.now() - this.#fetchStartedMilliseconds;
    // A clock that was set back would keep the list for as long.
    const isDue = age > RENEW_AFTER_MILLISECONDS || age < 0;
    if (this.#namespaces === undefined) {
      return signal === undefined ? this.#fetch() : untilAborted(this.#fetch(), signal);
    }
    if (isDue) this.#fetch().catch((error: unknown) => this.#warn(messageOf(error)));
    return this.#namespaces;
  }

  /** Ends a question that is under way. */
  close(): void {
    this.#closing.abort();
  }

  /** Several who ask at the same time share one question, which the one who gives up does not end for the others. */
  #fetch(): Promise<readonly string[]> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<readonly string[]> {
    const { plan, now, onChange } = this.#options;
    this.#fetchStartedMilliseconds = now();
    const endSeconds = this.#fetchStartedMilliseconds / 1000;
    const all = await this.#api.labelValues({
      label: 'namespace',
      selectors: plan.selectors,
      startSeconds: endSeconds - plan.windowSeconds,
      endSeconds,
      signal: withDeadline(this.#closing.signal, QUESTION_LIMIT_SECONDS),
    });
    const namespaces = namespacesOfShard(all, plan.shard);
    const isChanged = this.#namespaces?.join() !== namespaces.join() || this.#namespaces === undefined;
    this.#lastWarning = undefined;
    this.#namespaces = namespaces;
    if (isChanged) onChange?.(namespaces);
    return namespaces;
  }

  #warn(reason: string): void {
    if (this.#closing.signal.aborted || reason === this.#lastWarning) return;
    this.#lastWarning = reason;
    this.#options.onWarning?.(
      `Could not refresh the namespaces of this shard; keeping the current list: ${reason}`,
    );
  }
}

async function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let leave = () => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = () => {
      const isTimeout = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
      reject(
        new PrometheusError(
          isTimeout ? 'timeout' : 'aborted',
          'Timed out waiting for the list of namespaces.',
          { advice: 'Is Prometheus overloaded, or the timeout too short?' },
        ),
      );
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
    // Whoever left must not leave a rejection that nobody handles.
    work.catch(() => undefined);
    aborted.catch(() => undefined);
  }
}
