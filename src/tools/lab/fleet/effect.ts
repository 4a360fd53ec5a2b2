/** What a fault does to the values of a pod, and whether they show it. */

/** The columns in which a fault can show. */
export interface Shown {
  readonly cpu: boolean | null;
  readonly memory: boolean | null;
  readonly restarts: boolean | null;
}

/** An entry of `labels.json`, in the form of the public sets. */
export interface Label {
  readonly case: string;
  readonly namespace: string;
  readonly pod: string;
  readonly workload: string;
  readonly fault_type: string;
  /** For people: which of several faults of that type. */
  readonly title: string;
  /** Unix time, whole seconds. */
  readonly start: number;
  readonly end: number;
  /** For each column, whether the fault shows in it; `null`: too few clean samples to say. */
  readonly visible: Shown;
  /** What CPU and memory are compared with: the pod's own last hour, or that of its siblings if it is new. */
  readonly visible_against: 'itself' | 'siblings';
  readonly n_clean_before: number;
  readonly effect: Effect;
}

/** Values before (median of the clean samples) and during the fault; `null` without samples. */
export interface Effect {
  readonly cpu_cores_before: number | null;
  readonly cpu_cores_max_during: number | null;
  readonly memory_bytes_before: number | null;
  readonly memory_bytes_max_during: number | null;
  readonly restarts_before: number | null;
  readonly restarts_max_during: number | null;
}

/** The rule of the public sets: how many clean samples of the last hour it takes, and how far a value leaves their range. */
const FEWEST_CLEAN_SAMPLES = 5;
const BEYOND_RANGE = 1.25;
const RESTARTS_NEEDED = 2;

/** Values of a pod at an instant; `undefined` where Prometheus has none. */
export interface Measured {
  readonly cpuCores: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly restarts: number;
}

const cpuOf = (samples: readonly Measured[]) => samples.flatMap(({ cpuCores }) => cpuCores ?? []);
const memoryOf = (samples: readonly Measured[]) => samples.flatMap(({ memoryBytes }) => memoryBytes ?? []);

/** In which columns a fault shows, by the clean values before it. */
export function visibility(
  before: readonly Measured[],
  during: readonly Measured[],
  restartsBefore: number | null,
): Shown {
  const largest = maximum(during.map(({ restarts }) => restarts));
  return {
    cpu: leavesRange(cpuOf(before), cpuOf(during)),
    memory: leavesRange(memoryOf(before), memoryOf(during)),
    restarts:
      restartsBefore === null || largest === null ? null : largest - restartsBefore >= RESTARTS_NEEDED,
  };
}

/** Whether some value lies beyond the range of the clean ones by more than a quarter, up or down. */
function leavesRange(clean: readonly number[], during: readonly number[]): boolean | null {
  if (clean.length < FEWEST_CLEAN_SAMPLES || during.length === 0) return null;
  return (
    Math.max(...during) > BEYOND_RANGE * Math.max(...clean) ||
    Math.min(...during) < Math.min(...clean) / BEYOND_RANGE
  );
}

/** What a fault did to the values. */
export function effectOf(
  before: readonly Measured[],
  during: readonly Measured[],
  restartsBefore: number | null,
): Effect {
  return {
    cpu_cores_before: median(cpuOf(before)),
    cpu_cores_max_during: maximum(cpuOf(during)),
    memory_bytes_before: median(memoryOf(before)),
    memory_bytes_max_during: maximum(memoryOf(during)),
    restarts_before: restartsBefore,
    restarts_max_during: maximum(during.map(({ restarts }) => restarts)),
  };
}

const maximum = (values: readonly number[]) => (values.length === 0 ? null : Math.max(...values));

/** The lower one of the two in the middle. */
function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;
}
