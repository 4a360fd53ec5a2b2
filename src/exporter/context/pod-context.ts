/** What the cluster says of flagged pods: where they run, what they may use, and how they fared lately. */

/** An amount of each of the resources that limits and requests are about. CPU in cores, memory in bytes. */
export interface ResourceAmounts {
  readonly cpu?: number;
  readonly memory?: number;
}

/**
 * Of one pod. Each part is absent where no series has it. Times are Unix times in seconds. Init containers count for how they
 * end and why they wait; for limits and requests only those that go on (native sidecars), as their usage is part of that of the pod.
 */
export interface PodContext {
  readonly node?: string;
  readonly createdSeconds?: number;
  /** One for each container, sorted; not those of init containers. */
  readonly images: readonly string[];
  /** Sums over the containers; absent unless each container has a limit. */
  readonly limits: ResourceAmounts;
  /** Sums over the containers that have a request. */
  readonly requests: ResourceAmounts;
  /** The latest end of a container. */
  readonly lastTermination?: {
    readonly container: string;
    /** `OOMKilled`, `Error`, `Completed`, … */
    readonly reason: string;
    readonly exitCode?: number;
    readonly timeSeconds?: number;
  };
  /** Why a container does not run: `CrashLoopBackOff`, `ImagePullBackOff`, … */
  readonly waiting?: { readonly container: string; readonly reason: string };
  /** Share of the periods of the CPU quota in which the container was throttled, in the last five minutes, of the one with most. */
  readonly throttledRatio?: number;
  /** Times that memory ran out, in the last hour. */
  readonly oomEvents?: number;
  /** Share of the last five minutes in which something waited for the resource (PSI), in the container with most. */
  readonly pressure: ResourceAmounts & { readonly io?: number };
}

/** What is known now, of the flagged pods that were last asked for. */
export interface ContextState {
  /** By the key of the pod (`podKey`). */
  readonly pods: ReadonlyMap<string, PodContext>;
  /** The node of each pod on the nodes with several pods whose anomaly lasts, by the key of the pod. */
  readonly nodeOf: ReadonlyMap<string, string>;
  /** The minute of the detection that was last asked about with success; `undefined` before. */
  readonly askedSeconds: number | undefined;
  /** Whether the last question was answered; `undefined` before the first. */
  readonly succeeded: boolean | undefined;
  readonly lastError: { readonly message: string; readonly timeSeconds: number } | undefined;
}

export const NO_CONTEXT: ContextState = {
  pods: new Map(),
  nodeOf: new Map(),
  askedSeconds: undefined,
  succeeded: undefined,
  lastError: undefined,
};
