/** Random draws of a fleet: a sequence for each purpose, so that one more draw somewhere changes nothing elsewhere. */

import { hashText, noise, uniform } from '../../simulation/random.js';

/** Periods of the slow noise, in minutes: what is drawn once holds for seconds, hours, or half a day. */
const RED_PERIODS = [5, 20, 90, 400];

/** A sequence of random values. The same path gives the same sequence. */
export class Draw {
  readonly #key: number;
  #index = 0;

  constructor(path: string) {
    this.#key = hashText(path);
  }

  /** In [0, 1). */
  uniform(): number {
    return uniform(this.#key, this.#index++);
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** Between two positive numbers, each order of magnitude as likely as another. */
  log(low: number, high: number): number {
    return low * (high / low) ** this.uniform();
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  /** Log-normal: its median, and the standard deviation of its logarithm. */
  spread(median: number, sigma: number): number {
    return median * Math.exp(sigma * gaussian(this.#key, this.#index++));
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.uniform() * items.length)] as Item;
  }

  /** The times of a Poisson process, from `from` to before `to`. */
  times(perUnit: number, from: number, to: number): number[] {
    const times: number[] = [];
    for (let time = from; ; ) {
      time -= Math.log(1 - this.uniform()) / perUnit;
      if (time >= to) return times;
      times.push(time);
    }
  }
}

/** Standard normal noise without memory, for a place in the sequence of a key. */
export function gaussian(key: number, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(key ^ 0x5bd1e995, index)));
  return radius * Math.cos(2 * Math.PI * uniform(key ^ 0x1b873593, index));
}

/** Slow noise with a standard deviation of about 1: neighbours of minutes and of hours are alike. */
export function redNoise(key: number, minute: number): number {
  return RED_PERIODS.reduce((sum, period, octave) => sum + noise(key + 7919 * octave, minute / period), 0);
}
