/** Changes in a case that are not faults: the counterpart of its labels. */

import type { World } from '../simulation/cluster.js';
import { EFFECTS } from '../simulation/incidents.js';

/** An entry of `changes.json`. */
export interface NormalChange {
  readonly case: string;
  readonly namespace: string;
  /** The pod that was restarted, or that is new. */
  readonly pod: string;
  readonly change: 'restart' | 'rollout' | 'scale-up' | 'replacement';
  /** Unix time, whole seconds. */
  readonly start: number;
}

/**
 * Single restarts and new pods, by time. A pod that is bad from birth is not among them.
 *
 * @param startSeconds Unix time at which the case begins; what came before is left out.
 */
export function normalChanges(
  caseName: string,
  { incidents, births }: World,
  startSeconds: number,
  endSeconds: number,
): readonly NormalChange[] {
  const faults = incidents.filter(({ kind }) => EFFECTS[kind].faultType !== undefined);
  const restarts = incidents
    .filter((incident) => !faults.includes(incident))
    .map((incident) => ({ ...incident, change: 'restart' as const }));
  const healthy = births
    .filter(
      (birth) =>
        !faults.some(
          (fault) =>
            fault.namespace === birth.namespace &&
            fault.pod === birth.pod &&
            fault.startSeconds === birth.bornSeconds,
        ),
    )
    .map((birth) => ({ ...birth, change: birth.cause, startSeconds: birth.bornSeconds }));
  return [...restarts, ...healthy]
    .map(({ namespace, pod, change, startSeconds: start }) => ({
      case: caseName,
      namespace,
      pod,
      change,
      start: Math.round(start),
    }))
    .filter(({ start }) => startSeconds <= start && start < endSeconds)
    .sort((a, b) => a.start - b.start);
}
