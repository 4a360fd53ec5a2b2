/** What a test set says about its faults: which pod, when, and whether the values show it. */

import { EFFECTS, type Incident } from '../simulation/incidents.js';
import type { Instant, PodSample } from './recording.js';

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
  /** Of a pod that is bad from birth: the Unix time at which it was first seen. */
  readonly born?: number;
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

/** A new pod is not scored before this age: a fault that it has from the start counts from then on. */
export const WARM_UP_SECONDS = 300;

/** The rule of the public sets: with how many clean samples of the last hour, and how far beyond their range. */
const CLEAN_SECONDS = 3600;
const FEWEST_CLEAN_SAMPLES = 5;
const BEYOND_RANGE = 1.25;
const RESTARTS_NEEDED = 2;
/** A sample is clean when it is as far as that from any fault of its pod. */
const CLEAN_BEFORE_SECONDS = 60;
const CLEAN_AFTER_SECONDS = 360;
/** An incident that begins so soon after the first sample of a pod is there from birth. */
const BIRTH_SECONDS = 60;

interface TimedSample extends PodSample {
  readonly timeSeconds: number;
}

/** Keeps the samples of a case while it is written, and makes labels of them. */
export class Labeller {
  readonly #caseName: string;
  readonly #faults: readonly Incident[];
  readonly #samples = new Map<string, TimedSample[]>();
  #startSeconds = Infinity;

  /** @param incidents those of the case. The ones that are no faults get no label. */
  constructor(caseName: string, incidents: readonly Incident[]) {
    this.#caseName = caseName;
    this.#faults = incidents.filter(({ kind }) => EFFECTS[kind].faultType !== undefined);
  }

  /** Takes the samples in order of time. */
  add({ timeSeconds, samples }: Instant): void {
    this.#startSeconds = Math.min(this.#startSeconds, timeSeconds);
    for (const sample of samples) {
      const key = keyOf(sample);
      const ofPod = this.#samples.get(key) ?? [];
      if (ofPod.length === 0) this.#samples.set(key, ofPod);
      ofPod.push({ ...sample, timeSeconds });
    }
  }

  /** @throws {Error} if a fault hits a pod of which there is no sample. */
  labels(): readonly Label[] {
    return this.#faults.map((fault) => this.#label(fault));
  }

  #label(fault: Incident): Label {
    const own = this.#samples.get(keyOf(fault));
    const first = own?.[0];
    if (own === undefined || first === undefined) {
      throw new Error(`Expected samples of the faulty pod ${keyOf(fault)} in ${this.#caseName}, got none.`);
    }
    const { namespace, pod, kind } = fault;
    const { title, faultType = kind } = EFFECTS[kind];
    const born = this.#isFromBirth(fault, first.timeSeconds) ? first.timeSeconds : undefined;
    const start = Math.round(born === undefined ? fault.startSeconds : born + WARM_UP_SECONDS);
    const end = Math.round(fault.endSeconds);
    const during = own.filter(({ timeSeconds }) => start <= timeSeconds && timeSeconds <= end);
    const before = born === undefined ? this.#clean(own, start) : this.#cleanOfSiblings(first, start);
    const restartsBefore = own.findLast(({ timeSeconds }) => timeSeconds < start)?.restarts ?? null;
    return {
      case: this.#caseName,
      namespace,
      pod,
      workload: first.workload,
      fault_type: faultType,
      title,
      start,
      end,
      visible: visibility(before, during, restartsBefore),
      visible_against: born === undefined ? 'itself' : 'siblings',
      n_clean_before: before.length,
      ...(born === undefined ? {} : { born }),
      effect: effectOf(before, during, restartsBefore),
    };
  }

  #isFromBirth(fault: Incident, firstSeconds: number): boolean {
    return firstSeconds > this.#startSeconds && fault.startSeconds < firstSeconds + BIRTH_SECONDS;
  }

  #cleanOfSiblings(pod: PodSample, start: number): TimedSample[] {
    return [...this.#samples.values()]
      .filter(([one]) => one?.workload === pod.workload && one.namespace === pod.namespace)
      .filter(([one]) => one?.pod !== pod.pod)
      .flatMap((samples) => this.#clean(samples, start));
  }

  /** Samples of the hour before, far from any fault, while the pod was measured. */
  #clean(samples: readonly TimedSample[], start: number): TimedSample[] {
    const [one] = samples;
    const faults = this.#faults.filter((fault) => one !== undefined && keyOf(fault) === keyOf(one));
    return samples.filter(
      ({ timeSeconds, cpuCores, memoryBytes }) =>
        start - CLEAN_SECONDS <= timeSeconds &&
        timeSeconds < start &&
        cpuCores !== undefined &&
        memoryBytes !== undefined &&
        faults.every(
          ({ startSeconds, endSeconds }) =>
            timeSeconds < startSeconds - CLEAN_BEFORE_SECONDS ||
            timeSeconds > endSeconds + CLEAN_AFTER_SECONDS,
        ),
    );
  }
}

const keyOf = ({ namespace, pod }: { readonly namespace: string; readonly pod: string }) =>
  `${namespace}/${pod}`;

/** Values of a pod at an instant. */
export type Measured = Pick<PodSample, 'cpuCores' | 'memoryBytes' | 'restarts'>;

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
