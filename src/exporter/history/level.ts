/** Values on a logarithmic scale, where a fall to nothing is as far as a rise of the same factor. */

import type { FeatureDefinition } from '../features/catalog.js';

/** Where the scale becomes linear, in spread floors: below it, values are noise of the measurement. */
const SOFT_FLOORS = 2;

/**
 * ln(1 + |value| / floor), with the sign of the value. The difference of two levels far above the floor is the logarithm
 * of their ratio.
 */
export function levelOf({ spreadFloor }: Pick<FeatureDefinition, 'spreadFloor'>, value: number): number {
  return Math.sign(value) * Math.log1p(Math.abs(value) / (SOFT_FLOORS * spreadFloor));
}

/** The value of a level. */
export function valueOfLevel({ spreadFloor }: Pick<FeatureDefinition, 'spreadFloor'>, level: number): number {
  return Math.sign(level) * Math.expm1(Math.abs(level)) * SOFT_FLOORS * spreadFloor;
}
