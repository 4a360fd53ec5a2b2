/** Levels that last: what a value stayed above, or below, for a while. A deviation counts only when it lasts. */

import { HISTORY_STEP_SECONDS } from './grid.js';

/** What the last values of a series stayed at or above (`up`), and at or below (`down`); `NaN` where too little is known. */
export interface Sustained {
  up: number;
  down: number;
}

/** A deviation that lasts for this time counts, in seconds. */
const SHORT_SECONDS = 300;

/** One that is too small for that counts when it lasts for this time, sampled at the distances of the history. */
const LONG_SECONDS = 3600;
export const LONG_STEP_SECONDS = HISTORY_STEP_SECONDS;

/** Instants of the long time, both ends included, and how many of them must have values. */
export const LONG_INSTANTS = LONG_SECONDS / LONG_STEP_SECONDS + 1;
const LEAST_LONG_INSTANTS = 10;

/** Of the minutes of the short time, this many must have values. */
const LEAST_MINUTES = 4;

/** Where the least and the second least of some values go, and the most and the second most. */
class Extremes {
  count = 0;
  least = Number.POSITIVE_INFINITY;
  secondLeast = Number.POSITIVE_INFINITY;
  most = Number.NEGATIVE_INFINITY;
  secondMost = Number.NEGATIVE_INFINITY;

  clear(): void {
    this.count = 0;
    this.least = Number.POSITIVE_INFINITY;
    this.secondLeast = Number.POSITIVE_INFINITY;
    this.most = Number.NEGATIVE_INFINITY;
    this.secondMost = Number.NEGATIVE_INFINITY;
  }

  add(value: number): void {
    if (Number.isNaN(value)) return;
    this.count++;
    if (value < this.least) {
      this.secondLeast = this.least;
      this.least = value;
    } else if (value < this.secondLeast) this.secondLeast = value;
    if (value > this.most) {
      this.secondMost = this.most;
      this.most = value;
    } else if (value > this.secondMost) this.secondMost = value;
  }
}

const extremes = new Extremes();

/**
 * The short time up to an instant. Of six minutes, one may be an exception; the newest and the one five minutes before may
 * not. On the coarser grid of the history only these two are there, so that what counts while scoring has counted in the
 * history as well; except in the first minutes of a half hour, which the season allows for (`slotBeyondEdge`).
 *
 * @param values of a series at equal distances, `NaN` where they are missing.
 * @param end position of the newest.
 * @param into is overwritten.
 */
export function sustainedShort(values: Float64Array, end: number, stepSeconds: number, into: Sustained): void {
  const steps = Math.max(1, Math.round(SHORT_SECONDS / stepSeconds));
  const first = end - steps;
  const newest = values[end] as number;
  const oldest = first < 0 ? Number.NaN : (values[first] as number);
  into.up = Number.NaN;
  into.down = Number.NaN;
  if (Number.isNaN(newest)) return;
  if (steps === 1) {
    if (Number.isNaN(oldest)) return;
    into.up = Math.min(newest, oldest);
    into.down = Math.max(newest, oldest);
    return;
  }
  extremes.clear();
  for (let position = Math.max(0, first); position <= end; position++) extremes.add(values[position] as number);
  if (extremes.count < Math.min(LEAST_MINUTES, steps + 1)) return;
  const other = Number.isNaN(oldest) ? newest : oldest;
  into.up = Math.min(extremes.secondLeast, newest, other);
  into.down = Math.max(extremes.secondMost, newest, other);
}

/** Samples of a time before a table, `LONG_STEP_SECONDS` apart. */
export interface EarlierSamples {
  /** `NaN` where they are missing. */
  readonly values: Float64Array;
  /** Unix time of the last one, in seconds. */
  readonly endSeconds: number;
}

/**
 * The long time up to an instant: one of the samples may be an exception, but not the newest. A pod that is as usual now
 * does not deviate, whatever it did in the hour before.
 *
 * @param timeSeconds Unix time of the instant.
 * @param earlier as far as they are older than what the series has, and of that time.
 */
export function sustainedLong(
  values: Float64Array,
  end: number,
  stepSeconds: number,
  into: Sustained,
  timeSeconds = 0,
  earlier?: EarlierSamples,
): void {
  const stride = Math.max(1, Math.round(LONG_STEP_SECONDS / stepSeconds));
  const newest = values[end] as number;
  into.up = Number.NaN;
  into.down = Number.NaN;
  if (Number.isNaN(newest)) return;
  extremes.clear();
  let oldest = end;
  for (let position = end; position >= 0 && position >= end - stride * (LONG_INSTANTS - 1); position -= stride) {
    const value = values[position] as number;
    if (Number.isNaN(value)) continue;
    extremes.add(value);
    oldest = position;
  }
  if (earlier !== undefined) {
    // What is nearer than half a step to a sample that counts is that sample.
    const before = timeSeconds - (end - oldest) * stepSeconds - LONG_STEP_SECONDS / 2;
    const from = timeSeconds - LONG_SECONDS - LONG_STEP_SECONDS / 2;
    const { values: samples, endSeconds } = earlier;
    for (let sample = 0; sample < samples.length; sample++) {
      const seconds = endSeconds - (samples.length - 1 - sample) * LONG_STEP_SECONDS;
      if (seconds >= from && seconds <= before) extremes.add(samples[sample] as number);
    }
  }
  if (extremes.count < LEAST_LONG_INSTANTS) return;
  into.up = Math.min(extremes.secondLeast, newest);
  into.down = Math.max(extremes.secondMost, newest);
}
