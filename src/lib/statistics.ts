/** Statistics of typed arrays. */

/**
 * The value below which the share `q` of the values lies, interpolated linearly between neighbours (type 7 of
 * Hyndman and Fan, 1996: the default of NumPy and R), in linear time.
 *
 * @param values the first `count` of them, at least one and none `NaN`, are put into another order.
 * @param q in [0, 1].
 */
export function quantileInPlace(values: Float64Array, count: number, q: number): number {
  const position = (count - 1) * q;
  const below = Math.floor(position);
  select(values, count, below);
  const lower = values[below] as number;
  if (position === below) return lower;
  let upper = values[below + 1] as number;
  for (let index = below + 2; index < count; index++) {
    if ((values[index] as number) < upper) upper = values[index] as number;
  }
  return lower + (upper - lower) * (position - below);
}

/**
 * The median of the values that are there; `NaN` where these are too few.
 *
 * @param values those that are `NaN` do not count. They are put into another order, or overwritten.
 * @param least how many values must be there, at least one.
 */
export function medianOfKnown(values: Float64Array, least = 1): number {
  let count = 0;
  for (const value of values) if (!Number.isNaN(value)) values[count++] = value;
  return count < least ? Number.NaN : quantileInPlace(values, count, 0.5);
}

/** Puts the value of rank `rank` in its place, with no larger one before it and no smaller one after (Hoare, 1961). */
function select(values: Float64Array, count: number, rank: number): void {
  let left = 0;
  let right = count - 1;
  while (left < right) {
    const pivot = medianOfThree(
      values[left] as number,
      values[(left + right) >>> 1] as number,
      values[right] as number,
    );
    let low = left;
    let high = right;
    while (low <= high) {
      while ((values[low] as number) < pivot) low++;
      while ((values[high] as number) > pivot) high--;
      if (low > high) break;
      const swapped = values[low] as number;
      values[low++] = values[high] as number;
      values[high--] = swapped;
    }
    if (rank <= high) right = high;
    else if (rank >= low) left = low;
    else return;
  }
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
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
 * @param values the first `count` of them, at least one and none `NaN`, are overwritten.
 */
export function robustLocationScale(values: Float64Array, count = values.length): LocationScale {
  const location = quantileInPlace(values, count, 0.5);
  for (let i = 0; i < count; i++) values[i] = Math.abs((values[i] as number) - location);
  return { location, scale: MAD_TO_STANDARD_DEVIATION * quantileInPlace(values, count, 0.5) };
}

/**
 * Mean and standard deviation of the population (divisor n), as in scikit-learn's `StandardScaler`.
 *
 * @param values those that are `NaN` do not count.
 * @param first position of the first value to take.
 * @param stride distance to the next one.
 */
export function meanAndStandardDeviation(values: Float64Array, first = 0, stride = 1): LocationScale {
  let sum = 0;
  let count = 0;
  for (let index = first; index < values.length; index += stride) {
    const value = values[index] as number;
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  const location = sum / count;
  let squares = 0;
  for (let index = first; index < values.length; index += stride) {
    const value = values[index] as number;
    if (!Number.isNaN(value)) squares += (value - location) ** 2;
  }
  return { location, scale: Math.sqrt(squares / count) };
}
