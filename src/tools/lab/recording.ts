/** What Prometheus would have recorded of a world, pod by pod: the answers to the exporter's queries over time. */

import type { World } from '../simulation/cluster.js';
import type { ContainerState, PodState } from '../simulation/pod-state.js';
import { counterRate, type Scrape } from './rate.js';

/** A pod at one instant. */
export interface PodSample {
  readonly namespace: string;
  readonly pod: string;
  /** The Deployment, CronJob, … at the top. */
  readonly workload: string;
  /** `undefined` before the second scrape of a container, and once nothing runs. Rounded to six digits. */
  readonly cpuCores: number | undefined;
  /** `undefined` while nothing runs. Whole pages. */
  readonly memoryBytes: number | undefined;
  readonly restarts: number;
}

/** All pods that the API server knows at one instant. */
export interface Instant {
  /** Unix time. */
  readonly timeSeconds: number;
  readonly samples: readonly PodSample[];
}

export interface RecordingOptions {
  /** First instant, Unix seconds. */
  readonly startSeconds: number;
  /** The recording ends before it. */
  readonly endSeconds: number;
  /** From one scrape, and one sample of the recording, to the next: at most half of the rate window. */
  readonly stepSeconds: number;
}

/** The window of the CPU rate, as by default in the exporter (`CPU_RATE_WINDOW`). */
export const RATE_WINDOW_SECONDS = 60;
const PAGE_BYTES = 4096;

/** The counters of a pod's containers: by container, then by run. */
type PodCounters = Map<string, Map<string, Scrape[]>>;

/** Instant after instant. Scrapes began early enough for the first rate to be complete. */
export function* recordWorld(world: World, options: RecordingOptions): Generator<Instant> {
  const { startSeconds, endSeconds, stepSeconds } = options;
  const counters = new Map<string, PodCounters>();
  for (let time = startSeconds - RATE_WINDOW_SECONDS; time < endSeconds; time += stepSeconds) {
    const pods = world.pods(time);
    for (const pod of pods) scrape(countersOf(counters, pod), pod, time);
    if (time >= startSeconds) {
      const samples = pods.map((pod) => samplePod(pod, countersOf(counters, pod), time));
      yield { timeSeconds: time, samples };
    }
  }
}

/** Queries group by these labels, so a pod goes on where one of the same name ended. */
function countersOf(counters: Map<string, PodCounters>, { namespace, pod }: PodState): PodCounters {
  const key = `${namespace}/${pod}`;
  const known = counters.get(key);
  if (known !== undefined) return known;
  const ofPod: PodCounters = new Map();
  counters.set(key, ofPod);
  return ofPod;
}

/** Adds what is exposed now and forgets what has left the window. */
function scrape(counters: PodCounters, { uid, containers }: PodState, timeSeconds: number): void {
  for (const { name, cgroups } of containers) {
    const runs = counters.get(name) ?? new Map<string, Scrape[]>();
    counters.set(name, runs);
    for (const { attempt, cpuSeconds } of cgroups) {
      const run = `${uid}/${attempt}`;
      runs.set(run, [...(runs.get(run) ?? []), { timeSeconds, value: cpuSeconds }]);
    }
    for (const [run, scrapes] of runs) {
      const recent = scrapes.filter((one) => one.timeSeconds > timeSeconds - RATE_WINDOW_SECONDS);
      if (recent.length === 0) runs.delete(run);
      else runs.set(run, recent);
    }
  }
}

function samplePod(state: PodState, counters: PodCounters, timeSeconds: number): PodSample {
  const { namespace, pod, owner, ownersOwner, containers } = state;
  const cpu = sumOfLargest(containers, ({ name }) =>
    [...(counters.get(name)?.values() ?? [])].flatMap(
      (scrapes) => counterRate(scrapes, timeSeconds, RATE_WINDOW_SECONDS) ?? [],
    ),
  );
  const memory = sumOfLargest(containers, ({ cgroups }) => cgroups.map(({ memoryBytes }) => memoryBytes));
  return {
    namespace,
    pod,
    workload: (ownersOwner ?? owner).name,
    cpuCores: cpu === undefined ? undefined : Number(cpu.toPrecision(6)),
    memoryBytes: memory === undefined ? undefined : Math.round(memory / PAGE_BYTES) * PAGE_BYTES,
    restarts: containers.reduce((sum, { restarts }) => sum + restarts, 0),
  };
}

/** Over the containers of a pod, the sum of the largest value of each; `undefined` if none has any. */
function sumOfLargest(
  containers: readonly ContainerState[],
  valuesOf: (container: ContainerState) => readonly number[],
): number | undefined {
  const largest = containers.map(valuesOf).filter((values) => values.length > 0);
  return largest.length === 0 ? undefined : largest.reduce((sum, values) => sum + Math.max(...values), 0);
}
