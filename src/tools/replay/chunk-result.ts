/** What the replay of a chunk leaves behind: small plain data, to keep in files and to add up. */

import type { PodIdentity } from '../../exporter/features/table.js';

/** Runs of minutes: from, to, from, to, …; each from its first minute to before its end, ascending. */
export type Runs = readonly number[];

/** The name of a feature, its unit, and whether its value only ever rises. */
export interface FeatureName {
  readonly name: string;
  readonly unit: string;
  readonly isCounter: boolean;
}

/** A pod in a chunk. Minutes count from the start of the chunk. */
export interface PodStretch extends PodIdentity {
  readonly scored: Runs;
  /** Of these, the minutes in which it is muted. */
  readonly muted: Runs;
  /** For each sensitivity: the minutes that are flagged, and of these those in which the anomaly lasts. */
  readonly flagged: readonly Runs[];
  readonly lasting: readonly Runs[];
  /**
   * Some minutes, ascending: of each flagged run the first ones, then every tenth, and the minute after it; and the first
   * minute of the chunk, before which a run may have ended.
   */
  readonly readMinutes: readonly number[];
  /** The readings of these minutes, one after the other. */
  readonly readings: Reading;
}

/**
 * The score, then for each feature actual, expected, deviation, and the position of its comparison in `COMPARISONS`; `null` for a feature that the model did without.
 * In the units of the features, six digits.
 */
export type Reading = readonly (number | null)[];

/** Numbers of one feature in a reading: actual, expected, deviation, comparison. */
export const READING_NUMBERS = 4;

/** Totals of a chunk, and all of its pods. */
export interface ChunkResult {
  /** Unix time in seconds. */
  readonly startSeconds: number;
  readonly minutes: number;
  readonly features: readonly FeatureName[];
  readonly pods: readonly PodStretch[];
  /** Pod-minutes that were seen and not scored, by reason. */
  readonly unscored: Readonly<Record<string, number>>;
  readonly minutesWithoutModel: number;
  /** Hours with pods that the first training remembered. */
  readonly rememberedHours: number;
  /** Messages a day that the last model expects when nothing is wrong; `null` where too little is known. */
  readonly expectedMessagesPerDay: number | null;
  readonly trainings: number;
  /** Trainings that failed, and the reason of the last of them. */
  readonly failedTrainings: number;
  readonly lastFailure: string | null;
  /** Sentences that trainings and Prometheus gave, each once. */
  readonly warnings: readonly string[];
}

/** What plots are drawn from; kept apart, as it is read for a few pods only. */
export interface ChunkPlots {
  readonly startSeconds: number;
  readonly minutes: number;
  /** Minutes of a bucket of `overview`. */
  readonly bucketMinutes: number;
  /** By pod (`podKey`): for each bucket the highest score, `null` without one. */
  readonly overview: Readonly<Record<string, readonly (number | null)[]>>;
  /** By pod: every minute of those that were flagged, of the others some at the beginning and at the end. */
  readonly detail: Readonly<Record<string, PodReadings>>;
}

/** Readings of some minutes. */
export interface PodReadings {
  /** From the start of the chunk, ascending. */
  readonly minutes: readonly number[];
  /** The readings of these minutes, one after the other. */
  readonly readings: Reading;
}

/** Minutes that are set, as runs. */
export function runsOf(minutes: Uint8Array): number[] {
  const runs: number[] = [];
  for (let minute = 0; minute < minutes.length; minute++) {
    const isSet = minutes[minute] !== 0;
    const wasSet = minute > 0 && minutes[minute - 1] !== 0;
    if (isSet !== wasSet) runs.push(minute);
  }
  if (runs.length % 2 === 1) runs.push(minutes.length);
  return runs;
}

/** Each run of runs. */
export function spansOf(runs: Runs): readonly (readonly [from: number, to: number])[] {
  return Array.from({ length: runs.length / 2 }, (_, index) => [
    runs[2 * index] as number,
    runs[2 * index + 1] as number,
  ]);
}

/** How many minutes runs hold. */
export function lengthOf(runs: Runs): number {
  return spansOf(runs).reduce((sum, [from, to]) => sum + to - from, 0);
}

/** Runs, each shifted by some minutes, in order and as one: neighbours become one. */
export function joinRuns(parts: readonly (readonly [runs: Runs, shift: number])[]): Runs {
  const joined: number[] = [];
  for (const [runs, shift] of parts) {
    for (const [from, to] of spansOf(runs)) {
      if (joined.at(-1) === from + shift) joined[joined.length - 1] = to + shift;
      else joined.push(from + shift, to + shift);
    }
  }
  return joined;
}
