/** What can go wrong with a pod, and the script of the demo. */

import type { ContainerEnd, Waits } from './pod-state.js';

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

export interface Incident extends Pick<ScriptedIncident, 'kind' | 'namespace'> {
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
  /** CPU seconds consumed since the beginning, where the container usually consumes `usual` in that time. Never falls. */
  cpuSeconds(elapsed: number, usual: number): number;
  /** Memory in bytes, where the container usually has `usual`. */
  memoryBytes(elapsed: number, usual: number): number;
  /** When the container restarted, in seconds since the beginning, up to `elapsed`, ascending. */
  restarts(elapsed: number): readonly number[];
  /** When its runs ended, as `restarts`; with the last one not started again, the container waits. */
  ends(elapsed: number): readonly number[];
  /** How its runs end. */
  readonly endReason: ContainerEnd['reason'];
  /** The share of the periods of the CPU quota in which it is throttled. */
  readonly throttledShare: number;
  /** The share of time in which something in the container waits for each resource. */
  readonly waitShares: Waits;
}

export type IncidentKind =
  | 'runaway-cpu'
  | 'memory-leak'
  | 'fast-leak'
  | 'memory-stress'
  | 'oom-cycle'
  | 'crash-loop'
  | 'bad-replica'
  | 'hang'
  | 'lost-traffic'
  | 'unknown-job';

/** What an incident does not change. */
const USUAL: Omit<Effect, 'title'> = {
  cpuSeconds: (_, usual) => usual,
  memoryBytes: (_, usual) => usual,
  restarts: () => [],
  ends: () => [],
  endReason: 'Error',
  throttledShare: 0,
  waitShares: { cpu: 0, memory: 0, io: 0 },
};

/** When a container that fills its memory in this time was killed and started again. */
const killsEvery = (seconds: number) => (elapsed: number) =>
  Array.from({ length: Math.floor(elapsed / seconds) }, (_, i) => (i + 1) * seconds);
const MIB = 2 ** 20;

/** A leak adds the usual size every `LEAK_SECONDS`; the container is killed at four times the usual size. */
const LEAK_SECONDS = 2 * 3600;
const LEAK_KILL_SECONDS = 3 * LEAK_SECONDS;

/** In this time, memory grows to four times the usual size; then the container is killed, and begins again. */
const OOM_CYCLE_SECONDS = 8 * 60;

/** How long a crashing container runs before the kubelet waits: 10 s, 20 s, 40 s, … up to 5 minutes. */
const CRASH_SECONDS = 10;
const BACKOFF_SECONDS = 10;
const BACKOFF_LIMIT_SECONDS = 300;

/** When a crashing container is started, from 0 up to `elapsed`. */
function crashLoopRestarts(elapsed: number): readonly number[] {
  const times: number[] = [];
  let backoff = BACKOFF_SECONDS;
  for (let next = 0; next <= elapsed; ) {
    times.push(next);
    next += CRASH_SECONDS + backoff;
    backoff = Math.min(2 * backoff, BACKOFF_LIMIT_SECONDS);
  }
  return times;
}

/** To add a kind of incident, add a row. Effects in absolute units also show on a pod that is almost idle. */
export const EFFECTS: Readonly<Record<IncidentKind, Effect>> = {
  'runaway-cpu': {
    ...USUAL,
    title: 'runaway CPU',
    cpuSeconds: (elapsed, usual) => 3 * usual + 1.5 * elapsed,
    throttledShare: 0.3,
    waitShares: { cpu: 0.4, memory: 0, io: 0 },
  },
  'memory-leak': {
    ...USUAL,
    title: 'memory leak',
    memoryBytes: (elapsed, usual) => usual * (1 + (elapsed % LEAK_KILL_SECONDS) / LEAK_SECONDS),
    restarts: killsEvery(LEAK_KILL_SECONDS),
    ends: killsEvery(LEAK_KILL_SECONDS),
    endReason: 'OOMKilled',
    waitShares: { cpu: 0, memory: 0.02, io: 0.01 },
  },
  'oom-cycle': {
    ...USUAL,
    title: 'out-of-memory kills',
    memoryBytes: (elapsed, usual) => usual * (1 + (3 * (elapsed % OOM_CYCLE_SECONDS)) / OOM_CYCLE_SECONDS),
    restarts: killsEvery(OOM_CYCLE_SECONDS),
    ends: killsEvery(OOM_CYCLE_SECONDS),
    endReason: 'OOMKilled',
  },
  'crash-loop': {
    ...USUAL,
    title: 'crash loop',
    // 1.5 cores while it starts, nothing while the kubelet waits.
    cpuSeconds: (elapsed) =>
      crashLoopRestarts(elapsed).reduce((sum, time) => sum + 1.5 * Math.min(elapsed - time, CRASH_SECONDS), 0),
    memoryBytes: (_, usual) => 0.5 * usual,
    restarts: crashLoopRestarts,
    // The run that was there before ends at once.
    ends: (elapsed) =>
      [0, ...crashLoopRestarts(elapsed).map((time) => time + CRASH_SECONDS)].filter((time) => time <= elapsed),
  },
  'bad-replica': {
    ...USUAL,
    title: 'one bad replica',
    cpuSeconds: (_, usual) => 3 * usual,
    waitShares: { cpu: 0.1, memory: 0, io: 0 },
    memoryBytes: (elapsed, usual) => usual * (1 + 0.6 * Math.min(1, elapsed / 60)),
  },
  hang: {
    ...USUAL,
    title: 'hang',
    // A deadlock: only the liveness of the process costs something.
    cpuSeconds: (_, usual) => 0.005 * usual,
  },
  'lost-traffic': {
    ...USUAL,
    title: 'lost traffic',
    // What it does without requests: probes, metrics, timers.
    cpuSeconds: (_, usual) => 0.08 * usual,
  },
  'unknown-job': {
    ...USUAL,
    title: 'job that never came before',
    cpuSeconds: (elapsed, usual) => usual + 1.4 * elapsed,
    memoryBytes: (elapsed, usual) => usual + Math.min(1, elapsed / 60) * 200 * MIB,
  },
  'fast-leak': {
    ...USUAL,
    title: 'fast memory leak',
    memoryBytes: (elapsed, usual) => usual + (elapsed / 60) * (0.1 * usual + 3 * MIB),
  },
  'memory-stress': {
    ...USUAL,
    title: 'memory stress',
    memoryBytes: (elapsed, usual) => usual + Math.min(1, elapsed / 60) * (0.8 * usual + 40 * MIB),
  },
};

/** The same effect, developing `speed` times faster. CPU in cores and memory reach the same values. */
export function pacedEffect(kind: IncidentKind, speed: number): Omit<Effect, 'title'> {
  const effect = EFFECTS[kind];
  return {
    ...effect,
    cpuSeconds: (elapsed, usual) => effect.cpuSeconds(elapsed * speed, usual * speed) / speed,
    memoryBytes: (elapsed, usual) => effect.memoryBytes(elapsed * speed, usual),
    restarts: (elapsed) => effect.restarts(elapsed * speed).map((time) => time / speed),
    ends: (elapsed) => effect.ends(elapsed * speed).map((time) => time / speed),
  };
}

const scripted = (
  kind: IncidentKind,
  namespace: string,
  workload: string,
  replica: number,
  startOffsetSeconds: number,
  endOffsetSeconds: number,
): ScriptedIncident => ({ kind, namespace, workload, replica, startOffsetSeconds, endOffsetSeconds });

/**
 * The incidents of the demo. Two are there when it starts, as what lasts is judged after some minutes; one of them ends
 * soon, to show how a flag clears. Two begin while it is watched.
 */
export const SCRIPT: readonly ScriptedIncident[] = [
  scripted('memory-leak', 'payments', 'ledger', 1, -3 * 3600, 900),
  scripted('bad-replica', 'shop', 'catalog', 2, -15 * 60, 150),
  scripted('runaway-cpu', 'shop', 'cart', 1, 20, 920),
  scripted('crash-loop', 'platform', 'config-sync', 0, 45, 945),
];
