/** The namespaces of one shard: asked for, kept, and renewed beside the queries that need them. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { withDeadline } from '../../lib/deadline.js';
import { messageOf } from '../../lib/logging/message-of.js';
import { formatNumber } from '../../lib/text/format.js';
import { NAMESPACE_LABEL } from '../features/queries/template.js';
import { isObjectName } from '../features/table.js';
import { isPartial, type LabelValues, type LabelValuesApi } from '../prometheus/api.js';
import { PrometheusError } from '../prometheus/errors.js';
import { type Shard, shardOf } from './shard.js';

/** What a shard watches. Plain data: the thread of a training makes its own list from it. */
export interface ShardingPlan {
  readonly shard: Shard;
  /** The label that names the namespace; `namespace` if unset. */
  readonly namespaceLabel?: string;
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
  /** Called when the list could not be refreshed, or not as a whole, once for each reason; nothing is removed then. */
  readonly onWarning?: (sentence: string) => void;
  /** Called with the first list, and with each one that differs. */
  readonly onChange?: (namespaces: readonly string[]) => void;
}

/** An older list is refreshed: a new namespace is watched after at most this time and one scrape. */
const RENEW_AFTER_MILLISECONDS = 60_000;

/**
 * A namespace goes only after lists have been without it for this long: a Prometheus that has just been started, or a replica
 * without a past, answers with a shorter one and does not say so. To ask for a namespace without pods costs nothing.
 */
const REMOVE_AFTER_MILLISECONDS = 10 * 60_000;

/** Five times the number that a whole cluster is tested with (10,000). */
const MOST_NAMESPACES = 50_000;

/** Names that are hashed in one turn of the event loop: scrapes go on meanwhile. */
const NAMES_PER_TURN = 4096;

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
  /** When a list last named each of them, in milliseconds. */
  readonly #named = new Map<string, number>();
  #incompleteness: string | undefined;
  #wasComplete = false;
  #fetching: Promise<readonly string[]> | undefined;
  #fetchStartedMilliseconds = Number.NEGATIVE_INFINITY;
  #lastWarning: string | undefined;

  constructor(
    private readonly api: LabelValuesApi,
    private readonly options: ShardNamespacesOptions,
  ) {}

  /** The label that names the namespace. */
  get label(): string {
    return this.options.plan.namespaceLabel ?? NAMESPACE_LABEL;
  }

  get state(): ShardingState {
    return { shard: this.options.plan.shard, namespaces: this.#namespaces?.length };
  }

  /** Why namespaces may be missing that were there at the start, as a sentence; `undefined` once a list was complete. */
  get incompleteness(): string | undefined {
    return this.#incompleteness;
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
    const list = await this.api.labelValues({
      label: this.label,
      selectors: plan.selectors,
      startSeconds: endSeconds - plan.windowSeconds,
      endSeconds,
      signal: withDeadline(this.#closing.signal, QUERY_LIMIT_SECONDS),
    });
    const problem = await this.#take(list, this.#fetchStartedMilliseconds);
    const namespaces = [...this.#named.keys()].sort();
    const isChanged = this.#namespaces?.join() !== namespaces.join();
    this.#namespaces = namespaces;
    if (isChanged) onChange?.(namespaces);
    if (problem === undefined) this.#lastWarning = undefined;
    else this.#warn(problem);
    return namespaces;
  }

  /** Adds the shard's own of a list, and removes what is gone. @returns what is wrong with the list. */
  async #take(list: LabelValues, nowMilliseconds: number): Promise<string | undefined> {
    const { ordinal, total } = this.options.plan.shard;
    let left = 0;
    for (const [index, name] of list.values.entries()) {
      if (index % NAMES_PER_TURN === NAMES_PER_TURN - 1) await nextTurn();
      if (!isObjectName(name) || shardOf(name, total) !== ordinal) continue;
      if (this.#named.has(name) || this.#named.size < MOST_NAMESPACES) this.#named.set(name, nowMilliseconds);
      else left++;
    }
    if (isPartial(list)) {
      const problem = `The list of namespaces is incomplete: ${list.warnings[0]}`;
      if (!this.#wasComplete) this.#incompleteness = problem;
      return problem;
    }
    this.#wasComplete = true;
    this.#incompleteness = undefined;
    for (const [name, named] of this.#named) {
      if (nowMilliseconds - named > REMOVE_AFTER_MILLISECONDS) this.#named.delete(name);
    }
    return left === 0
      ? undefined
      : `It has more than ${formatNumber(MOST_NAMESPACES)} namespaces; ${formatNumber(left)} are not watched.`;
  }

  #warn(reason: string): void {
    if (this.#closing.signal.aborted || reason === this.#lastWarning) return;
    this.#lastWarning = reason;
    this.options.onWarning?.(`Could not refresh the namespaces of this shard; none is removed: ${reason}`);
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
