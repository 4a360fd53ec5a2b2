import { expect } from 'chai';
import { createRandom } from '../../../../src/exporter/model/random.js';
import { readDecimal } from '../../../../src/exporter/prometheus/answer/decimal.js';

/** The value read, and where it ended; the text is followed by a quote, as in an answer. */
function read(text: string): { readonly value: number; readonly end: number } {
  const into = new Float64Array(1);
  const end = readDecimal(Buffer.from(`${text}"`), 0, into, 0);
  return { value: into[0] as number, end };
}

describe('readDecimal', () => {
  for (const text of [
    '0',
    '-0',
    '7',
    '-1.25',
    '0.1',
    '007.50',
    '1700000000.123',
    '123456789',
    '1234567890',
    '9007199254740991',
    '9007199254740993.5',
    '900719925474099.3',
    '123456789012345678',
    '0.30000000000000004',
    '0.000000000000000000001',
    '99999999999999999',
  ]) {
    it(`reads ${text} as Number does`, () => {
      expect(read(text)).to.deep.equal({ value: Number(text), end: text.length });
    });
  }

  for (const text of ['', '-', '.', '.5', '5.', 'NaN', '1234567890123456789', `0.${'0'.repeat(22)}1`]) {
    it(`leaves "${text}" to others`, () => {
      expect(read(text).value).to.deep.equal(Number.NaN);
    });
  }

  it('leaves alone what is in the middle between two doubles', () => {
    expect(read('9007199254740993').value).to.deep.equal(Number.NaN);
  });

  for (const [text, end] of [
    ['1e5', 1],
    ['1.5.5', 3],
    ['12,"3', 2],
    ['1 ', 1],
  ] as const) {
    it(`stops in "${text}" after ${end} characters`, () => {
      expect(read(text).end).to.equal(end);
    });
  }

  it('reads random numbers as Number does, and leaves hardly any to it', () => {
    const random = createRandom(5);
    let left = 0;
    const count = 100_000;
    for (let index = 0; index < count; index++) {
      const digits = Array.from({ length: 1 + Math.floor(random() * 18) }, () => Math.floor(random() * 10));
      const point = Math.floor(random() * (digits.length + 1));
      const text =
        index % 2 === 0
          ? String(1 + random() * 10 ** Math.floor(random() * 15))
          : `${digits.slice(0, point).join('') || '0'}.${digits.slice(point).join('') || '0'}`;
      const { value, end } = read(text);
      if (Number.isNaN(value)) left++;
      else if (!Object.is(value, Number(text))) expect.fail(`${text} was read as ${value}.`);
      if (end !== text.length) expect.fail(`${text} ended at ${end}.`);
    }
    expect(left / count).to.be.below(0.005);
  });
});
