/** Asks a busy server as a guest should: little at a time, and later when it says so. */

import pLimit from 'p-limit';
import type { PrometheusApi, QueryResult } from '../../exporter/prometheus/api.js';
import { PrometheusError } from '../../exporter/prometheus/errors.js';
import { withDeadline } from '../../lib/deadline.js';

export interface PoliteOptions {
  /** Requests that are under way at the same time, at most. */
  readonly concurrency: number;
  /** Longest time for one attempt, in seconds; waiting does not count. */
  readonly timeoutSeconds: number;
  /** Waits that long, in seconds; rejects when the signal aborts. */
  readonly sleep: (seconds: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Called before each wait. */
  readonly onWait: (seconds: number, reason: PrometheusError) => void;
}

const FIRST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 60;

/** Waits of 1, 2, 4, … 60 s: about four minutes together. */
const MOST_WAITS = 9;

/** A server that asks for more patience than this is not waited for. */
const LONGEST_RETRY_AFTER_SECONDS = 600;

/**
 * Wraps an API: bounded concurrency, and waits on 429, 5xx and lost connections, for as long as the server asks, or
 * each time twice as long. While one request waits for the server to recover, no other is sent. A query that ran into a
 * limit of the server is not repeated: it would again.
 */
export function politeApi(api: PrometheusApi, options: PoliteOptions): PrometheusApi {
  const limit = pLimit(options.concurrency);
  let quietUntil: Promise<void> | undefined;

  const ask = async (
    request: (signal: AbortSignal) => Promise<QueryResult>,
    signal: AbortSignal | undefined,
  ): Promise<QueryResult> => {
    for (let waits = 0; ; waits++) {
      // The request that waits reports an abort of the wait; the others go on.
      await quietUntil?.catch(() => undefined);
      try {
        return await request(withDeadline(signal, options.timeoutSeconds));
      } catch (error) {
        if (signal?.aborted || waits === MOST_WAITS || !isPassing(error)) throw error;
        const backoff = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** waits);
        const seconds = error.retryAfterSeconds ?? backoff;
        if (seconds > LONGEST_RETRY_AFTER_SECONDS) throw error;
        options.onWait(seconds, error);
        const quiet = options.sleep(seconds, signal);
        quietUntil = quiet;
        await quiet.finally(() => {
          if (quietUntil === quiet) quietUntil = undefined;
        });
      }
    }
  };

  return {
    query: (request) => limit(() => ask((signal) => api.query({ ...request, signal }), request.signal)),
    queryRange: (request) => limit(() => ask((signal) => api.queryRange({ ...request, signal }), request.signal)),
  };
}

function isPassing(error: unknown): error is PrometheusError {
  return error instanceof PrometheusError && error.transient && !error.tooMuch;
}
