/** How high a counter stands, where it falls or has gaps. */

/** A fall to less than this share of the height is a new beginning. A smaller fall is a correction. */
const RESET_SHARE = 0.5;

/**
 * The height that the next value of a counter rises from. A fall is no rise: after a reset (a new object of the same name),
 * the counter rises from where it fell to; after a correction, from where it stood before.
 *
 * @param height of the values before; `NaN` before the first one.
 * @param value `NaN` where it is missing.
 */
export function heightAfter(height: number, value: number): number {
  return Number.isNaN(height) || value > height || value < RESET_SHARE * height ? value : height;
}
