/** What can go wrong with a pod, and the script of what does. */

/** A fault, placed on one replica of a workload. */
export interface ScriptedIncident {
  readonly kind: IncidentKind;
  readonly namespace: string;
  readonly workload: string;
  /** Which of the replicas, from 0. */
  readonly replica: number;
  /** From the start of the simulation. */
  readonly startOffsetSeconds: number;
  readonly endOffsetSeconds: number;
}

/** A fault with the pod that it hits and its time: the label of a test set. */
export interface Incident {
  readonly kind: IncidentKind;
  readonly namespace: string;
  readonly pod: string;
  /** It develops so many times faster than written. */
  readonly speed: number;
  /** Unix time. */
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** What the container does instead of its usual work, `elapsed` seconds into the incident. */
export interface Effect {
  /** For people: `runaway CPU`. */
  readonly title: string;
  /** CPU seconds consumed since the beginning, where the container usually consumes `usual` in that time. Never falls. */
  cpuSeconds(elapsed: number, usual: number): number;
  /** Memory in bytes, where the container usually has `usual`. */
  memoryBytes(elapsed: number, usual: number): number;
  /** When the container was started again, in seconds since the beginning, up to `elapsed`, ascending. */
  restarts(elapsed: number): readonly number[];
}

export type IncidentKind = 'runaway-cpu' | 'memory-leak' | 'crash-loop' | 'bad-replica';

const NEVER = (): readonly number[] => [];

/** A leak adds the usual size once in so many seconds, and the container is killed at four times that size. */
const LEAK_SECONDS = 60;
const LEAK_KILL_SECONDS = 3 * LEAK_SECONDS;

/** A crashing container lives so long; then the kubelet waits 10 s, 20 s, 40 s, … up to 5 minutes. */
const CRASH_SECONDS = 10;
const BACKOFF_SECONDS = 10;
const BACKOFF_LIMIT_SECONDS = 300;

function crashLoopRestarts(elapsed: number): readonly number[] {
  const times: number[] = [];
  let next = 0;
  for (
    let backoff = BACKOFF_SECONDS;
    next <= elapsed;
    backoff = Math.min(2 * backoff, BACKOFF_LIMIT_SECONDS)
  ) {
    times.push(next);
    next += CRASH_SECONDS + backoff;
  }
  return times;
}

/** To add a kind of fault, add a row. */
export const EFFECTS: Readonly<Record<IncidentKind, Effect>> = {
  'runaway-cpu': {
    title: 'runaway CPU',
    cpuSeconds: (elapsed, usual) => 3 * usual + 1.5 * elapsed,
    memoryBytes: (_, usual) => usual,
    restarts: NEVER,
  },
  'memory-leak': {
    title: 'memory leak',
    cpuSeconds: (_, usual) => usual,
    memoryBytes: (elapsed, usual) => usual * (1 + (elapsed % LEAK_KILL_SECONDS) / LEAK_SECONDS),
    restarts: (elapsed) =>
      Array.from({ length: Math.floor(elapsed / LEAK_KILL_SECONDS) }, (_, i) => (i + 1) * LEAK_KILL_SECONDS),
  },
  'crash-loop': {
    title: 'crash loop',
    // One and a half cores while it starts, nothing while the kubelet waits.
    cpuSeconds: (elapsed) =>
      crashLoopRestarts(elapsed).reduce(
        (sum, time) => sum + 1.5 * Math.min(elapsed - time, CRASH_SECONDS),
        0,
      ),
    memoryBytes: (_, usual) => 0.5 * usual,
    restarts: crashLoopRestarts,
  },
  'bad-replica': {
    title: 'one bad replica',
    cpuSeconds: (_, usual) => 2.5 * usual,
    memoryBytes: (elapsed, usual) => usual * (1 + 0.6 * Math.min(1, elapsed / 60)),
    restarts: NEVER,
  },
};

/** The same fault, developing so many times faster. CPU in cores and memory come to the same. */
export function pacedEffect(kind: IncidentKind, speed: number): Omit<Effect, 'title'> {
  const effect = EFFECTS[kind];
  return {
    cpuSeconds: (elapsed, usual) => effect.cpuSeconds(elapsed * speed, usual * speed) / speed,
    memoryBytes: (elapsed, usual) => effect.memoryBytes(elapsed * speed, usual),
    restarts: (elapsed) => effect.restarts(elapsed * speed).map((time) => time / speed),
  };
}

/** The incidents of the demo: all begin within two minutes. The first ends early, to show how a flag goes. */
export const SCRIPT: readonly ScriptedIncident[] = [
  {
    kind: 'runaway-cpu',
    namespace: 'shop',
    workload: 'cart',
    replica: 1,
    startOffsetSeconds: 20,
    endOffsetSeconds: 320,
  },
  {
    kind: 'memory-leak',
    namespace: 'payments',
    workload: 'checkout',
    replica: 0,
    startOffsetSeconds: 45,
    endOffsetSeconds: 945,
  },
  {
    kind: 'crash-loop',
    namespace: 'platform',
    workload: 'config-sync',
    replica: 0,
    startOffsetSeconds: 70,
    endOffsetSeconds: 970,
  },
  {
    kind: 'bad-replica',
    namespace: 'shop',
    workload: 'catalog',
    replica: 2,
    startOffsetSeconds: 95,
    endOffsetSeconds: 995,
  },
];
