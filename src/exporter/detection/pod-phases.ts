/** Why nothing runs in pods, among those without usage. */

import { type IdleReason, idlePodsIn } from '../features/pod-phase.js';
import { type NamedPod, podKey } from '../features/table.js';
import { isPartial, type PrometheusApi } from '../prometheus/api.js';

/** Seconds between two questions while there are pods that have not ended and lack usage. */
const ASK_AGAIN_SECONDS = 60;

/** After this time, in seconds, pods that ended are asked for again: a new pod may have the name of an ended one. */
const FORGET_SECONDS = 600;

/** Remembers which pods have ended or wait, so that Prometheus is asked only when pods without usage turn up, or stay. */
export class PodPhases {
  /** Only pods that lacked usage when Prometheus was last asked. Passes may overlap: each replaces it as a whole. */
  #idle: ReadonlyMap<string, IdleReason> = new Map();
  #askedSeconds = Number.NEGATIVE_INFINITY;

  /** @param query as `PhaseQueries.idle`. */
  constructor(
    private readonly api: PrometheusApi,
    private readonly query: string,
  ) {}

  /** Why nothing runs in a pod, as far as it is known from the last look-up. */
  idleReasonOf({ namespace, pod }: NamedPod): IdleReason | undefined {
    return this.#idle.get(podKey(namespace, pod));
  }

  /**
   * Asks why nothing runs in some pods, at most once a minute, and only if there is something new to learn: what has ended
   * stays so, and what waits may start.
   *
   * @param pods those without usage now; the others are forgotten.
   * @throws {PrometheusError} when the question fails; what was known before stays.
   */
  async lookUp(pods: readonly NamedPod[], timeSeconds: number, signal?: AbortSignal): Promise<void> {
    const keys = pods.map(({ namespace, pod }) => podKey(namespace, pod));
    this.#idle = among(keys, this.#idle);
    const age = Math.abs(timeSeconds - this.#askedSeconds);
    const allEnded = keys.every((key) => this.#idle.get(key) === 'completed');
    if (age < ASK_AGAIN_SECONDS || (allEnded && age < FORGET_SECONDS)) return;
    if (keys.length === 0) return;
    this.#askedSeconds = timeSeconds;
    const answer = await this.api.query({ query: this.query, timeSeconds, signal });
    const named = among(keys, idlePodsIn(answer));
    this.#idle = isPartial(answer) ? new Map([...this.#idle, ...named]) : named;
  }
}

function among(keys: readonly string[], reasons: ReadonlyMap<string, IdleReason>): ReadonlyMap<string, IdleReason> {
  return new Map(
    keys.flatMap((key) => {
      const reason = reasons.get(key);
      return reason === undefined ? [] : [[key, reason] as const];
    }),
  );
}
