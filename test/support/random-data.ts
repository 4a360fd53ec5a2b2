/** Made-up data, the same in every run. */

import { createRandom, type Random } from '../../src/exporter/model/random.js';

/** Draws numbers of mean 0 and standard deviation 1 (Box and Muller). */
export function createNormal(seed: number): Random {
  const random = createRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** `count` rows of independent normal numbers. */
export function normalRows(count: number, columns: number, seed: number): number[][] {
  const normal = createNormal(seed);
  return Array.from({ length: count }, () => Array.from({ length: columns }, normal));
}
