/** The cases of the simulated set: which world each records, when, and how closely. */

import { createWorld, type World } from '../simulation/cluster.js';
import { hashText } from '../simulation/random.js';
import type { RecordingOptions } from './recording.js';
import {
  changeSchedule,
  faultCount,
  faultSchedule,
  NOTHING,
  repeatedSchedule,
  type Schedule,
} from './schedule.js';
import { SIMULATED_WORKLOADS } from './simulated-workloads.js';

/** One file of the set. */
export interface SimulatedCase extends RecordingOptions {
  readonly name: string;
  readonly world: World;
}

const DAY = Date.UTC(2026, 0, 12) / 1000;
const HOUR_SECONDS = 3600;

interface Row {
  readonly name: string;
  /** Hour of the day, UTC, at which it begins: the daily swing is steepest at 8 and at 20 o'clock. */
  readonly hour: number;
  readonly stepSeconds: number;
  /** Its length, as a multiple of the hours asked for. Default 1. */
  readonly length?: number;
  schedule(seed: number, hours: number): Schedule;
}

const CASES: readonly Row[] = [
  { name: 'faults-1', hour: 9, stepSeconds: 15, schedule: (seed, hours) => faultSchedule(seed, hours, 0) },
  {
    name: 'faults-2',
    hour: 15,
    stepSeconds: 30,
    schedule: (seed, hours) => faultSchedule(seed, hours, faultCount(hours)),
  },
  {
    name: 'faults-3',
    hour: 2,
    stepSeconds: 15,
    schedule: (seed, hours) => faultSchedule(seed, hours, 2 * faultCount(hours)),
  },
  { name: 'repeated', hour: 11, stepSeconds: 30, schedule: repeatedSchedule },
  { name: 'changes', hour: 7, stepSeconds: 15, schedule: changeSchedule },
  { name: 'quiet', hour: 3, stepSeconds: 30, length: 2, schedule: () => NOTHING },
];

/**
 * All cases. Each is a cluster of its own, on a day of its own.
 *
 * @param hours Length of a case; the quiet one has twice that.
 */
export function simulatedCases(seed: number, hours: number): readonly SimulatedCase[] {
  return CASES.map(({ name, hour, stepSeconds, length = 1, schedule }, index) => {
    const key = hashText(`${seed}/${name}`);
    const startSeconds = DAY + (index * 24 + hour) * HOUR_SECONDS;
    const world = createWorld({
      seed: key,
      startSeconds,
      workloads: SIMULATED_WORKLOADS,
      ...schedule(key, length * hours),
    });
    const endSeconds = startSeconds + Math.floor(length * hours * HOUR_SECONDS);
    return { name, world, startSeconds, endSeconds, stepSeconds };
  });
}
