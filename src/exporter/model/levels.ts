/**
 * Steps of level: from when on a workload uses more or less for good. What came with a release is accepted after some hours,
 * what came without one after about a day; a level that is accepted is usual, and so is the one before.
 */

import { quantileInPlace } from '../../lib/statistics.js';
import { BIN_SECONDS, BINS_PER_DAY, BINS_PER_HOUR, isWeekend } from '../history/grid.js';
import type { WorkloadHistory } from '../history/workload-history.js';

/** A level that was accepted. */
export interface LevelStep {
  /** Number of the half hour since 1970 in which it began. */
  readonly bin: number;
  /** By how much the level is higher since then; negative where it is lower. */
  readonly offset: number;
  /** Whether it began with a release. */
  readonly isRelease: boolean;
  /** Number of the first half hour for which it is accepted. */
  readonly acceptedBin: number;
}

/** After how many hours a level is accepted: one that came with a release, and one without. */
export interface Acceptance {
  readonly releaseHours: number;
  readonly levelHours: number;
  /** Unix time in seconds: what is due by then is accepted. The hour that goes on is not known yet, and not waited for. */
  readonly nowSeconds: number;
}

/** A smaller one does not count: it is below every boundary. A step must also be this many times the usual spread from day to day. */
const LEAST_OFFSET = 0.15;
const LEAST_SPREADS = 3;
const LEAST_SPREADS_OF_RELEASE = 2;

/** Of the half hours since the step, this share must be on its side, beyond half of the offset. */
const LEAST_SHARE = 0.8;
/** From the first to the last third of them, the level may move by this share of the offset: a ramp is no step. */
const MOST_DRIFT = 0.5;
/** This many of them must have an earlier day of their kind to compare with. */
const LEAST_BINS = 18;
const LEAST_BINS_OF_RELEASE = 8;
/** Where that takes longer, it is waited for up to here. */
const MOST_BINS = 4 * BINS_PER_DAY;
/** The first ones must be beyond as well. */
const FIRST_BINS = 4;

/** What begins within this many half hours before a release came with it. */
const BINS_TO_RELEASE = 4;

/** Room for the days of a history. */
const MOST_DAYS = 30;

/** Half hours before and after the beginning of a step that belong to neither level. */
const BINS_BEFORE = 1;
const BINS_AFTER = 2;

/** Finds the steps of one workload and gauge. */
export class StepFinder {
  readonly #releaseBins: number;
  readonly #levelBins: number;
  readonly #nowSeconds: number;
  readonly #room = new Float64Array(MOST_DAYS);
  #levels = new Float64Array(0);
  #residuals = new Float64Array(0);
  #firstBin = 0;

  constructor({ releaseHours, levelHours, nowSeconds }: Acceptance) {
    this.#releaseBins = releaseHours * BINS_PER_HOUR;
    this.#levelBins = levelHours * BINS_PER_HOUR;
    this.#nowSeconds = nowSeconds;
  }

  /**
   * The accepted steps, in order of time.
   *
   * @param levels of all known half hours, `NaN` where unknown.
   * @param firstBin number of the first one since 1970.
   * @param releases Unix times in seconds, by the number of the half hour.
   */
  find(levels: Float64Array, firstBin: number, releases: ReadonlyMap<number, number>): LevelStep[] {
    this.#levels = levels.slice();
    this.#firstBin = firstBin;
    this.#residuals = new Float64Array(levels.length);
    const steps: LevelStep[] = [];
    this.#updateResiduals(0);
    for (let begin = LEAST_BINS_OF_RELEASE; begin < levels.length; begin++) {
      const releaseSeconds = releases.get(firstBin + begin);
      const isRelease = releaseSeconds !== undefined;
      if (!isRelease && !this.#mayBegin(begin, releases)) continue;
      const beganSeconds = releaseSeconds ?? (firstBin + begin) * BIN_SECONDS;
      const step =
        (isRelease ? this.#stepAt(begin, true, this.#releaseBins, beganSeconds) : undefined) ??
        this.#stepAt(begin, isRelease, this.#levelBins, beganSeconds);
      if (step === undefined) continue;
      steps.push(step);
      align(this.#levels, firstBin, [step]);
      this.#updateResiduals(begin);
    }
    return steps;
  }

  #updateResiduals(from: number): void {
    for (let bin = from; bin < this.#levels.length; bin++) this.#residuals[bin] = this.#residualAt(bin, 0, bin);
  }

  /** The level, less its median at the same time of day on other days of the same kind, from one half hour to another. */
  #residualAt(bin: number, from: number, to: number): number {
    const weekend = this.#isWeekend(bin);
    let count = 0;
    for (let other = bin % BINS_PER_DAY; other < to; other += BINS_PER_DAY) {
      const level = this.#levels[other] as number;
      if (other >= from && !Number.isNaN(level) && this.#isWeekend(other) === weekend) this.#room[count++] = level;
    }
    return count === 0 ? Number.NaN : (this.#levels[bin] as number) - quantileInPlace(this.#room, count, 0.5);
  }

  /** By how much a half hour just before a step is below the same time on the day after the step. */
  #shiftAfter(bin: number, begin: number): number {
    const isAdjacent = this.#isWeekend(bin) === this.#isWeekend(begin) && begin - bin <= BINS_PER_DAY;
    return isAdjacent ? -this.#residualAt(bin, begin, begin + BINS_PER_DAY) : Number.NaN;
  }

  #isWeekend(bin: number): boolean {
    return isWeekend(Math.floor((this.#firstBin + bin) / BINS_PER_DAY));
  }

  /** Whether the level moves here. A half hour without an earlier day is judged by those before the step. */
  #mayBegin(begin: number, releases: ReadonlyMap<number, number>): boolean {
    for (let later = 1; later <= BINS_TO_RELEASE; later++) {
      if (releases.has(this.#firstBin + begin + later)) return false;
    }
    const isKnown = !Number.isNaN(this.#residuals[begin]);
    const moved = [0, 1, 2].map((away) =>
      isKnown ? (this.#residuals[begin + away] as number) : this.#shiftAfter(begin - 1 - away, begin),
    );
    const side = Math.sign(moved[0] as number);
    if (!moved.every((residual) => side * residual >= LEAST_OFFSET / 2)) return false;
    // Without an earlier day, half hours just before and after the beginning are compared with the day that follows.
    return (
      isKnown ||
      [0, 1, 2].every((away) => 2 * side * this.#shiftAfter(begin + away, begin) < side * (moved[0] as number))
    );
  }

  #stepAt(begin: number, isRelease: boolean, wait: number, beganSeconds: number): LevelStep | undefined {
    const end = this.#levels.length;
    if (this.#nowSeconds < beganSeconds + wait * BIN_SECONDS) return undefined;
    const least = Math.min(isRelease ? LEAST_BINS_OF_RELEASE : LEAST_BINS, wait - BINS_AFTER);
    const shifts: number[] = [];
    const slots = new Set<number>();
    let [higher, lower] = [0, 0];
    let bin = begin + (isRelease ? BINS_AFTER : 0);
    for (; bin < begin + wait || slots.size < least; bin++) {
      if (bin >= end && slots.size >= least) break;
      if (bin >= end || bin > begin + MOST_BINS) return undefined;
      const residual = bin < begin + BINS_PER_DAY ? (this.#residuals[bin] as number) : this.#residualAt(bin, 0, begin);
      if (Number.isNaN(residual)) continue;
      shifts.push(residual);
      if (residual >= LEAST_OFFSET / 2) higher++;
      else if (residual <= -LEAST_OFFSET / 2) lower++;
      // Most candidates of irregular workloads end here.
      const others = shifts.length - Math.max(higher, lower);
      if (others > (1 - LEAST_SHARE) * Math.max(wait, shifts.length)) return undefined;
      slots.add(bin % BINS_PER_DAY);
    }
    const offset = median(shifts);
    const size = Math.abs(offset);
    if (size < LEAST_OFFSET) return undefined;
    const isBeyond = (shift: number) => shift * Math.sign(offset) >= size / 2;
    if (!isBeyond(median(shifts.slice(0, FIRST_BINS)))) return undefined;
    if (shifts.filter(isBeyond).length < LEAST_SHARE * shifts.length) return undefined;
    const third = Math.ceil(shifts.length / 3);
    if (Math.abs(median(shifts.slice(-third)) - median(shifts.slice(0, third))) > MOST_DRIFT * size) return undefined;
    if (size < (isRelease ? LEAST_SPREADS_OF_RELEASE : LEAST_SPREADS) * this.#spreadBeside(begin)) return undefined;
    return {
      bin: this.#firstBin + begin,
      offset,
      isRelease,
      acceptedBin: this.#firstBin + Math.max(bin, begin + wait),
    };
  }

  /** How far half hours usually are from earlier days: before a step, or else since then; 0 where that is not known. */
  #spreadBeside(begin: number): number {
    for (const [from, to] of [
      [0, begin],
      [begin, this.#levels.length],
    ] as const) {
      let count = 0;
      const distances: number[] = [];
      for (let bin = from; bin < to; bin++) {
        const residual = this.#residualAt(bin, from, bin);
        if (!Number.isNaN(residual)) distances[count++] = Math.abs(residual);
      }
      if (count >= BINS_PER_DAY / 2) return 1.4826 * median(distances);
    }
    return 0;
  }
}

function median(values: readonly number[]): number {
  return quantileInPlace(Float64Array.from(values), values.length, 0.5);
}

/** The first and the last half hour that belong to neither level. */
export function transitionOf({ bin }: LevelStep): readonly [from: number, to: number] {
  return [bin - BINS_BEFORE, bin + BINS_AFTER - 1];
}

/** Moves all half hours before steps to the level of today; those in which the level changed become unknown. */
export function align(levels: Float64Array, firstBin: number, steps: readonly LevelStep[]): void {
  for (const step of steps) {
    const [from, to] = transitionOf(step).map((bin) => bin - firstBin) as [number, number];
    for (let bin = 0; bin <= Math.min(to, levels.length - 1); bin++) {
      levels[bin] = bin < from ? (levels[bin] as number) + step.offset : Number.NaN;
    }
  }
}

/**
 * How far below and above the level of today (0) the levels are that are known. A step back to a level that was there before
 * undoes the steps since then: what was left is no level that a workload may go to unnoticed.
 */
export function knownRange(steps: readonly LevelStep[]): { lowest: number; highest: number } {
  let levels = [0];
  let level = 0;
  for (const { offset } of steps) {
    level += offset;
    const returned = levels.findIndex((known) => Math.abs(known - level) <= Math.abs(offset) / 2);
    levels = [...(returned < 0 ? levels : levels.slice(0, returned)), level];
  }
  return { lowest: Math.min(...levels) - level, highest: Math.max(...levels) - level };
}

/** When a workload was released, Unix times in seconds, by the numbers of the half hours. */
export function releasesByBin(
  history: WorkloadHistory,
  row: number,
  firstHour: number,
  lastHour: number,
): Map<number, number> {
  const releases = new Map<number, number>();
  for (let hour = firstHour; hour <= lastHour; hour++) {
    const seconds = history.releaseAt(row, hour);
    if (!Number.isNaN(seconds)) releases.set(Math.ceil(seconds / BIN_SECONDS) - 1, seconds);
  }
  return releases;
}
