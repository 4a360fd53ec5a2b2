/** Asks for the context of flagged pods, beside everything else: nobody waits for it. */

import { withDeadline } from '../../lib/deadline.js';
import type { Logger } from '../../lib/logging/logger.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { Detection } from '../detection/detection.js';
import type { QueryOptions } from '../features/queries/template.js';
import { type PodIdentity, podKey } from '../features/table.js';
import { isPartial, type PrometheusApi, type QueryResult } from '../prometheus/api.js';
import { PrometheusError } from '../prometheus/errors.js';
import { podsToAskFor } from './asked-pods.js';
import { nodesInCommon, nodesOfPods, podsOnNodesQuery } from './nodes.js';
import { type ContextState, NO_CONTEXT, type PodContext } from './pod-context.js';
import { contextQueries } from './queries.js';
import { readContexts } from './read-answers.js';

export interface ContextReaderOptions {
  /** Narrowed to the namespaces of the shard. */
  readonly api: PrometheusApi;
  /**
   * Not narrowed: questions name their pods. All namespaces of a shard in each part of a query would be more text than servers
   * take.
   */
  readonly wholeApi: PrometheusApi;
  readonly queryOptions: QueryOptions;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** Seconds between two questions. */
const ASK_AGAIN_SECONDS = 60;

/** For all queries of a minute together, in seconds. */
const TIMEOUT_SECONDS = 30;

/** Asks once a minute at most, one query after the other. */
export class ContextReader {
  readonly #stopping = new AbortController();
  #state = NO_CONTEXT;
  #triedSeconds = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(private readonly options: ContextReaderOptions) {}

  state(): ContextState {
    return this.#state;
  }

  /**
   * Asks for the flagged pods of a detection, or joins the question that is under way; within a minute of the last one it does
   * nothing. Where no pod is flagged, nothing is asked, and what was known is forgotten. Never rejects: after a failure,
   * which is logged once, what was known stays.
   */
  ask(detection: Detection): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const pods = podsToAskFor(detection);
    if (pods.length === 0) {
      this.#state = { ...this.#state, pods: NO_CONTEXT.pods, nodeOf: NO_CONTEXT.nodeOf };
      return Promise.resolve();
    }
    // The clock may have been set back.
    const isTooSoon = Math.abs(detection.timeSeconds - this.#triedSeconds) < ASK_AGAIN_SECONDS;
    if (isTooSoon || this.#stopping.signal.aborted) return Promise.resolve();
    this.#triedSeconds = detection.timeSeconds;
    this.#asking = this.#ask(detection, pods).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Ends the question that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#asking;
  }

  async #ask(detection: Detection, pods: readonly PodIdentity[]): Promise<void> {
    const { logger, now } = this.options;
    const before = this.#state;
    try {
      const known = await this.#read(detection, pods);
      this.#state = { ...before, ...known, askedSeconds: detection.timeSeconds, succeeded: true };
      if (before.succeeded === false) logger.info({}, 'The context of flagged pods is known again.');
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const lastError = { message: messageOf(error), timeSeconds: now() / 1000 };
      this.#state = { ...before, succeeded: false, lastError };
      if (!(error instanceof PrometheusError)) {
        logger.error({ err: error }, 'Reading the context of flagged pods failed unexpectedly. Please report this.');
      } else if (before.succeeded !== false) {
        const message = 'Limits, nodes and ends of flagged pods are not known, or no longer up to date.';
        logger.warn({}, `${message} ${error.message}`);
      }
    }
  }

  async #read(detection: Detection, pods: readonly PodIdentity[]): Promise<Pick<ContextState, 'pods' | 'nodeOf'>> {
    const { api, wholeApi, queryOptions } = this.options;
    const { timeSeconds } = detection;
    const signal = withDeadline(this.#stopping.signal, TIMEOUT_SECONDS);
    const answers: QueryResult[] = [];
    for (const query of contextQueries(pods, queryOptions)) {
      answers.push(await wholeApi.query({ query, timeSeconds, signal }));
    }
    const read = readContexts(answers, pods, queryOptions);
    const contexts = answers.some(isPartial) ? withKnown(pods, read, this.#state.pods) : read;
    const nodes = nodesInCommon(detection, contexts);
    if (nodes.length === 0) return { pods: contexts, nodeOf: NO_CONTEXT.nodeOf };
    const query = podsOnNodesQuery(nodes, queryOptions);
    return { pods: contexts, nodeOf: nodesOfPods(await api.query({ query, timeSeconds, signal })) };
  }
}

/** What incomplete answers say of pods, and of the rest what was known: nothing has gone because a store is down. */
function withKnown(
  pods: readonly PodIdentity[],
  read: ReadonlyMap<string, PodContext>,
  known: ReadonlyMap<string, PodContext>,
): ReadonlyMap<string, PodContext> {
  const merged = new Map<string, PodContext>();
  for (const { namespace, pod } of pods) {
    const key = podKey(namespace, pod);
    const [before, now] = [known.get(key), read.get(key)];
    const context = before && now ? mergedContext(before, now) : (now ?? before);
    if (context !== undefined) merged.set(key, context);
  }
  return merged;
}

function mergedContext(before: PodContext, now: PodContext): PodContext {
  return {
    ...before,
    ...now,
    images: now.images.length > 0 ? now.images : before.images,
    limits: { ...before.limits, ...now.limits },
    requests: { ...before.requests, ...now.requests },
    pressure: { ...before.pressure, ...now.pressure },
  };
}
