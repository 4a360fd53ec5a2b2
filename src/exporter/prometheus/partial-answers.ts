/** Remembers whether answers were partial, for work that asks several questions before it concludes something. */

import { type InstantQuery, isPartial, type PrometheusApi, type QueryResult, type RangeQuery } from './api.js';

/** The same API, watched. */
export class PartialAnswers implements PrometheusApi {
  #warning: string | undefined;

  constructor(private readonly api: PrometheusApi) {}

  /** The first warning by which an answer was partial; `undefined` while all are complete. */
  get warning(): string | undefined {
    return this.#warning;
  }

  query(request: InstantQuery): Promise<QueryResult> {
    return this.#watched(this.api.query(request));
  }

  queryRange(request: RangeQuery): Promise<QueryResult> {
    return this.#watched(this.api.queryRange(request));
  }

  async #watched(asking: Promise<QueryResult>): Promise<QueryResult> {
    const answer = await asking;
    this.#warning ??= answer.warnings.find((warning) => isPartial({ warnings: [warning] }));
    return answer;
  }
}
