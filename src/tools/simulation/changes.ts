/** What operators and controllers do to healthy workloads: changes that nobody should be woken by. */

/** New replicas beside the old ones of a Deployment. */
export interface Scaling {
  readonly namespace: string;
  readonly workload: string;
  /** How many are added. They count on from the replicas that are there. */
  readonly replicas: number;
  /** From the start of the simulation. */
  readonly startOffsetSeconds: number;
  /** When they are removed again. Default: never. */
  readonly endOffsetSeconds?: number;
}

/**
 * One pod ends and another takes its place: after an eviction with a new name, which a Deployment or DaemonSet gives;
 * in a StatefulSet with the same name and a restart counter that is 0 again.
 */
export interface Replacement {
  readonly namespace: string;
  readonly workload: string;
  /** Which of the replicas, from 0. */
  readonly replica: number;
  /** From the start of the simulation. */
  readonly startOffsetSeconds: number;
}

/** Why a pod is there. */
export type Cause = 'start' | 'rollout' | 'scale-up' | 'replacement';
