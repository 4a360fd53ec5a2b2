/** The state of a pod at an instant. */

export interface PodState {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  /** Where it runs: `node-3`. */
  readonly node: string;
  /** Unix time. */
  readonly createdSeconds: number;
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
  readonly resources: ContainerResources;
  readonly restarts: number;
  /** How its runs ended since the simulation knows it, ascending. */
  readonly ends: readonly ContainerEnd[];
  /** Whether the kubelet waits before it starts it again: its last run has ended. */
  readonly isWaiting: boolean;
  /** What cAdvisor reports, the newest first: empty once completed, and two for half a minute after a restart. */
  readonly cgroups: readonly Cgroup[];
}

/** CPU in cores, memory in bytes. A limit is absent where the container has no such limit. */
export interface ContainerResources {
  readonly requests: { readonly cpu: number; readonly memory: number };
  readonly limits: { readonly cpu?: number; readonly memory?: number };
}

/** The end of a run of a container. */
export interface ContainerEnd {
  /** Unix time. */
  readonly timeSeconds: number;
  readonly reason: 'OOMKilled' | 'Error';
  readonly exitCode: number;
}

/** What something in a container waited for, in seconds (PSI). */
export interface Waits {
  readonly cpu: number;
  readonly memory: number;
  readonly io: number;
}

/** One run of a container. */
export interface Cgroup {
  /** Number of earlier runs. */
  readonly attempt: number;
  /** CPU consumed in this run; never decreases. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** Periods of the CPU quota so far, ten in a second, and those in which it was throttled. */
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly waits: Waits;
  readonly oomEvents: number;
}
