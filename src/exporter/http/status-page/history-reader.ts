/** Fetches the last hour of a few pods, for people who look: bounded, shared, and never in the way of a scrape. */

import { instantsUpTo, RECENT_INSTANTS, RECENT_STEP_SECONDS, recentSecondsOf } from '../../detection/detect.js';
import type { Detection } from '../../detection/detection.js';
import type { FeatureDefinition } from '../../features/catalog.js';
import { type PodIdentity, podKey } from '../../features/table.js';
import { FeatureTableBuilder } from '../../features/table-builder.js';
import { WARM_UP_SECONDS } from '../../model/measure.js';
import type { Model } from '../../model/model.js';
import type { PrometheusApi } from '../../prometheus/api.js';
import { askTogether } from './ask-together.js';
import { BoundedReads, type FailedRead } from './bounded-reads.js';
import { ofPods } from './pod-query.js';
import { type PodHistory, replay } from './replay.js';

/** The result of reading. A failure is a value: the page shows the rest without the histories. */
export type HistoryOutcome =
  | { readonly kind: 'histories'; readonly histories: ReadonlyMap<string, PodHistory> }
  | FailedRead;

/** Of one request. */
export const MAXIMUM_HISTORIES = 20;

/** Pods that are asked for beside them, since theirs is what is usual now. */
const MAXIMUM_SIBLINGS = 100;

/** Instants that are judged: an hour, both ends included. */
const HISTORY_INSTANTS = 61;

/** People wait for the page. */
const TIMEOUT_SECONDS = 3;

/** A replay at the instant of a detection must give the same score, apart from rounding. */
const SAME_SCORE = 1e-6;

/**
 * Whether a replay agrees with a detection. Where a server moves the longer range to a grid of its own, the values are of
 * other seconds, so the scores differ; then the flags must agree.
 */
function agree(replayed: number, detected: number, isShifted: boolean): boolean {
  return isShifted ? replayed > 0 === detected > 0 : Math.abs(replayed - detected) <= SAME_SCORE;
}

/** Reads histories. Callers that ask for the same pods of the same detection share the result. */
export class HistoryReader {
  readonly #reads = new BoundedReads<HistoryOutcome>();

  constructor(
    private readonly api: PrometheusApi,
    private readonly timeoutSeconds = TIMEOUT_SECONDS,
  ) {}

  /**
   * The histories of some pods of a detection, up to its instant, by their keys (`podKey`). Does not reject. A pod is
   * left out where the replay contradicts the detection (`agree`): a query that takes other series into account than those of
   * the pod itself cannot be asked for one pod.
   *
   * @param rows positions in the table of the detection; those beyond the first `MAXIMUM_HISTORIES` are left out.
   */
  async read(detection: Detection, rows: readonly number[]): Promise<HistoryOutcome> {
    const { model, timeSeconds, table, scores } = detection;
    const pods = rows.slice(0, MAXIMUM_HISTORIES).map((row) => {
      const identity = table.pods[row] as PodIdentity;
      return { ...identity, key: podKey(identity.namespace, identity.pod), score: scores[row] as number };
    });
    if (pods.length === 0) return { kind: 'histories', histories: new Map() };
    const key = [model.fingerprint, model.windowEndSeconds, timeSeconds, ...pods.map((pod) => pod.key)].join(',');
    return this.#reads.read(key, () => this.#read(model, timeSeconds, pods, siblingsOf(detection, pods)));
  }

  async #read(
    model: Model,
    timeSeconds: number,
    pods: readonly (PodIdentity & { key: string; score: number })[],
    siblings: readonly PodIdentity[],
  ): Promise<HistoryOutcome> {
    const all = [...pods, ...siblings];
    const instants = instantsUpTo(timeSeconds, HISTORY_INSTANTS + RECENT_INSTANTS - 1);
    const answers = await askTogether(this.timeoutSeconds, (signal) =>
      model.features.map((feature) =>
        this.api.queryRange({
          query: ofPods(feature, all),
          startSeconds: (instants[RECENT_INSTANTS - 1] as number) - recentSecondsOf(feature),
          endSeconds: timeSeconds,
          stepSeconds: RECENT_STEP_SECONDS,
          signal,
          // The next question is about other pods.
          isOneOff: true,
        }),
      ),
    );
    const builder = new FeatureTableBuilder(model.features, instants);
    for (const [index, answer] of answers.entries()) {
      builder.add(model.features[index] as FeatureDefinition, answer);
    }
    const workloads = new Map(all.map(({ namespace, pod, workload }) => [podKey(namespace, pod), workload]));
    const built = builder.build((namespace, pod) => workloads.get(podKey(namespace, pod)) ?? pod, {
      // Only scored pods have a history.
      idleReasonOf: () => undefined,
      warmUpSeconds: WARM_UP_SECONDS,
    });
    const replayed = await replay(model, built);
    const isShifted = answers.some(({ shiftSeconds = 0 }) => shiftSeconds > 0);
    const histories = new Map<string, PodHistory>();
    for (const { key, score } of pods) {
      const history = replayed.get(key);
      if (history !== undefined && agree(history.scores.at(-1) as number, score, isShifted))
        histories.set(key, history);
    }
    return { kind: 'histories', histories };
  }
}

/**
 * The other pods of the workloads of some pods, which these are compared with; the smallest workloads first, as far as there is
 * room for all of their pods. A model without a history compares nothing with siblings.
 */
function siblingsOf({ model, table }: Detection, pods: readonly (PodIdentity & { key: string })[]): PodIdentity[] {
  if (!model.remembers) return [];
  const shown = new Set(pods.map(({ key }) => key));
  const groups = new Map(pods.map(({ namespace, workload }) => [podKey(namespace, workload), [] as PodIdentity[]]));
  for (const identity of table.pods) {
    const group = groups.get(podKey(identity.namespace, identity.workload));
    if (group !== undefined && !shown.has(podKey(identity.namespace, identity.pod))) group.push(identity);
  }
  const siblings: PodIdentity[] = [];
  for (const group of [...groups.values()].sort((a, b) => a.length - b.length)) {
    if (siblings.length + group.length <= MAXIMUM_SIBLINGS) siblings.push(...group);
  }
  return siblings;
}
