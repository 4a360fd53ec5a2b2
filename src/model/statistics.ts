/** Statistics of typed arrays. */

/**
 * The value below which the share `q` of the values lies, interpolated linearly between neighbours (type 7 of
 * Hyndman and Fan, 1996: the default of NumPy and R).
 *
 * @param sorted ascending, at least one value.
 * @param q in [0, 1].
 */
export function quantileOfSorted(sorted: Float64Array, q: number): number {
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const lower = sorted[below] as number;
  const upper = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return lower + (upper - lower) * (position - below);
}

/** Makes the median absolute deviation of normal data estimate its standard deviation: 1 / Φ⁻¹(3/4). */
const MAD_TO_STANDARD_DEVIATION = 1.4826;

/** Centre and spread of a sample. */
export interface LocationScale {
  readonly location: number;
  readonly scale: number;
}

/**
 * Median, and median absolute deviation scaled to a standard deviation: half of the values may be arbitrarily wrong
 * (Rousseeuw and Croux, 1993).
 *
 * @param values at least one; sorted in place, then overwritten.
 */
export function robustLocationScale(values: Float64Array): LocationScale {
  const location = quantileOfSorted(values.sort(), 0.5);
  for (let i = 0; i < values.length; i++) values[i] = Math.abs((values[i] as number) - location);
  return { location, scale: MAD_TO_STANDARD_DEVIATION * quantileOfSorted(values.sort(), 0.5) };
}

/** Mean and standard deviation of the population (divisor n), as in scikit-learn's `StandardScaler`. */
export function meanAndStandardDeviation(values: Float64Array): LocationScale {
  let sum = 0;
  for (const value of values) sum += value;
  const location = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - location) ** 2;
  return { location, scale: Math.sqrt(squares / values.length) };
}
