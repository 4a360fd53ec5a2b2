/** Workloads of pods that came after the model. */

import { finish } from '../../lib/steps.js';
import type { IdleReason } from '../features/pod-phase.js';
import { type NamedPod, podKey } from '../features/table.js';
import type { BuiltTable, FeatureTableBuilder } from '../features/table-builder.js';
import { type OwnerQueries, queryOwners, workloadFromName } from '../features/workload.js';
import { WARM_UP_SECONDS } from '../model/measure.js';
import type { Model } from '../model/model.js';
import type { PrometheusApi } from '../prometheus/api.js';
import { PartialAnswers } from '../prometheus/partial-answers.js';

/** Seconds between two questions for the same pod. */
const ASK_AGAIN_SECONDS = 60;

/** What is known of a pod. */
interface Entry {
  /** By its name, as long as no owner was found. */
  readonly workload: string;
  readonly found: boolean;
  readonly firstAskedSeconds: number;
  readonly lastAskedSeconds: number;
}

/** A table, and the row of each of its pods in the model (`locatePods`). */
export interface LocatedTable {
  readonly built: BuiltTable;
  readonly rows: Int32Array;
}

/**
 * Remembers the workloads of pods that the model has not seen, so that Prometheus is asked for owners only when new
 * pods turn up. Where no owner was found, the workload is derived from the name of the pod, and the owner is asked for
 * again while the pod warms up: its usage may be scraped before its owner is, and of two replicas one may have come too early.
 */
export class WorkloadDirectory {
  /** Pods that the model does not know. Passes may overlap: each changes only the entries that it is about. */
  readonly #newPods = new Map<string, Entry>();

  constructor(
    private readonly api: PrometheusApi,
    private readonly queries: OwnerQueries,
  ) {}

  /**
   * The table of the pods of a builder, with their workloads: those of new pods as far as they are known, else by name.
   * `rows` are those of `podsSeen` in the model (`locatePods`), and in the answer those of the pods of the table.
   *
   * @param idleReasonOf why nothing runs in a pod, as Kubernetes reports it; where nobody was asked, it may run.
   */
  buildTable(...given: Parameters<typeof this.buildTableInSteps>): LocatedTable {
    return finish(this.buildTableInSteps(...given));
  }

  /** Does the same in steps of a few milliseconds. */
  *buildTableInSteps(
    { baseline: { pods, workloads } }: Model,
    builder: FeatureTableBuilder,
    rows: Int32Array,
    idleReasonOf: (pod: NamedPod) => IdleReason | undefined = () => undefined,
  ): Generator<undefined, LocatedTable> {
    const workloadOf = (namespace: string, pod: string, position: number) => {
      const row = rows[position] as number;
      if (row >= 0) return workloads.names[pods.workload[row] as number] as string;
      return this.#newPods.get(podKey(namespace, pod))?.workload ?? workloadFromName(pod);
    };
    const built = yield* builder.buildInSteps(workloadOf, { idleReasonOf, warmUpSeconds: WARM_UP_SECONDS });
    return { built, rows: built.positions.map((position) => rows[position] as number) };
  }

  /**
   * Asks for the owners of pods that are not known from an earlier call, and forgets the pods that are gone.
   *
   * @param pods all that are there now; `rows` theirs in the model (`locatePods`): pods that it knows are not asked for.
   * @param arePartial there may be others: none is forgotten.
   * @throws {PrometheusError} when the question fails; the pods then count as asked for.
   */
  async lookUp(
    pods: readonly { readonly namespace: string; readonly pod: string }[],
    rows: Int32Array,
    timeSeconds: number,
    signal?: AbortSignal,
    arePartial = false,
  ): Promise<void> {
    const present = new Set<string>();
    const asked: string[] = [];
    for (const [position, { namespace, pod }] of pods.entries()) {
      if ((rows[position] as number) >= 0) continue;
      const key = podKey(namespace, pod);
      present.add(key);
      const known = this.#newPods.get(key);
      if (
        known?.found ||
        // The clock may have been set back.
        Math.abs(timeSeconds - (known?.lastAskedSeconds ?? -Infinity)) < ASK_AGAIN_SECONDS ||
        timeSeconds - (known?.firstAskedSeconds ?? timeSeconds) > WARM_UP_SECONDS
      )
        continue;
      asked.push(key);
      this.#newPods.set(key, {
        workload: workloadFromName(pod),
        found: false,
        firstAskedSeconds: known?.firstAskedSeconds ?? timeSeconds,
        lastAskedSeconds: timeSeconds,
      });
    }
    for (const key of this.#newPods.keys()) if (!arePartial && !present.has(key)) this.#newPods.delete(key);
    if (asked.length === 0) return;
    const api = new PartialAnswers(this.api);
    const owners = await queryOwners(api, this.queries, timeSeconds, signal);
    const isComplete = api.warning === undefined;
    for (const key of asked) {
      const workload = owners.get(key);
      const entry = this.#newPods.get(key);
      if (entry === undefined) continue;
      const known = { ...entry, workload: workload ?? entry.workload };
      // What an incomplete answer lacks, such as the owner of an owner, is asked for as if the pod were new.
      if (!isComplete) this.#newPods.set(key, { ...known, firstAskedSeconds: timeSeconds });
      else if (workload !== undefined) this.#newPods.set(key, { ...known, found: true });
    }
  }
}
