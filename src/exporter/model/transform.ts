/** From deviations to what the forest sees. */

import type { FeatureDefinition } from '../features/catalog.js';

/** Beyond this many spreads, further is not more for the forest: it has seen nothing there. */
const DEVIATION_LIMIT = 50;

/** Ends of the range that the forest partitions. */
export const INPUT_LIMIT = Math.asinh(DEVIATION_LIMIT);

/** A fall counts half: a pod with less to do is more often idle than broken. */
const FALL_WEIGHT = 0.5;

/** A deviation that the minute before does not share counts a little less. */
const NEWEST_WEIGHT = 0.9;

/**
 * asinh of a deviation: linear near 0 and logarithmic far out, so that uniform splits fall as often between 2 and 4
 * spreads as between 20 and 40.
 *
 * @param upwardsOnly a fall is nothing.
 */
export function compress(deviation: number, upwardsOnly: boolean): number {
  if (!(deviation < 0)) return Math.asinh(deviation);
  return upwardsOnly ? 0 : Math.asinh(FALL_WEIGHT * deviation);
}

/**
 * Two neighbouring instants as one: what deviates to the same side twice counts in full, a lone instant less.
 *
 * @param now compressed deviation; `NaN` stays.
 * @param before of the instant before; `NaN` where it is missing, and then `now` counts in full.
 */
export function smooth(now: number, before: number): number {
  if (Number.isNaN(before)) return now;
  return now * before > 0 ? NEWEST_WEIGHT * now + (1 - NEWEST_WEIGHT) * before : NEWEST_WEIGHT * now;
}

/** What one feature alone looks like at `deviation` spreads upwards that last for two instants. */
export function inputOf(deviation: number): number {
  return Math.asinh(deviation);
}

/** The input of a deviation that is smaller by a factor. */
export function shrink(input: number, factor: number): number {
  return Math.asinh(Math.sinh(input) / factor);
}

/** How far a feature alone may deviate to each side, in spreads, before its input reaches `input` (above 0). */
export function deviationsWithin(input: number): { readonly below: number; readonly above: number } {
  const above = Math.sinh(input);
  return { below: above / FALL_WEIGHT, above };
}

/** Values cut off at the ends of the range that the forest partitions. */
export function clipInputs(inputs: Float64Array): Float64Array {
  return inputs.map((input) => Math.max(-INPUT_LIMIT, Math.min(INPUT_LIMIT, input)));
}

/**
 * Points × features: one feature alone deviates by `sensitivity` spreads, each feature in turn, in each direction that
 * counts (downwards by as many weighted ones). Their mean score is the boundary of what is anomalous.
 */
export function probePoints(features: readonly FeatureDefinition[], sensitivity: number): Float64Array {
  const input = inputOf(sensitivity);
  const points = features.flatMap(({ direction }, column) =>
    (direction === 'up' ? [input] : [input, -input]).flatMap((value) =>
      features.map((_, other) => (other === column ? value : 0)),
    ),
  );
  return Float64Array.from(points);
}
