/**
 * The first of `length` positions for which `isBefore` does not hold, by a binary search; `length` where it holds for all.
 *
 * @param isBefore holds for all positions up to some one, and for no later one.
 */
export function partitionPoint(length: number, isBefore: (position: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
