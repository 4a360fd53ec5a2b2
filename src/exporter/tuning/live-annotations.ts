/** The tuning by annotations and labels, as it was last known. */

import { isPartial, type PrometheusApi } from '../prometheus/api.js';
import { type ObjectKey, readObjectKeys, withKnownKeys } from './annotation-query.js';
import { type AnnotatedTuning, NO_ANNOTATIONS, tuningOfObjects } from './annotations.js';

/** Prometheus is asked once in each slot of this many seconds, for its beginning: so replicas agree. */
const SLOT_SECONDS = 60;

/** Asks for the annotations of all objects, at most once a minute. */
export class LiveAnnotations {
  #known: AnnotatedTuning = NO_ANNOTATIONS;
  /** What `#known` was made from. */
  #keys: readonly ObjectKey[] = [];
  #askedSlot = Number.NaN;
  #isAnswered = false;

  constructor(
    private readonly api: PrometheusApi,
    private readonly query: string,
  ) {}

  /** From the last answer; nothing is tuned before the first. */
  get known(): AnnotatedTuning {
    return this.#known;
  }

  /**
   * Asks again if the last question was about an earlier slot. The first one is asked until it is answered: pods would be
   * flagged meanwhile that are to be muted. An incomplete answer adds and changes, and removes nothing.
   *
   * @throws {PrometheusError} when the question fails; what was known before stays.
   */
  async lookUp(timeSeconds: number, signal?: AbortSignal): Promise<void> {
    const slot = Math.floor(timeSeconds / SLOT_SECONDS);
    if (slot === this.#askedSlot) return;
    this.#askedSlot = slot;
    const answer = await this.api
      .query({ query: this.query, timeSeconds: slot * SLOT_SECONDS, signal })
      .catch((error: unknown) => {
        if (!this.#isAnswered && this.#askedSlot === slot) this.#askedSlot = Number.NaN;
        throw error;
      });
    this.#isAnswered = true;
    // Of two questions under way, the answer to the later one counts.
    if (slot !== this.#askedSlot) return;
    const keys = readObjectKeys(answer);
    // Nothing is unmuted because a store is down.
    this.#keys = isPartial(answer) ? withKnownKeys(keys, this.#keys) : keys;
    this.#known = tuningOfObjects(this.#keys);
  }
}
