/** Pods that have ended, among those without usage. */

import { endedPodsIn, endedPodsQuery } from '../features/pod-phase.js';
import { type NamedPod, podKey } from '../features/table.js';
import type { PrometheusApi } from '../prometheus/api.js';

/** Seconds between two questions while there are pods that have not ended and lack usage. */
const ASK_AGAIN_SECONDS = 60;

/** After this time, in seconds, pods that ended are asked for again: a new pod may have the name of an ended one. */
const FORGET_SECONDS = 600;

/** Remembers which pods have ended, so that Prometheus is asked only when pods without usage turn up, or stay. */
export class EndedPods {
  /** Only pods that lacked usage when Prometheus was last asked. Passes may overlap: each replaces it as a whole. */
  #ended: ReadonlySet<string> = new Set();
  #askedSeconds = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly api: PrometheusApi,
    private readonly selector: string,
  ) {}

  /** As far as it is known from the last look-up. */
  has({ namespace, pod }: NamedPod): boolean {
    return this.#ended.has(podKey(namespace, pod));
  }

  /**
   * Asks which of some pods have ended, at most once a minute, and only if there is something new to learn.
   *
   * @param pods those without usage now; the others are forgotten.
   * @throws {PrometheusError} when the question fails; what was known before stays.
   */
  async lookUp(pods: readonly NamedPod[], timeSeconds: number, signal?: AbortSignal): Promise<void> {
    const keys = pods.map(({ namespace, pod }) => podKey(namespace, pod));
    const known = keys.filter((key) => this.#ended.has(key));
    this.#ended = new Set(known);
    const age = Math.abs(timeSeconds - this.#askedSeconds);
    if (age < ASK_AGAIN_SECONDS || (known.length === keys.length && age < FORGET_SECONDS)) return;
    if (keys.length === 0) return;
    this.#askedSeconds = timeSeconds;
    const ended = endedPodsIn(await this.api.query({ query: endedPodsQuery(this.selector), timeSeconds, signal }));
    this.#ended = new Set(keys.filter((key) => ended.has(key)));
  }
}
