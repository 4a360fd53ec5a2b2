/** What goes wrong in a fleet, where, and when. */

import { Draw } from './draw.js';
import type { KindName } from './kinds.js';
import type { FleetWorkload, Span } from './workload.js';

const HOUR = 60;
const DAY = 24 * HOUR;

/** What a workload needs so that a fault makes sense there. */
interface Needs {
  /** The fault hits all pods of the workload. */
  readonly isWide?: boolean;
  /** Only where CPU follows a load, and while there is one. */
  readonly needsLoad?: boolean;
  /** At least this number of replicas, so that one can be unlike the others. */
  readonly replicas?: number;
  /** It ends with a restart of the container. */
  readonly needsRestart?: boolean;
}

/**
 * A type of fault.
 *
 * @param title for people.
 * @param minutes how long it lasts, from and to.
 * @param size severity; `faultEffect` says what the number means.
 */
const fault = (
  title: string,
  minutes: readonly [number, number],
  size: readonly [number, number],
  needs: Needs = {},
) => ({ title, minutes, size, ...needs });

const WIDE = { isWide: true, needsLoad: true };

/** The types that each fleet has, by the name that labels have for it. */
const USUAL = {
  runaway_cpu: fault('runaway CPU', [20, 8 * HOUR], [0.5, 1], { needsRestart: true }),
  cpu_doubled: fault('CPU doubled on one replica', [HOUR, DAY], [1.8, 2.6], { needsLoad: true, replicas: 2 }),
  release_doubles_cpu: fault('a release that doubles CPU', [90, 20 * HOUR], [1.8, 2.6], WIDE),
  memory_step: fault('memory step', [HOUR, DAY], [1.6, 2.4], { needsRestart: true }),
  fast_leak: fault('fast leak', [30, 3 * HOUR], [2, 3], { needsRestart: true }),
  slow_leak: fault('slow leak', [6 * HOUR, 15 * HOUR], [2, 2.6], { needsRestart: true }),
  crash_loop: fault('crash loop, each life of minutes', [40, 8 * HOUR], [1.5, 8]),
  crash_loop_seconds: fault('crash loop, each life of seconds', [30, 12 * HOUR], [0.03, 0.18]),
  oom_cycle: fault('memory to the limit again and again', [HOUR, DAY], [6, 45]),
  hang: fault('a pod that hangs', [30, 12 * HOUR], [0.005, 0.03], { needsLoad: true, needsRestart: true }),
  lost_traffic: fault('lost traffic of a whole workload', [30, 6 * HOUR], [0.04, 0.25], WIDE),
};

/** What lasts for so long that nobody could know it from a new level. */
const LASTING = {
  cpu_doubled_for_days: fault('CPU doubled on one replica, for more than a day', [26 * HOUR, 40 * HOUR], [1.8, 2.6], {
    needsLoad: true,
    replicas: 2,
  }),
  memory_step_for_days: fault('memory step, for more than a day', [26 * HOUR, 40 * HOUR], [1.6, 2.4], {
    needsRestart: true,
  }),
  level_for_days: fault('CPU doubled on all replicas, for more than a day', [26 * HOUR, 40 * HOUR], [1.8, 2.6], WIDE),
};

/** All types of fault. */
export const FAULTS = {
  ...USUAL,
  ...LASTING,
  mass_outage: fault('the whole fleet does nearly nothing', [30, 90], [0.02, 0.02], { isWide: true }),
};

export type FaultType = keyof typeof FAULTS;

/** A fault of a fleet. Times in minutes from its start. */
export interface FleetFault {
  /** One fault can hit several pods, and a mass outage all workloads. */
  readonly id: string;
  readonly type: FaultType;
  readonly workload: FleetWorkload;
  /** The replica that it hits; `undefined`: all of them. */
  readonly replica: number | undefined;
  readonly start: number;
  readonly end: number;
  readonly size: number;
  /** In the days to learn from. */
  readonly isLearned: boolean;
}

/** Pods for each fault of a type. */
const PODS_PER_FAULT = 60;
/** Time between faults of a workload, and between a fault and either end of the days that count. */
const APART_MINUTES = 4 * HOUR;
const EDGE_MINUTES = HOUR;
const LOAD_NEEDED = 0.45;
const ATTEMPTS = 500;
/** Pods for each fault of a type that lasts for more than a day. */
const PODS_PER_LASTING_FAULT = 240;
/** A mass outage leaves this time at either end of the days that count. */
const OUTAGE_EDGE_MINUTES = 3 * HOUR;
/** With incidents in the days to learn from, one fault in four has happened before. */
const EARLIER = 4;
/** An earlier incident leaves the first day alone. */
const FIRST_DAY = DAY;

/** What a fleet has besides the usual. */
export interface FaultOptions {
  readonly pods: number;
  /** Some faults happen in the days to learn from as well. */
  readonly incident: boolean;
  /** Some faults last for more than a day. */
  readonly lasting: boolean;
  /** All workloads do nearly nothing at once. */
  readonly outage: boolean;
}

/**
 * Plans all faults, in order of their types. They come after `learningMinutes`; with `incident` some come before as
 * well. What is asked for besides the usual ones changes nothing about these, and comes after them in the list.
 */
export function planFaults(
  workloads: readonly FleetWorkload[],
  { seed, minutes }: Span,
  learningMinutes: number,
  { pods, incident, lasting, outage }: FaultOptions,
): FleetFault[] {
  const faults: FleetFault[] = [];
  const add = (types: object, draw: Draw, podsPerFault: number) => {
    const times = Math.max(1, Math.round(pods / podsPerFault));
    for (const type of Object.keys(types) as FaultType[]) {
      for (let i = 0; i < times; i++) {
        const fault = place(type, workloads, draw, learningMinutes, minutes, faults);
        if (fault !== undefined) faults.push({ ...fault, id: `${type}-${i + 1}` });
      }
    }
  };
  add(USUAL, new Draw(`${seed}/faults`), PODS_PER_FAULT);
  const earlier = incident ? earlierFaults(faults, seed, learningMinutes) : [];
  if (lasting) add(LASTING, new Draw(`${seed}/lasting-faults`), PODS_PER_LASTING_FAULT);
  faults.push(...earlier);
  return outage ? [...faults, ...massOutage(workloads, seed, learningMinutes, minutes)] : faults;
}

/** All workloads at once. */
function massOutage(workloads: readonly FleetWorkload[], seed: number, from: number, to: number): FleetFault[] {
  const type = 'mass_outage';
  const draw = new Draw(`${seed}/outage`);
  const length = draw.log(...FAULTS[type].minutes);
  const start = draw.between(from + OUTAGE_EDGE_MINUTES, to - OUTAGE_EDGE_MINUTES - length);
  const [size] = FAULTS[type].size;
  const common = {
    id: `${type}-1`,
    type,
    replica: undefined,
    start,
    end: start + length,
    size,
    isLearned: false,
  } as const;
  return workloads.map((workload) => ({ workload, ...common }));
}

/** A place and time where the fault makes sense and nothing else goes wrong; `undefined` if none is found. */
function place(
  type: FaultType,
  workloads: readonly FleetWorkload[],
  draw: Draw,
  from: number,
  to: number,
  others: readonly FleetFault[],
): FleetFault | undefined {
  const { minutes, size, isWide = false, needsLoad = false } = FAULTS[type];
  const suitable = workloads.filter((workload) => isSuitable(type, workload));
  if (suitable.length === 0) return undefined;
  // As long as there are others, each workload has one fault.
  const untouched = suitable.filter((workload) => others.every((other) => other.workload !== workload));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const workload = draw.pick(attempt < ATTEMPTS / 2 && untouched.length > 0 ? untouched : suitable);
    const length = Math.min(draw.log(...minutes), to - from - 2 * EDGE_MINUTES);
    const start = draw.between(from + EDGE_MINUTES, to - EDGE_MINUTES - length);
    const end = start + length;
    const replica = isWide ? undefined : draw.whole(0, workload.replicas - 1);
    const fault = {
      id: type,
      type,
      workload,
      replica,
      start,
      end,
      size: draw.log(...size),
      isLearned: false,
    };
    const load = workload.load?.[Math.floor(start)] ?? 1;
    const isFree = others
      .filter((other) => other.workload === workload)
      .every((other) => other.end + APART_MINUTES < start || end + APART_MINUTES < other.start);
    if (isFree && (!needsLoad || load >= LOAD_NEEDED)) return fault;
  }
  return undefined;
}

/** Whether the fault could be distinguished from the usual behaviour of the workload. */
function isSuitable(type: FaultType, { kind, controller, replicas, profile }: FleetWorkload): boolean {
  const { needsLoad = false, isWide = false, replicas: needed = 1 } = FAULTS[type];
  if (controller === 'CronJob' || controller === 'Job' || replicas < needed) return false;
  if (type === 'release_doubles_cpu' && controller !== 'Deployment') return false;
  if (needsLoad) return LOADED.has(kind) && !(isWide && profile.autoscaler !== undefined);
  const isMemory = type.startsWith('memory_step') || type.endsWith('_leak');
  return !(isMemory && UNSTEADY_MEMORY.has(kind));
}

/** Kinds whose CPU follows what people or other services ask of them, so that a halt or a doubling is plain to see. */
const LOADED: ReadonlySet<KindName> = new Set(['web', 'autoscaled', 'heap', 'store', 'database', 'cache', 'batch']);

/** Kinds whose memory grows to a multiple with each piece of work. */
export const UNSTEADY_MEMORY: ReadonlySet<KindName> = new Set(['ci-runner', 'backup', 'queue']);

/** Some of the faults on the same replica days before, at another time of the day. */
function earlierFaults(faults: readonly FleetFault[], seed: number, learningMinutes: number): FleetFault[] {
  return faults
    .filter((_, index) => index % EARLIER === 0)
    .flatMap((fault) => {
      const draw = new Draw(`${seed}/earlier/${fault.id}`);
      const length = Math.min(fault.end - fault.start, 0.5 * (learningMinutes - FIRST_DAY));
      if (length <= 0) return [];
      const start = draw.between(FIRST_DAY, learningMinutes - length - APART_MINUTES);
      return [{ ...fault, id: `${fault.id}-before`, start, end: start + length, isLearned: true }];
    });
}

/** What a fault does to a pod at an instant. */
export interface FaultEffect {
  /** CPU is multiplied by the factor, then the share of the limit is added. */
  readonly cpuFactor: number;
  readonly cpuLimitShare: number;
  /** Memory is multiplied by the factor, then has come this share of the way to the limit. */
  readonly memoryFactor: number;
  readonly memoryLimitShare: number;
}

export const NO_EFFECT: FaultEffect = {
  cpuFactor: 1,
  cpuLimitShare: 0,
  memoryFactor: 1,
  memoryLimitShare: 0,
};
/** Minutes until a spinning thread or a memory step has its full effect. */
const ONSET_MINUTES = 2;

/**
 * The effect of a fault while it lasts. What a release changes is the pod's own level, and crash loops only start
 * containers.
 *
 * @param sinceStart Minutes since the container was started.
 */
export function faultEffect(fault: FleetFault, minute: number, sinceStart: number): FaultEffect {
  const { type, start, end, size } = fault;
  const onset = Math.min(1, (minute - start) / ONSET_MINUTES);
  const grown = (share: number) => 1 + (size - 1) * share;
  switch (type) {
    case 'runaway_cpu':
      return { ...NO_EFFECT, cpuLimitShare: size * onset };
    case 'cpu_doubled':
    case 'cpu_doubled_for_days':
    case 'level_for_days':
    case 'mass_outage':
    case 'lost_traffic':
      return { ...NO_EFFECT, cpuFactor: grown(onset) };
    case 'memory_step':
    case 'memory_step_for_days':
      return { ...NO_EFFECT, memoryFactor: grown(onset) };
    case 'fast_leak':
    case 'slow_leak':
      return { ...NO_EFFECT, memoryFactor: grown((minute - start) / (end - start)) };
    case 'oom_cycle':
      // The kernel kills at the limit: the life's end.
      return { ...NO_EFFECT, memoryLimitShare: Math.min(1, sinceStart / size) };
    case 'hang':
      return { ...NO_EFFECT, cpuFactor: size };
    default:
      return NO_EFFECT;
  }
}

/** What two faults do to a pod at the same time. */
export function bothEffects(one: FaultEffect, other: FaultEffect): FaultEffect {
  return {
    cpuFactor: one.cpuFactor * other.cpuFactor,
    cpuLimitShare: one.cpuLimitShare + other.cpuLimitShare,
    memoryFactor: one.memoryFactor * other.memoryFactor,
    memoryLimitShare: Math.max(one.memoryLimitShare, other.memoryLimitShare),
  };
}

/** The time between the end of a container and its next start, in minutes. */
export interface Down {
  readonly from: number;
  readonly to: number;
  /** It belongs to a fault, and is no single restart. */
  readonly isFault: boolean;
}

/** The kubelet waits 10 s, 20 s, 40 s, … up to 5 minutes, and forgets after a life of 10 minutes. In minutes. */
const BACKOFF = 1 / 6;
const BACKOFF_LIMIT = 5;
const BACKOFF_RESET = 10;
/** A restart by hand. */
const RESTART_MINUTES = 0.4;

/**
 * When a fault ends its container, and when the next one starts.
 *
 * @param draw of the pod, for the length of each life.
 */
export function faultDowns({ type, start, end, size }: FleetFault, draw: Draw): Down[] {
  if (FAULTS[type].needsRestart) return [{ from: end, to: end + RESTART_MINUTES, isFault: true }];
  if (type !== 'crash_loop' && type !== 'crash_loop_seconds' && type !== 'oom_cycle') return [];
  const downs: Down[] = [];
  let backoff = BACKOFF;
  for (let from = start; from < end; ) {
    const life = type === 'oom_cycle' ? size : size * draw.between(0.7, 1.3);
    const to = from + backoff;
    downs.push({ from, to, isFault: true });
    backoff = life >= BACKOFF_RESET ? BACKOFF : Math.min(2 * backoff, BACKOFF_LIMIT);
    from = to + life;
  }
  return downs;
}
