/** Levels of workloads that change for good, with a release or without one: where, and when. */

import { Draw } from './draw.js';
import { type FleetFault, UNSTEADY_MEMORY } from './faults.js';
import type { FleetWorkload, Span } from './workload.js';

const HOUR = 60;

/** A change of the level of all pods of a workload. Times in minutes from the fleet's start. */
export interface FleetLevel {
  readonly workload: FleetWorkload;
  /** With new pods, or in those that run. */
  readonly change: 'release' | 'shift';
  readonly start: number;
  /** When the release is rolled back; `undefined`: it stays. */
  readonly until: number | undefined;
  /** Minutes in which a shift comes. */
  readonly onset: number;
  /** What CPU and memory are multiplied by. */
  readonly cpu: number;
  readonly memory: number;
}

/** Pods for each change of a sort, and for each release that is rolled back. */
const PODS_PER_LEVEL = 80;
const PODS_PER_ROLLBACK = 120;
/** After the days to learn from they begin early enough that their end can be seen; the others come days before. */
const EARLIEST_MINUTES = HOUR;
const LATEST_MINUTES = 20 * HOUR;
const DAYS_BEFORE = 4;
/** A third of them. */
const LEARNED_EVERY = 3;
const DOWN_CHANCE = 0.4;
const ATTEMPTS = 500;

/** Plans changes of level in workloads without a fault, at most one in each. */
export function planLevels(
  workloads: readonly FleetWorkload[],
  { seed }: Span,
  learningMinutes: number,
  { pods, faults }: { readonly pods: number; readonly faults: readonly FleetFault[] },
): FleetLevel[] {
  const draw = new Draw(`${seed}/levels`);
  const free = new Set(workloads.filter((workload) => faults.every((fault) => fault.workload !== workload)));
  const levels: FleetLevel[] = [];
  const add = (change: FleetLevel['change'], feature: 'cpu' | 'memory', from: number, lasts?: number) => {
    const suitable = [...free].filter((workload) => isSuitable(workload, change, feature));
    for (let attempt = 0; attempt < ATTEMPTS && suitable.length > 0; attempt++) {
      const workload = draw.pick(suitable);
      const start = from + draw.between(EARLIEST_MINUTES, LATEST_MINUTES);
      // Releases come in working time, as long as there is any.
      if (change === 'release' && attempt < ATTEMPTS / 2 && !workload.isWorkingTime(start)) continue;
      const size = feature === 'cpu' ? draw.log(1.5, 2.5) : draw.log(1.3, 1.9);
      const factor = draw.chance(DOWN_CHANCE) ? 1 / size : size;
      levels.push({
        workload,
        change,
        start,
        until: lasts === undefined ? undefined : start + lasts,
        onset: draw.log(2, HOUR),
        cpu: feature === 'cpu' ? factor : 1,
        memory: feature === 'memory' ? factor : 1,
      });
      free.delete(workload);
      return;
    }
  };
  for (let i = 1; i <= Math.max(1, Math.round(pods / PODS_PER_ROLLBACK)); i++) {
    add('release', 'cpu', learningMinutes, draw.between(14 * HOUR, 22 * HOUR));
  }
  for (let i = 1; i <= Math.max(1, Math.round(pods / PODS_PER_LEVEL)); i++) {
    const from = i % LEARNED_EVERY === 0 ? Math.max(0, learningMinutes - DAYS_BEFORE * 24 * HOUR) : learningMinutes;
    for (const change of ['release', 'shift'] as const) {
      for (const feature of ['cpu', 'memory'] as const) add(change, feature, from);
    }
  }
  return levels;
}

function isSuitable(
  { kind, controller }: FleetWorkload,
  change: FleetLevel['change'],
  feature: 'cpu' | 'memory',
): boolean {
  if (controller === 'CronJob' || controller === 'Job') return false;
  if (change === 'release' && controller !== 'Deployment') return false;
  return feature === 'cpu' || !UNSTEADY_MEMORY.has(kind);
}

/** How far a level has changed at an instant: CPU and memory are multiplied by that. What a release changes is the pod's own. */
export function levelAt(levels: readonly FleetLevel[], feature: 'cpu' | 'memory', minute: number): number {
  let factor = 1;
  for (const level of levels) {
    if (level.change === 'release' || minute < level.start) continue;
    factor *= level[feature] ** Math.min(1, (minute - level.start) / level.onset);
  }
  return factor;
}
