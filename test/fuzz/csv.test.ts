import { expect } from 'chai';
import fc from 'fast-check';
import { parseHeader, quoteField, splitFields, splitLines } from '../../src/tools/lab/csv.js';
import { anyText, eventuallyHolds, holds } from '../support/fuzz.js';

async function linesOf(pieces: readonly string[]): Promise<{ lines: string[]; overlong: number }> {
  let overlong = 0;
  const lines: string[] = [];
  const stream = (async function* () {
    yield* pieces;
  })();
  for await (const some of splitLines(stream, () => overlong++)) lines.push(...some);
  return { lines, overlong };
}

describe('fuzzing the CSV reader', () => {
  it('gives back the fields that were written, whatever they hold, within a line', () => {
    const field = anyText.map((text) => text.replace(/[\r\n]/g, ' '));
    holds(fc.array(field, { minLength: 1, maxLength: 5 }), (fields) => {
      expect(splitFields(fields.map(quoteField).join(','))).to.deep.equal(fields);
    });
  });

  it('takes every line for fields, be it damaged', () => {
    holds(anyText, (line) => {
      for (const fields of [splitFields(line), parseHeader(line)]) {
        expect(fields.length).to.be.above(0);
        for (const field of fields) expect(field).to.be.a('string');
      }
    });
  });

  it('sees the same lines however the text is cut into pieces', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', '🐢'), maxLength: 60 });
    await eventuallyHolds(fc.tuple(text, fc.array(fc.nat({ max: 60 }), { maxLength: 6 })), async ([whole, cuts]) => {
      const places = [0, ...cuts, whole.length].filter((cut) => cut <= whole.length).sort((a, b) => a - b);
      const pieces = places.slice(1).map((end, index) => whole.slice(places[index], end));
      expect(pieces.join('')).to.equal(whole);
      expect(await linesOf(pieces)).to.deep.equal(await linesOf([whole]));
    });
  });

  it('leaves out exactly the lines that are too long', async () => {
    const lengths = fc.array(fc.constantFrom(0, 1, 65_535, 65_536, 65_537, 70_000, 200_000), {
      maxLength: 5,
    });
    await eventuallyHolds(
      fc.tuple(lengths, fc.integer({ min: 1, max: 100_000 })),
      async ([all, size]) => {
        const whole = all.map((length) => `${'x'.repeat(length)}\n`).join('');
        const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
          whole.slice(index * size, (index + 1) * size),
        );
        fc.pre(pieces.length < 1_000);
        const { lines, overlong } = await linesOf(pieces);
        const long = all.filter((length) => length > 65_536).length;
        expect(overlong).to.equal(long);
        expect(lines.filter((line) => line !== '').map((line) => line.length)).to.deep.equal(
          all.filter((length) => length > 0 && length <= 65_536),
        );
      },
      200,
    );
  });
});
