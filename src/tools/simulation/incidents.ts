/** What can happen to a pod, above all the faults, and the script of the demo. */

/** An incident, placed on one replica of a workload. */
export interface ScriptedIncident {
  readonly kind: IncidentKind;
  readonly namespace: string;
  readonly workload: string;
  /** Index of the replica, from 0. */
  readonly replica: number;
  /** Counted from the start of the simulation. */
  readonly startOffsetSeconds: number;
  readonly endOffsetSeconds: number;
}

/** An incident with its pod and its time: if it is a fault, this is its label in a test set. */
export interface Incident {
  readonly kind: IncidentKind;
  readonly namespace: string;
  readonly pod: string;
  /** Factor by which it develops faster than its effect says. */
  readonly speed: number;
  /** Unix time. */
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** What the container does instead of its usual work, `elapsed` seconds into the incident. */
export interface Effect {
  /** For people: `runaway CPU`. */
  readonly title: string;
  /** The name of this fault in test sets: `cpu_load`. Absent if it is not a fault and no reason for an alert. */
  readonly faultType?: string;
  /** CPU seconds consumed since the beginning, where the container usually consumes `usual` in that time. Never falls. */
  cpuSeconds(elapsed: number, usual: number): number;
  /** Memory in bytes, where the container usually has `usual`. */
  memoryBytes(elapsed: number, usual: number): number;
  /** When the container restarted, in seconds since the beginning, up to `elapsed`, ascending. */
  restarts(elapsed: number): readonly number[];
  /** Whether the container has a cgroup: it has not while the kubelet waits before a restart. Default: always. */
  runs?(elapsed: number): boolean;
}

export type IncidentKind =
  | 'runaway-cpu'
  | 'cpu-stress'
  | 'memory-leak'
  | 'slow-leak'
  | 'memory-stress'
  | 'crash-loop'
  | 'failing-start'
  | 'oom-kill'
  | 'bad-replica'
  | 'heavy-from-birth'
  | 'busy-from-birth'
  | 'benign-restart';

const NEVER = (): readonly number[] => [];
const UNCHANGED = (_: number, usual: number): number => usual;

const MIB = 2 ** 20;

/** A leak adds the usual size every `LEAK_SECONDS`; the container is killed at four times the usual size. */
const LEAK_SECONDS = 60;
const LEAK_KILL_SECONDS = 3 * LEAK_SECONDS;

/** How long a crashing container and one that fails its probes run before the kubelet waits. */
const CRASH_SECONDS = 10;
const FAILING_SECONDS = 25;
/** The kubelet waits 10 s, 20 s, 40 s, … up to 5 minutes. */
const BACKOFF_SECONDS = 10;
const BACKOFF_LIMIT_SECONDS = 300;

/** When a container that runs for `lifeSeconds` each time is started, from 0 up to `elapsed`. */
function kubeletStarts(elapsed: number, lifeSeconds: number): readonly number[] {
  const times: number[] = [];
  let next = 0;
  for (
    let backoff = BACKOFF_SECONDS;
    next <= elapsed;
    backoff = Math.min(2 * backoff, BACKOFF_LIMIT_SECONDS)
  ) {
    times.push(next);
    next += lifeSeconds + backoff;
  }
  return times;
}

const crashLoopRestarts = (elapsed: number) => kubeletStarts(elapsed, CRASH_SECONDS);

/** Memory rises to its limit, 2.5 times the usual size, in this time; then the kernel kills the container. */
const OOM_LIFE_SECONDS = 90;
const OOM_LIMIT_RATIO = 2.5;

/** Time since the last start of the container, whether or not it still runs. */
const sinceStart = (elapsed: number, lifeSeconds: number) =>
  elapsed - (kubeletStarts(elapsed, lifeSeconds).at(-1) ?? 0);

/** Core seconds that a single restart costs, most of them within the burst; memory is refilled within minutes. */
const RESTART_CPU_SECONDS = 8;
const RESTART_BURST_SECONDS = 20;
const RESTART_FILL_SECONDS = 120;

/** To add a kind of incident, add a row. Effects in absolute units also show on a pod that is almost idle. */
export const EFFECTS: Readonly<Record<IncidentKind, Effect>> = {
  'runaway-cpu': {
    title: 'runaway CPU',
    faultType: 'cpu_load',
    cpuSeconds: (elapsed, usual) => 3 * usual + 1.5 * elapsed,
    memoryBytes: (_, usual) => usual,
    restarts: NEVER,
  },
  'memory-leak': {
    title: 'memory leak',
    faultType: 'mem_load',
    cpuSeconds: (_, usual) => usual,
    memoryBytes: (elapsed, usual) => usual * (1 + (elapsed % LEAK_KILL_SECONDS) / LEAK_SECONDS),
    restarts: (elapsed) =>
      Array.from({ length: Math.floor(elapsed / LEAK_KILL_SECONDS) }, (_, i) => (i + 1) * LEAK_KILL_SECONDS),
  },
  'crash-loop': {
    title: 'crash loop',
    faultType: 'crash_loop',
    // 1.5 cores while it starts, nothing while the kubelet waits.
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
    faultType: 'bad_replica',
    cpuSeconds: (_, usual) => 2.5 * usual,
    memoryBytes: (elapsed, usual) => usual * (1 + 0.6 * Math.min(1, elapsed / 60)),
    restarts: NEVER,
  },
  'cpu-stress': {
    title: 'CPU stress',
    faultType: 'cpu_load',
    cpuSeconds: (elapsed, usual) => 2 * usual + 0.05 * elapsed,
    memoryBytes: UNCHANGED,
    restarts: NEVER,
  },
  'slow-leak': {
    title: 'slow memory leak',
    faultType: 'mem_load',
    cpuSeconds: UNCHANGED,
    memoryBytes: (elapsed, usual) => usual + (elapsed / 60) * (0.1 * usual + 3 * MIB),
    restarts: NEVER,
  },
  'memory-stress': {
    title: 'memory stress',
    faultType: 'mem_load',
    cpuSeconds: UNCHANGED,
    memoryBytes: (elapsed, usual) => usual + Math.min(1, elapsed / 60) * (0.8 * usual + 40 * MIB),
    restarts: NEVER,
  },
  // Unlike the crash loop, it has no cgroup while the kubelet waits, as with containerd.
  'failing-start': {
    title: 'failing start',
    faultType: 'crash_loop_unmeasured',
    cpuSeconds: (elapsed) =>
      kubeletStarts(elapsed, FAILING_SECONDS).reduce(
        (sum, time) => sum + 0.8 * Math.min(elapsed - time, FAILING_SECONDS),
        0,
      ),
    memoryBytes: (_, usual) => 0.4 * usual,
    restarts: (elapsed) => kubeletStarts(elapsed, FAILING_SECONDS),
    runs: (elapsed) => sinceStart(elapsed, FAILING_SECONDS) < FAILING_SECONDS,
  },
  'oom-kill': {
    title: 'OOM kills',
    faultType: 'oom_kill',
    cpuSeconds: UNCHANGED,
    memoryBytes: (elapsed, usual) =>
      usual * (1 + ((OOM_LIMIT_RATIO - 1) * sinceStart(elapsed, OOM_LIFE_SECONDS)) / OOM_LIFE_SECONDS),
    // The run at the beginning of the incident was started before it.
    restarts: (elapsed) => kubeletStarts(elapsed, OOM_LIFE_SECONDS).slice(1),
    runs: (elapsed) => sinceStart(elapsed, OOM_LIFE_SECONDS) < OOM_LIFE_SECONDS,
  },
  // The next two are for new pods and begin with them.
  'heavy-from-birth': {
    title: 'too much memory from the start',
    faultType: 'heavy_from_birth',
    cpuSeconds: UNCHANGED,
    memoryBytes: (_, usual) => 3 * usual + 40 * MIB,
    restarts: NEVER,
  },
  'busy-from-birth': {
    title: 'too much CPU from the start',
    faultType: 'busy_from_birth',
    cpuSeconds: (elapsed, usual) => 4 * usual + 0.1 * elapsed,
    memoryBytes: UNCHANGED,
    restarts: NEVER,
  },
  'benign-restart': {
    title: 'single restart',
    cpuSeconds: (elapsed, usual) =>
      usual + RESTART_CPU_SECONDS * (1 - Math.exp(-elapsed / RESTART_BURST_SECONDS)),
    memoryBytes: (elapsed, usual) => usual * (1 - 0.35 * Math.exp(-elapsed / RESTART_FILL_SECONDS)),
    restarts: () => [0],
  },
};

/** The same effect, developing `speed` times faster. CPU in cores and memory reach the same values. */
export function pacedEffect(
  kind: IncidentKind,
  speed: number,
): Required<Omit<Effect, 'title' | 'faultType'>> {
  const effect = EFFECTS[kind];
  return {
    cpuSeconds: (elapsed, usual) => effect.cpuSeconds(elapsed * speed, usual * speed) / speed,
    memoryBytes: (elapsed, usual) => effect.memoryBytes(elapsed * speed, usual),
    restarts: (elapsed) => effect.restarts(elapsed * speed).map((time) => time / speed),
    runs: (elapsed) => effect.runs?.(elapsed * speed) ?? true,
  };
}

/** The incidents of the demo: all begin within two minutes. The first ends early, to show how a flag clears. */
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
