/** Sorting of many rows, in steps of a few milliseconds. */

/** Rows that are merged at a stretch. */
const ROWS_PER_STEP = 32_768;

/**
 * The rows in the order of their values, the largest first; rows with equal values stay in their order (merge sort).
 *
 * @param rows their positions in `values`, none of which is `NaN`.
 * @returns `rows` itself or another array; `rows` is overwritten.
 */
export function* descendingInSteps(rows: Uint32Array, values: Float64Array): Generator<undefined, Uint32Array> {
  let from: Uint32Array = rows;
  let into: Uint32Array = new Uint32Array(rows.length);
  let written = 0;
  for (let size = 1; size < rows.length; size *= 2) {
    for (let start = 0; start < rows.length; start += 2 * size) {
      const middle = Math.min(start + size, rows.length);
      const end = Math.min(middle + size, rows.length);
      let left = start;
      let right = middle;
      for (let place = start; place < end; place++) {
        const takesLeft =
          right === end ||
          (left < middle && (values[from[left] as number] as number) >= (values[from[right] as number] as number));
        into[place] = from[takesLeft ? left++ : right++] as number;
        if (++written % ROWS_PER_STEP === 0) yield;
      }
    }
    [from, into] = [into, from];
  }
  return from;
}
