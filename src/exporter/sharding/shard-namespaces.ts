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
  /** Namespaces that had such series within this many seconds count as well: a training still reads their past. */
  readonly windowSeconds: number;
}

/** Which shard a process is, and how much it watches. */
export interface ShardingState {
  readonly shard: Shard;
  /** Number of its namespaces; `undefined` until that is known. */
  readonly namespaces: number | undefined;
}

/** How the namespaces of a shard are kept. */
export interface ShardNamespacesOptions {
  readonly plan: ShardingPlan;
  /** Unix time in milliseconds. One that stands still keeps the first list. */
  readonly now: () => number;
  /** Called when the list could not be refreshed, once for each reason; the current list stays in use. */
  readonly onWarning?: (sentence: string) => void;
  /** Called with the first list, and with each one that differs. */
  readonly onChange?: (namespaces: readonly string[]) => void;
}

/** An older list is refreshed: a new namespace is watched after at most this time and one scrape. */
const RENEW_AFTER_MILLISECONDS = 60_000;

/** Longest time for one query, in seconds. Callers who wait for the first list have their own, shorter limits. */
const QUERY_LIMIT_SECONDS = 30;

/**
 * Keeps the namespaces of a shard. Callers wait for the first list only: it is refreshed in the background, and stays
 * in use while that fails. Two shards may know different lists for a while, and still never share a namespace: the
 * owner of a namespace depends on nothing but its name.
 */
export class ShardNamespaces {
  readonly #closing = new AbortController();
  #namespaces: readonly string[] | undefined;
  #fetching: Promise<readonly string[]> | undefined;
  #fetchStartedMilliseconds = Number.NEGATIVE_INFINITY;
  #lastWarning: string | undefined;

  constructor(
    private readonly api: LabelValuesApi,
    private readonly options: ShardNamespacesOptions,
  ) {}

  get state(): ShardingState {
    return { shard: this.options.plan.shard, namespaces: this.#namespaces?.length };
  }

  /**
   * The namespaces as last known, sorted; before the first answer, that answer.
   *
   * @throws {PrometheusError} when there is no first answer, or not before the signal aborts.
   */
  async get(signal?: AbortSignal): Promise<readonly string[]> {
    const age = this.options.now() - this.#fetchStartedMilliseconds;
    // Else a clock that was set back would keep the list for that long.
    const isDue = age > RENEW_AFTER_MILLISECONDS || age < 0;
    if (this.#namespaces === undefined) {
      return signal === undefined ? this.#fetch() : untilAborted(this.#fetch(), signal);
    }
    if (isDue) this.#fetch().catch((error: unknown) => this.#warn(messageOf(error)));
    return this.#namespaces;
  }

  /** Ends a query that is under way. */
  close(): void {
    this.#closing.abort();
  }

  /** Callers at the same time share one query; one that gives up does not end it for the others. */
  #fetch(): Promise<readonly string[]> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<readonly string[]> {
    const { plan, now, onChange } = this.options;
    this.#fetchStartedMilliseconds = now();
    const endSeconds = this.#fetchStartedMilliseconds / 1000;
    const all = await this.api.labelValues({
      label: 'namespace',
      selectors: plan.selectors,
      startSeconds: endSeconds - plan.windowSeconds,
      endSeconds,
      signal: withDeadline(this.#closing.signal, QUERY_LIMIT_SECONDS),
    });
    const namespaces = namespacesOfShard(all, plan.shard);
    const isChanged = this.#namespaces?.join() !== namespaces.join();
    this.#lastWarning = undefined;
    this.#namespaces = namespaces;
    if (isChanged) onChange?.(namespaces);
    return namespaces;
  }

  #warn(reason: string): void {
    if (this.#closing.signal.aborted || reason === this.#lastWarning) return;
    this.#lastWarning = reason;
    this.options.onWarning?.(`Could not refresh the namespaces of this shard; keeping the current list: ${reason}`);
  }
}

/** The outcome of `work`, or an error once the signal aborts. */
function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      const isTimeout = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
      const message = 'Timed out waiting for the list of namespaces.';
      const advice = 'Is Prometheus overloaded, or the timeout too short?';
      reject(new PrometheusError(isTimeout ? 'timeout' : 'aborted', message, { advice }));
    };
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    // A rejection after an abort is handled here as well.
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
