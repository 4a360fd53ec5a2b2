/** Workloads of the pods of a pass: those the model knows, and those that came after it. */

import { queryOwners } from '../features/owners.js';
import { podKey } from '../features/table.js';
import { workloadFromName } from '../features/workload.js';
import type { Model } from '../model/model.js';
import type { PrometheusApi } from '../prometheus/api.js';

/**
 * Remembers the workloads of pods that the model has not seen, so that Prometheus is asked for owners only when new
 * pods turn up. A pod is asked for once: where no owner was found, its name tells.
 */
export class WorkloadDirectory {
  readonly #api: PrometheusApi;
  #later = new Map<string, string>();

  constructor(api: PrometheusApi) {
    this.#api = api;
  }

  /** The workload of a pod, as far as it is known; else by its name. */
  workloadOf(model: Model, namespace: string, pod: string): string {
    const key = podKey(namespace, pod);
    return model.workloads.get(key) ?? this.#later.get(key) ?? workloadFromName(pod);
  }

  /**
   * Asks for the owners of pods that are neither in the model nor known from an earlier call, and forgets the pods
   * that are gone.
   *
   * @param pods all pods that are there now.
   * @throws {PrometheusError} when the question fails; the pods then count as asked for.
   */
  async lookUp(
    model: Model,
    pods: readonly { readonly namespace: string; readonly pod: string }[],
    timeSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    const later = new Map<string, string>();
    const unseen: string[] = [];
    for (const { namespace, pod } of pods) {
      const key = podKey(namespace, pod);
      if (model.workloads.has(key)) continue;
      const known = this.#later.get(key);
      if (known === undefined) unseen.push(key);
      later.set(key, known ?? workloadFromName(pod));
    }
    this.#later = later;
    if (unseen.length === 0) return;
    const owners = await queryOwners(this.#api, timeSeconds, signal);
    for (const key of unseen) {
      const owner = owners.get(key);
      if (owner !== undefined) later.set(key, owner);
    }
  }
}
