/** What Prometheus has of a pod, minute by minute: any stretch of time, in any order. */

import { uniform } from '../../simulation/random.js';
import { cpuAt, lastBegun, memoryAt } from './activity.js';
import { gaussian, redNoise } from './draw.js';
import { bothEffects, type FaultEffect, faultEffect, NO_EFFECT } from './faults.js';
import type { Fleet } from './fleet.js';
import { levelAt } from './levels.js';
import type { FleetPod, Tooth } from './lives.js';

const PAGE_BYTES = 4096;
/** A scrape is up to half a minute old when it is read, and comes a little early or late. */
const SCRAPE_AGE = 0.5;
const SCRAPE_JITTER = 0.06;
/** cAdvisor looks at a container after 15 s at the latest, and a rate needs two scrapes of it. In minutes. */
const SEEN_AFTER = 0.25;
const RATE_MINUTES = 1;
/** Share of the scrapes of a pod that are lost. */
const LOST_SCRAPES = 1 / 4000;
/** Size of a peak in its second minute, as a share of its first. */
const PEAK_REST = 0.4;
/** How much more slowly memory drifts than CPU. */
const MEMORY_PACE = 20;

/**
 * The values of a pod from a minute to before another one, one for each minute; `NaN`: no sample. Memory is whole pages;
 * restarts have a value whenever kube-state-metrics knows the pod.
 */
export function podColumns(fleet: Fleet, pod: FleetPod, from: number, to: number) {
  const length = Math.max(0, to - from);
  const empty = () => new Float64Array(length).fill(Number.NaN);
  const columns = { cpuCores: empty(), memoryBytes: empty(), restarts: empty() };
  const { born, end, gone, key, node, downs } = pod;
  const age = SCRAPE_AGE * uniform(key, 2);
  const outages = fleet.outages.filter((outage) => outage.node === undefined || outage.node === node);
  let ended = 0;
  const first = Math.max(from, Math.ceil(born));
  for (let minute = first; minute < Math.min(to, gone); minute++) {
    const time = minute - age - SCRAPE_JITTER * uniform(key ^ 0x51ed27, minute);
    if (time < born) continue;
    const outage = outages.find((one) => one.from <= minute && minute < one.to);
    if (outage !== undefined && outage.node === undefined) continue;
    while (ended < downs.length && (downs[ended]?.to as number) <= time) ended++;
    const index = minute - from;
    columns.restarts[index] = pod.restarts + ended;
    const isDown = time >= (downs[ended]?.from ?? Infinity) || time >= end;
    if (isDown || outage !== undefined || uniform(key ^ 0x2c1b3c, minute) < LOST_SCRAPES) continue;
    const sinceStart = time - (downs[ended - 1]?.to ?? born);
    if (sinceStart < SEEN_AFTER) continue;
    let effect = NO_EFFECT;
    for (const fault of pod.faults) {
      if (fault.start <= time && time < fault.end) effect = bothEffects(effect, faultEffect(fault, time, sinceStart));
    }
    const moment = { minute, time, sinceStart, effect };
    if (sinceStart >= RATE_MINUTES) columns.cpuCores[index] = cpuOf(pod, moment);
    columns.memoryBytes[index] = memoryOf(pod, moment);
  }
  return columns;
}

/** A minute, the time of its scrape, and how long the container has been running by then, in minutes. */
interface Moment {
  readonly minute: number;
  readonly time: number;
  readonly sinceStart: number;
  readonly effect: FaultEffect;
}

const loadOf = ({ workload: { load } }: FleetPod, time: number) => load?.[Math.max(0, Math.floor(time))] ?? 1;

function cpuOf(pod: FleetPod, { minute, time, sinceStart, effect }: Moment): number {
  const { key, activities, cpuFactor, workload } = pod;
  const { cpuCores, cpuLimit, cpuNoise, cpuDrift, startCpu, startMinutes } = workload.profile;
  let work = loadOf(pod, time) + peakAt(pod, minute) + PEAK_REST * peakAt(pod, minute - 1);
  for (const { list } of activities) work += cpuAt(list, lastBegun(list, time), time);
  const noise = Math.exp(cpuNoise * gaussian(key + 3, minute) + cpuDrift * redNoise(key + 5, time));
  const start = 1 + startCpu * Math.exp(-sinceStart / startMinutes);
  const usual = cpuCores * cpuFactor * levelAt(pod.levels, 'cpu', time) * work * noise * start;
  const taken = usual * effect.cpuFactor + effect.cpuLimitShare * cpuLimit;
  // The kernel's throttling is not exact.
  return taken < cpuLimit ? taken : cpuLimit * (1 - 0.01 * uniform(key + 11, minute));
}

/** The peak that begins in a minute, as a multiple of the level; mostly 0. */
function peakAt({ key, workload }: FleetPod, minute: number): number {
  const { peakChance, peakSize, peakTail } = workload.profile;
  if (uniform(key ^ 0x7f4a7c, minute) >= peakChance) return 0;
  return peakSize * Math.exp(peakTail * gaussian(key + 13, minute));
}

function memoryOf(pod: FleetPod, { minute, time, sinceStart, effect }: Moment): number {
  const { key, activities, heap, memoryFactor, workload } = pod;
  const { profile } = workload;
  const { memoryBytes, memoryLimit, memoryDrift, memoryStep, memoryNoise, memoryFollows } = profile;
  const drift = memoryDrift * redNoise(key + 17, time / MEMORY_PACE) + memoryFollows * (loadOf(pod, time) - 1);
  // Allocators take whole arenas.
  let share = 1 + memoryStep * Math.round(drift / memoryStep);
  for (const { list, rhythm } of activities) {
    const last = list[lastBegun(list, time)];
    if (last !== undefined) share += memoryAt(last, rhythm, time);
  }
  share += heapAt(heap, time);
  if (memoryNoise > 0) share *= 1 + memoryNoise * gaussian(key + 19, minute);
  share *= 1 - profile.emptyShare * Math.exp(-sinceStart / profile.fillMinutes);
  const taken = memoryBytes * memoryFactor * levelAt(pod.levels, 'memory', time) * share * effect.memoryFactor;
  const bytes = Math.min(memoryLimit, taken + effect.memoryLimitShare * (memoryLimit - taken));
  return PAGE_BYTES * Math.max(1, Math.round(bytes / PAGE_BYTES));
}

/** What a heap holds beyond what is always there. */
function heapAt(teeth: readonly Tooth[], time: number): number {
  if (teeth.length === 0) return 0;
  const { start, end, floor, top } = teeth[Math.max(0, lastBegun(teeth, time))] as Tooth;
  return floor + (top - floor) * Math.min(1, Math.max(0, (time - start) / (end - start)));
}
