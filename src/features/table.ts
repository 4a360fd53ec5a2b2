/** Features of many pods at one or more instants: the one shape of data for training and for scoring. */

/** A pod, and what it belongs to. */
export interface PodIdentity {
  readonly namespace: string;
  readonly pod: string;
  /** Name of the Deployment, StatefulSet, DaemonSet, Job, … that made the pod; the pod's own name without one. */
  readonly workload: string;
}

/** Pods × instants × features. A cell without a value is `NaN`. */
export interface FeatureTable {
  /** Names of the columns. */
  readonly features: readonly string[];
  /** Sorted by namespace, then pod. */
  readonly pods: readonly PodIdentity[];
  /** Unix time in seconds, ascending. */
  readonly timestampsSeconds: Float64Array;
  /** The cell of pod p, instant t, feature f is at `(p * instants + t) * features + f`. */
  readonly values: Float64Array;
}
