/** The state of a pod at an instant. */

export interface PodState {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  /** The controller of the pod: a ReplicaSet, StatefulSet, DaemonSet or Job. */
  readonly owner: Controller;
  /** The controller of the owner: a Deployment or CronJob; `undefined` if the owner has none. */
  readonly ownersOwner: Controller | undefined;
  readonly containers: readonly ContainerState[];
}

export interface Controller {
  readonly kind: string;
  readonly name: string;
}

export interface ContainerState {
  readonly name: string;
  readonly image: string;
  readonly restarts: number;
  /** What cAdvisor reports, the newest first: empty once completed, and two for half a minute after a restart. */
  readonly cgroups: readonly Cgroup[];
}

/** One run of a container. */
export interface Cgroup {
  /** Number of earlier runs. */
  readonly attempt: number;
  /** CPU consumed in this run; never decreases. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}
