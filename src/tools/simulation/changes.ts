/** What operators and controllers do to healthy workloads: changes that are no reason for an alert. */

/** New replicas beside the old ones of a Deployment. */
export interface Scaling {
  readonly namespace: string;
  readonly workload: string;
  /** How many are added. Their numbers follow those of the existing replicas. */
  readonly replicas: number;
  /** Counted from the start of the simulation. */
  readonly startOffsetSeconds: number;
  /** When they are removed again. Default: never. */
  readonly endOffsetSeconds?: number;
}

/**
 * One pod ends and another replaces it, as after an eviction. In a Deployment or DaemonSet it gets a new name; in a
 * StatefulSet it keeps the name, and its restart counter starts at 0 again.
 */
export interface Replacement {
  readonly namespace: string;
  readonly workload: string;
  /** Index of the replica, from 0. */
  readonly replica: number;
  /** Counted from the start of the simulation. */
  readonly startOffsetSeconds: number;
}

/** Why a pod was created. */
export type Cause = 'start' | 'rollout' | 'scale-up' | 'replacement';
