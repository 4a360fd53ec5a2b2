/** A seeded source of random numbers: the same seed gives the same model on every machine. */

/** Draws a number from [0, 1). */
export type Random = () => number;

/**
 * Mulberry32 by Tommy Ettinger (public domain): 32 bits of state, passes gjrand, far longer than the few hundred
 * thousand draws of one training.
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` different whole numbers from [0, population), all of them where there are no more, in random order. */
export function sampleWithoutReplacement(population: number, count: number, random: Random): Uint32Array {
  const drawn = new Uint32Array(Math.min(count, population));
  // Fisher and Yates over a virtual array: only the places that a swap touched are kept.
  const moved = new Map<number, number>();
  for (let i = 0; i < drawn.length; i++) {
    const j = i + Math.floor(random() * (population - i));
    drawn[i] = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
  }
  return drawn;
}
