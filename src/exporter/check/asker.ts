/** Asks Prometheus within bounds: few questions at a time, each with a limit, and a limit for all. */

import pLimit from 'p-limit';
import { withDeadline } from '../../lib/deadline.js';
import type { PrometheusServerApi, QueryResult } from '../prometheus/api.js';
import { PrometheusError } from '../prometheus/errors.js';
import { Remarks } from '../prometheus/remarks.js';
import type { Fact } from './facts.js';

/** Prometheus has 20 places for queries (`--query.max-concurrency`), which rules and dashboards need as well. */
const LARGEST_CONCURRENCY = 4;

/** Time limit of one query of a check, in seconds. */
export const QUESTION_TIMEOUT_SECONDS = 30;

/** Queries to Prometheus, and the warnings in its answers. */
export class Asker {
  readonly warnings = new Remarks();
  readonly infos = new Remarks();
  readonly #limit = pLimit(LARGEST_CONCURRENCY);

  /**
   * @param nowSeconds the instant that all questions are about, Unix time.
   * @param signal ends all questions.
   */
  constructor(
    private readonly api: PrometheusServerApi,
    readonly nowSeconds: number,
    private readonly signal: AbortSignal,
  ) {}

  /** The answer at the instant, or at another one. */
  instant(query: string, timeSeconds = this.nowSeconds): Promise<QueryResult> {
    return this.#answer((api, signal) => api.query({ query, timeSeconds, signal }));
  }

  range(query: string, startSeconds: number, endSeconds: number, stepSeconds: number): Promise<QueryResult> {
    return this.#answer((api, signal) => api.queryRange({ query, startSeconds, endSeconds, stepSeconds, signal }));
  }

  /** The single number of an aggregation without labels; 0 where it aggregated nothing. */
  async number(query: string, timeSeconds = this.nowSeconds): Promise<number> {
    return (await this.instant(query, timeSeconds)).values[0] ?? 0;
  }

  /** A call, such as one that is no query. */
  call<Value>(work: (api: PrometheusServerApi, signal: AbortSignal) => Promise<Value>): Promise<Value> {
    return this.#limit(() => work(this.api, withDeadline(this.signal, QUESTION_TIMEOUT_SECONDS)));
  }

  async #answer(work: Parameters<typeof this.call<QueryResult>>[0]): Promise<QueryResult> {
    const answer = await this.call(work);
    for (const warning of answer.warnings) this.warnings.add(warning);
    for (const info of answer.infos) this.infos.add(info);
    return answer;
  }
}

/** The outcome of asking. An error of the program is thrown on. */
export async function factOf<Value>(asking: Promise<Value>): Promise<Fact<Value>> {
  try {
    return { known: true, value: await asking };
  } catch (error) {
    if (!(error instanceof PrometheusError)) throw error;
    return { known: false, because: error.message, error };
  }
}
