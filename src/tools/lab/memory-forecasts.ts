/**
 * Measures forecasts of memory that runs full on simulated fleets: whether they come true, and how early they are, beside the
 * rules that people have today. Leaks go on until a container is killed at its limit.
 */

import { type Floors, forecastLimit } from '../../exporter/forecast/time-to-limit.js';
import { USUAL_DAYS, USUAL_STEP_SECONDS, usualBytes } from '../../exporter/forecast/usual-memory.js';
import { podColumns } from './fleet/columns.js';
import { createFleet, type Fleet } from './fleet/fleet.js';
import type { FleetPod } from './fleet/lives.js';
import type { FleetWorkload } from './fleet/workload.js';

const HOUR = 60;
const DAY = 24 * HOUR;

/** Minutes between two looks, which are those of the exporter. */
const STEP_MINUTES = 5;
/** An alert that comes again within this time has not ended, in minutes. */
const GAP_MINUTES = 30;
/** Of the limit: page granularity, and a kernel that ends what comes near. */
const FULL = 0.995;
/** Nothing is judged before, as too little is known of the days before. */
const FIRST_MINUTE = 2 * DAY;
/** A leak is followed for this long to learn when it reaches the limit. */
const LEAK_FOLLOWED = 8 * DAY;
const LEAK_LONGER = 12;

/** What one look at a pod has to go by. */
interface Look {
  /** Bytes of each minute of the fleet, `NaN` without a sample. */
  readonly memory: Float64Array;
  readonly minute: number;
  readonly limitBytes: number;
  readonly usualBytes: number;
}

/** A way to tell beforehand. */
export interface Method {
  readonly name: string;
  /** For how long it must hold before it counts, in minutes. */
  readonly forMinutes: number;
  /** Minutes until the limit is reached; `undefined`: it says nothing. */
  readonly look: (look: Look) => number | undefined;
}

const ahead = ({ memory, minute, limitBytes, usualBytes: usual }: Look): number | undefined => {
  const course = { day: floorsOf(memory, minute, 10, 144), hour: floorsOf(memory, minute, 5, 12) };
  const forecast = forecastLimit(course, limitBytes, usual);
  return forecast && forecast.seconds / 60;
};

/** Four hours are what rules in use look ahead. */
const LINEAR_MINUTES = 4 * HOUR;

const linear = ({ memory, minute, limitBytes }: Look) =>
  predictLinear(memory, minute, LINEAR_MINUTES) > limitBytes ? LINEAR_MINUTES : undefined;

/** The gauge of the exporter, its alert, and what people have today. */
export const METHODS: readonly Method[] = [
  { name: 'anomaly_memory_time_to_limit_seconds', forMinutes: 0, look: ahead },
  {
    name: 'PodMemoryFull',
    forMinutes: 10,
    look: (look) => {
      const minutes = ahead(look);
      return minutes !== undefined && minutes < 8 * HOUR ? minutes : undefined;
    },
  },
  { name: 'predict_linear([1h], 4h) > limit', forMinutes: 0, look: linear },
  { name: 'predict_linear([1h], 4h) > limit, for: 15m', forMinutes: 15, look: linear },
  {
    name: 'above 90 % of the limit, for: 15m',
    forMinutes: 15,
    look: ({ memory, minute, limitBytes }) =>
      (memory[minute] as number) > 0.9 * limitBytes ? LINEAR_MINUTES : undefined,
  },
];

/** Memory floors as the exporter asks for them, from samples of each minute. */
function floorsOf(memory: Float64Array, minute: number, stepMinutes: number, instants: number): Floors {
  const bytes = new Float64Array(instants).fill(Number.NaN);
  for (let instant = 0; instant < instants; instant++) {
    const end = minute - (instants - 1 - instant) * stepMinutes;
    for (let at = Math.max(0, end - stepMinutes + 1); at <= end; at++) {
      const value = memory[at] as number;
      if (!Number.isNaN(value) && !(value >= (bytes[instant] as number))) bytes[instant] = value;
    }
  }
  return { bytes, stepSeconds: 60 * stepMinutes };
}

/** As PromQL's function over an hour: least squares, at a number of minutes from now. */
export function predictLinear(memory: Float64Array, minute: number, minutesAhead: number): number {
  let [count, sumX, sumY, sumXX, sumXY] = [0, 0, 0, 0, 0];
  for (let at = Math.max(0, minute - HOUR + 1); at <= minute; at++) {
    const [x, y] = [at - minute, memory[at] as number];
    if (Number.isNaN(y)) continue;
    count++;
    sumX += x;
    sumY += y;
    sumXX += x * x;
    sumXY += x * y;
  }
  const spread = sumXX - (sumX * sumX) / count;
  if (count < 2 || spread === 0) return Number.NaN;
  const slope = (sumXY - (sumX * sumY) / count) / spread;
  return sumY / count + slope * (minutesAhead - sumX / count);
}

/** A leak, from its beginning to the end of the container at its limit. In minutes of the fleet. */
interface Leak {
  readonly start: number;
  readonly killed: number;
}

/** A pod with its memory, and its leak if it has one. */
interface Course {
  readonly pod: FleetPod;
  readonly memory: Float64Array;
  readonly leak: Leak | undefined;
}

/** What a pod has; a leak goes on at its pace until the limit, and there is nothing after that. */
function courseOf(fleet: Fleet, pod: FleetPod): Course {
  const fault = pod.faults.find(({ type, isLearned }) => type.endsWith('_leak') && !isLearned);
  if (fault === undefined) {
    return { pod, memory: podColumns(fleet, pod, 0, fleet.minutes).memoryBytes, leak: undefined };
  }
  const { start } = fault;
  const longer = {
    ...fault,
    end: start + LEAK_LONGER * (fault.end - start),
    size: 1 + LEAK_LONGER * (fault.size - 1),
  };
  const endless = {
    ...pod,
    end: Number.POSITIVE_INFINITY,
    gone: Number.POSITIVE_INFINITY,
    faults: pod.faults.map((own) => (own === fault ? longer : own)),
    downs: pod.downs.filter(({ isFault }) => !isFault),
  };
  const first = Math.ceil(start);
  const followed = podColumns(fleet, endless, first, first + LEAK_FOLLOWED).memoryBytes;
  const full = followed.findIndex((bytes) => bytes >= FULL * pod.workload.profile.memoryLimit);
  const leak = { start: first, killed: full < 0 ? Number.POSITIVE_INFINITY : first + full };
  const { memoryBytes: memory } = podColumns(fleet, endless, 0, fleet.minutes);
  memory.fill(Number.NaN, Math.min(memory.length, leak.killed + 1));
  return { pod, memory, leak };
}

/** What is usual for a workload, by the hour. */
function usualOf(courses: readonly Course[], minutes: number): Float64Array {
  const step = USUAL_STEP_SECONDS / 60;
  const times = Float64Array.from({ length: Math.floor(minutes / step) }, (_, index) => 60 * step * index);
  const highest = times.map((seconds) =>
    courses.reduce((most, { memory }) => {
      const value = memory[seconds / 60] as number;
      return value > most ? value : most;
    }, 0),
  );
  return Float64Array.from({ length: Math.ceil(minutes / HOUR) }, (_, hour) => {
    const end = 60 * (hour * HOUR - DAY);
    const from = times.findIndex((seconds) => seconds >= end - USUAL_DAYS * 60 * DAY);
    const to = times.findLastIndex((seconds) => seconds <= end) + 1;
    return usualBytes(times.subarray(from, to), highest.subarray(from, to), end);
  });
}

/** An alert about a pod, from its first minute on. */
export interface ForecastAlert {
  readonly pod: string;
  readonly kind: string;
  readonly minute: number;
  /** Minutes until the limit, as it says. */
  readonly horizon: number;
  /** The limit was reached within twice that time. */
  readonly cameTrue: boolean;
}

/** What became of one method on one fleet. */
export interface MethodOutcome {
  readonly alerts: readonly ForecastAlert[];
  /** Each leak whose container was killed within the fleet's time, with the first alert since it began. */
  readonly leaks: readonly {
    readonly pod: string;
    readonly leakMinutes: number;
    readonly warningMinutes: number | undefined;
    readonly horizon: number | undefined;
  }[];
  /** Days of pods that were judged. */
  readonly podDays: number;
}

/** Measures methods on a fleet of nine days. */
export function measureForecasts(seed: number, pods: number, methods: readonly Method[] = METHODS): MethodOutcome[] {
  const fleet = createFleet({ seed, days: 9, pods, incident: false });
  const lasting = fleet.pods.filter(({ workload: { controller } }) => controller !== 'CronJob' && controller !== 'Job');
  const outcomes = methods.map(() => ({
    alerts: [] as ForecastAlert[],
    leaks: [] as MethodOutcome['leaks'][number][],
    podDays: 0,
  }));
  const byWorkload = new Map<FleetWorkload, Course[]>();
  for (const pod of lasting) {
    const courses = byWorkload.get(pod.workload) ?? [];
    byWorkload.set(pod.workload, courses);
    courses.push(courseOf(fleet, pod));
  }
  for (const courses of byWorkload.values()) {
    const usual = usualOf(courses, fleet.minutes);
    for (const course of courses) {
      for (const [index, method] of methods.entries()) {
        const own = alertsOf(course, method, usual, fleet.minutes);
        const outcome = outcomes[index] as (typeof outcomes)[number];
        outcome.alerts.push(...own.alerts);
        outcome.podDays += own.minutes / DAY;
        const { pod, leak } = course;
        if (leak === undefined || leak.killed >= fleet.minutes) continue;
        const first = own.alerts.find(({ minute }) => minute >= leak.start);
        outcome.leaks.push({
          pod: pod.pod,
          leakMinutes: leak.killed - leak.start,
          warningMinutes: first && leak.killed - first.minute,
          horizon: first?.horizon,
        });
      }
    }
  }
  return outcomes;
}

function alertsOf({ pod, memory, leak }: Course, method: Method, usual: Float64Array, minutes: number) {
  const limitBytes = pod.workload.profile.memoryLimit;
  const from = STEP_MINUTES * Math.ceil(Math.max(FIRST_MINUTE, pod.born) / STEP_MINUTES);
  const until = Math.min(minutes, leak?.killed ?? pod.end);
  const fullAgainBy = (minute: number, deadline: number) => {
    if (leak !== undefined) return leak.start <= minute && leak.killed <= deadline;
    return memory.subarray(minute, Math.ceil(deadline)).some((bytes) => bytes >= FULL * limitBytes);
  };
  const alerts: ForecastAlert[] = [];
  let since = Number.NaN;
  let last = Number.NEGATIVE_INFINITY;
  for (let minute = from; minute < until; minute += STEP_MINUTES) {
    const look = { memory, minute, limitBytes, usualBytes: usual[Math.floor(minute / HOUR)] as number };
    const horizon = method.look(look);
    if (horizon === undefined) {
      since = Number.NaN;
      continue;
    }
    if (Number.isNaN(since)) since = minute;
    if (minute - since < method.forMinutes) continue;
    if (minute - last > GAP_MINUTES) {
      const cameTrue = fullAgainBy(minute, minute + 2 * horizon + STEP_MINUTES);
      alerts.push({ pod: pod.pod, kind: pod.workload.kind, minute, horizon, cameTrue });
    }
    last = minute;
  }
  return { alerts, minutes: Math.max(0, until - from) };
}
