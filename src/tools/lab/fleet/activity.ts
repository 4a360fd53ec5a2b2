/** Work that comes and goes: queues, jobs inside a pod, builds, compactions, backups. */

import { partitionPoint } from '../../../lib/partition-point.js';
import type { Draw } from './draw.js';

/** How often a workload has such work, and what a stretch of it costs. Times in minutes. */
export interface Rhythm {
  /** By the clock: from one start to the next. Otherwise the median from an end to the next start. */
  readonly every: number;
  /** By the clock, the first start; otherwise work comes irregularly. */
  readonly phase?: number;
  /** By the clock: how much earlier or later than that it starts, at most. Default: some seconds later. */
  readonly wander?: number;
  /** Median length, and the standard deviation of its logarithm. */
  readonly minutes: number;
  readonly minutesSigma: number;
  /** CPU that it adds, as a multiple of the pod's level; the median, and the standard deviation of its logarithm. */
  readonly cpu: number;
  readonly cpuSigma: number;
  /** Memory that it adds, as a share of the pod's level. Negative: memory is given back. */
  readonly memory: number;
  /** Time constant with which that memory goes away again. */
  readonly decay: number;
  /** All pods of the workload work at the same time, or each for itself. */
  readonly together?: boolean;
  /** Only in working hours, except one in ten. */
  readonly workingTime?: boolean;
}

/** A stretch of work. Times in minutes from the start of the fleet. */
export interface Activity {
  readonly start: number;
  readonly end: number;
  readonly cpu: number;
  readonly memory: number;
  /** Memory that earlier work still holds at the start of this one. */
  readonly memoryBefore: number;
}

/** The work of a rhythm, in order of time, without overlaps. */
export type Activities = ReturnType<typeof drawActivities>;

/** Work is drawn from this time before minute 0 on, so that its memory has settled by then. */
const EARLY_MINUTES = 1440;
const OFF_TIME_SHARE = 0.1;
const GAP_SIGMA = 0.8;
/** Memory rises within that share of the median length of the work. */
const RISE_SHARE = 0.2;

/** Draws the stretches of a fleet's time. @param isWorkingTime of the people who cause the work. */
export function drawActivities(
  rhythm: Rhythm,
  draw: Draw,
  minutes: number,
  isWorkingTime: (minute: number) => boolean,
) {
  const { every, phase, wander = 0, cpu, cpuSigma, memory, workingTime = false } = rhythm;
  const list: Activity[] = [];
  let last: Activity | undefined;
  let next = phase === undefined ? -EARLY_MINUTES + every * draw.uniform() : phase - EARLY_MINUTES;
  while (next < minutes) {
    const jitter = phase === undefined ? 0 : 0.3 * draw.uniform() + (wander > 0 ? draw.between(-wander, wander) : 0);
    const length = draw.spread(rhythm.minutes, rhythm.minutesSigma);
    const size = draw.spread(1, cpuSigma);
    const start = Math.max(next + jitter, last?.end ?? Number.NEGATIVE_INFINITY);
    const end = start + length;
    next = phase === undefined ? end + draw.spread(every, GAP_SIGMA) : next + every;
    const comes = draw.chance(OFF_TIME_SHARE) || !workingTime || isWorkingTime(start);
    if (!comes) continue;
    last = {
      start,
      end,
      cpu: cpu * size,
      memory: memory * size ** 0.7,
      memoryBefore: last === undefined ? 0 : memoryAt(last, rhythm, start),
    };
    list.push(last);
  }
  return { rhythm, list };
}

/** Position of the last stretch that has begun, of a list in order of time; -1 before the first. */
export function lastBegun(list: readonly { readonly start: number }[], minute: number): number {
  return partitionPoint(list.length, (position) => (list[position]?.start as number) <= minute) - 1;
}

/** CPU in the minute before an instant, as a multiple of the pod's level, of the stretch at a position and the ones before. */
export function cpuAt(list: readonly Activity[], position: number, minute: number): number {
  let sum = 0;
  for (let i = position; i >= 0; i--) {
    const { start, end, cpu } = list[i] as Activity;
    if (end <= minute - 1) break;
    sum += cpu * (Math.min(minute, end) - Math.max(minute - 1, start));
  }
  return sum;
}

/** Memory that a stretch, and those before it, add at an instant after its start. */
export function memoryAt(
  { start, end, memory, memoryBefore }: Activity,
  { minutes, decay }: Rhythm,
  minute: number,
): number {
  const reached = (time: number) =>
    memory + (memoryBefore - memory) * Math.exp((start - time) / (RISE_SHARE * minutes));
  return minute < end ? reached(minute) : reached(end) * Math.exp((end - minute) / decay);
}
