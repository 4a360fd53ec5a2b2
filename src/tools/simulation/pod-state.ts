/** What is known of a pod at an instant. */

export interface PodState {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  /** Who made the pod: a ReplicaSet, StatefulSet, DaemonSet or Job. */
  readonly owner: Controller;
  /** Who made the owner: a Deployment or CronJob. None: the owner is at the top. */
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
  /** What cAdvisor reports, the newest first: none once completed, for half a minute two after a restart. */
  readonly cgroups: readonly Cgroup[];
}

/** One run of a container. */
export interface Cgroup {
  /** How many runs there were before. */
  readonly attempt: number;
  /** CPU consumed in this run. Never falls. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}
