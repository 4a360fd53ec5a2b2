/** Decimal text to the nearest double, directly from bytes: the result of `Number` without a string for each number. */

/** 10 to the power of the index. These are exact doubles, and further ones are not. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Digits are gathered in two groups: both stay exact as whole numbers, the first also times 10^9. */
const GROUP_DIGITS = 9;

/** Veltkamp's constant: parts a double in two halves whose products are exact. */
const SPLITTER = 2 ** 27 + 1;

const DIGIT_ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;

/**
 * Reads a plain decimal number: an optional minus, digits, and optionally a point and digits.
 *
 * @param start where the number begins. The bytes must go on behind it: what is no part of a number ends it.
 * @param into gets the nearest double at `index`, or `NaN` where this function cannot decide: another form, more than 18
 *   digits, or too close to the middle between two doubles. Then `Number` has to read the text.
 * @returns the position behind the last digit or point.
 */
export function readDecimal(bytes: Uint8Array, start: number, into: Float64Array, index: number): number {
  let position = start;
  let byte = bytes[position] as number;
  const isNegative = byte === MINUS;
  if (isNegative) byte = bytes[++position] as number;
  const begin = position;
  let point = -1;
  let high = 0;
  let low = 0;
  let digits = 0;
  for (;;) {
    const digit = byte - DIGIT_ZERO;
    if (digit >= 0 && digit <= 9) {
      if (digits < GROUP_DIGITS) high = high * 10 + digit;
      else low = low * 10 + digit;
      // Zeros at the beginning do not count.
      if (digits > 0 || digit > 0) digits++;
    } else if (byte === POINT && point < 0) point = position;
    else break;
    byte = bytes[++position] as number;
  }
  const decimals = point < 0 ? 0 : position - point - 1;
  const isPlain = position > begin && point !== begin && point !== position - 1 && digits <= 2 * GROUP_DIGITS;
  if (!isPlain || decimals >= POWERS_OF_TEN.length) into[index] = Number.NaN;
  else {
    const divisor = POWERS_OF_TEN[decimals] as number;
    const magnitude =
      digits <= GROUP_DIGITS
        ? high / divisor
        : divideSum(high * (POWERS_OF_TEN[digits - GROUP_DIGITS] as number), low, divisor);
    into[index] = isNegative ? -magnitude : magnitude;
  }
  return position;
}

/**
 * (high + low) / divisor, rounded only once, in double-double arithmetic (Dekker, "A floating-point technique for
 * extending the available precision", 1971).
 *
 * @param high exact, and not smaller than `low`.
 * @returns `NaN` where the rest is too close to the middle between two doubles.
 */
function divideSum(high: number, low: number, divisor: number): number {
  const sum = high + low;
  const lost = low - (sum - high);
  const quotient = sum / divisor;
  // Both sides are doubles: a single division rounds rightly by itself.
  if (lost === 0) return quotient;
  const product = quotient * divisor;
  const quotientHigh = upperHalf(quotient);
  const divisorHigh = upperHalf(divisor);
  const quotientLow = quotient - quotientHigh;
  const divisorLow = divisor - divisorHigh;
  const productLost =
    quotientHigh * divisorHigh -
    product +
    quotientHigh * divisorLow +
    quotientLow * divisorHigh +
    quotientLow * divisorLow;
  const correction = (sum - product - productLost + lost) / divisor;
  const doubt = Math.abs(correction) * 2 ** -40;
  const nearest = quotient + (correction - doubt);
  return nearest === quotient + (correction + doubt) ? nearest : Number.NaN;
}

/** The upper 26 bits of a double. */
function upperHalf(value: number): number {
  const large = SPLITTER * value;
  return large - (large - value);
}
