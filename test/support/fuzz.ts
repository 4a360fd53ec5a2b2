/** Properties that must hold for all inputs, tried with many of them. */

import fc from 'fast-check';

/** The same inputs each time, so that continuous integration does not fail by chance; another seed, other inputs. */
const SEED = Number(process.env.FUZZ_SEED ?? 42);

/** Instead of the number that a test asks for. */
const RUNS = process.env.FUZZ_RUNS === undefined ? undefined : Number(process.env.FUZZ_RUNS);

/**
 * Tries a property; a failure names the seed and the smallest input that it found.
 *
 * @param runs how many inputs, bounded so that all of these tests together take some seconds. `FUZZ_RUNS` overrides it.
 */
export function holds<Input>(arbitrary: fc.Arbitrary<Input>, property: (input: Input) => unknown, runs = 2_000): void {
  // What it returns is not asked for: fast-check would take `false` for a failure.
  const check = (input: Input) => void property(input);
  fc.assert(fc.property(arbitrary, check), { seed: SEED, numRuns: RUNS ?? runs });
}

/** The same for a property that has to be waited for. */
export async function eventuallyHolds<Input>(
  arbitrary: fc.Arbitrary<Input>,
  property: (input: Input) => Promise<void>,
  runs = 500,
): Promise<void> {
  await fc.assert(fc.asyncProperty(arbitrary, property), { seed: SEED, numRuns: RUNS ?? runs });
}

/** Any text: all code points, and often those that mean something to a parser. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.string({
    unit: fc.constantFrom('"', "'", '`', '\\', '\n', '\r', '\0', '{', '}', ',', '=', '#', '$', '🐢', 'x'),
  }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '', 'NaN', '\u2028', '\ufeff'),
);

/** Also halves of characters, which JSON can bring and UTF-8 cannot. */
export const anyJsonText: fc.Arbitrary<string> = fc.oneof(anyText, fc.constantFrom('\ud800', 'a\udfff'));

/** Overwrites one to four stretches of one to nine bytes, in a copy. */
export const anyDamage: fc.Arbitrary<(whole: Uint8Array) => Uint8Array> = fc
  .array(fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 })), { minLength: 1, maxLength: 4 })
  .map((places) => (whole) => {
    const damaged = Uint8Array.from(whole);
    for (const [place, bytes] of places) {
      const start = place % damaged.length;
      damaged.set(bytes.subarray(0, damaged.length - start), start);
    }
    return damaged;
  });

/** Fails when some input has changed what all objects inherit. */
export function expectNoPollution(): void {
  const inherited = Object.keys(Object.prototype);
  if (inherited.length > 0) throw new Error(`Object.prototype has been given ${inherited.join(', ')}.`);
}
