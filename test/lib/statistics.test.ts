import { expect } from 'chai';
import { createRandom } from '../../src/exporter/model/random.js';
import {
  meanAndStandardDeviation,
  medianOfKnown,
  quantileInPlace,
  robustLocationScale,
} from '../../src/lib/statistics.js';
import { createNormal } from '../support/random-data.js';

describe('quantileInPlace', () => {
  it('is linear on evenly spaced values', () => {
    const values = Float64Array.from({ length: 11 }, (_, index) => 3 * index - 5);
    for (const q of [0, 0.05, 0.25, 0.333, 0.5, 0.9, 0.99, 1]) {
      expect(quantileInPlace(values, 11, q), String(q)).to.be.closeTo(30 * q - 5, 1e-12);
    }
  });

  // numpy.quantile([1, 2, 4, 8], q)
  const rows: readonly (readonly [q: number, value: number])[] = [
    [0, 1],
    [0.1, 1.3],
    [0.25, 1.75],
    [0.5, 3],
    [0.75, 5],
    [0.9, 6.8],
    [1, 8],
  ];
  for (const [q, value] of rows) {
    it(`interpolates as NumPy does at ${q}`, () => {
      expect(quantileInPlace(Float64Array.of(4, 1, 8, 2), 4, q)).to.be.closeTo(value, 1e-12);
    });
  }

  it('is the value where there is only one', () => {
    for (const q of [0, 0.3, 1]) expect(quantileInPlace(Float64Array.of(7), 1, q)).to.equal(7);
  });

  const sorted = (values: Float64Array, count: number) => values.slice(0, count).sort();

  const quantileOfSorted = (values: Float64Array, q: number) => {
    const position = (values.length - 1) * q;
    const [lower = 0, upper = lower] = values.subarray(Math.floor(position));
    return lower + (upper - lower) * (position % 1);
  };

  it('agrees with the sorted values, to the last bit, whatever their order', () => {
    const random = createRandom(7);
    const shapes: readonly (readonly [what: string, valueAt: (index: number, length: number) => number])[] = [
      ['any', () => random() * 10 - 5],
      ['few different', () => Math.floor(random() * 3)],
      ['all the same', () => 4],
      ['ascending', (index) => index],
      ['descending', (index, length) => length - index],
      ['a spire', (index, length) => Math.min(index, length - index)],
    ];
    for (const [what, valueAt] of shapes) {
      for (const length of [1, 2, 3, 4, 5, 17, 60, 121, 1000]) {
        for (const q of [0, 0.1, 0.5, 0.9, 1]) {
          const values = Float64Array.from({ length }, (_, index) => valueAt(index, length));
          const expected = quantileOfSorted(sorted(values, length), q);
          expect(quantileInPlace(values, length, q), `${what}, ${length}, ${q}`).to.equal(expected);
        }
      }
    }
  });

  it('takes the first values only, keeps all of them, and leaves the others alone', () => {
    const values = Float64Array.of(3, 1, 2, -100, 100);
    expect(quantileInPlace(values, 3, 0.5)).to.equal(2);
    expect([...sorted(values, 3)]).to.deep.equal([1, 2, 3]);
    expect([...values.subarray(3)]).to.deep.equal([-100, 100]);
  });
});

describe('medianOfKnown', () => {
  it('goes by the values that are there, where these are enough', () => {
    const { NaN: gap } = Number;
    expect(medianOfKnown(Float64Array.of(gap, 4, gap, 1, 9), 3)).to.equal(4);
    expect(medianOfKnown(Float64Array.of(gap, 4, gap, 1), 3)).to.deep.equal(gap);
    expect(medianOfKnown(Float64Array.of(gap, 4, gap, 1))).to.equal(2.5);
    expect(medianOfKnown(Float64Array.of(gap))).to.deep.equal(gap);
    expect(medianOfKnown(Float64Array.of())).to.deep.equal(gap);
  });
});

describe('robustLocationScale', () => {
  it('takes the median, and the median distance from it', () => {
    const { location, scale } = robustLocationScale(Float64Array.of(9, 1, 3, 2, 100));
    expect(location).to.equal(3);
    expect(scale).to.be.closeTo(1.4826 * 2, 1e-12);
  });

  it('takes the middle of an even number of values', () => {
    const { location, scale } = robustLocationScale(Float64Array.of(4, 1, 2, 3));
    expect(location).to.equal(2.5);
    expect(scale).to.be.closeTo(1.4826, 1e-12);
  });

  it('estimates mean and standard deviation of normal data', () => {
    const { location, scale } = robustLocationScale(Float64Array.from({ length: 20_000 }, createNormal(1)));
    expect(location).to.be.closeTo(0, 0.03);
    expect(scale).to.be.closeTo(1, 0.03);
  });

  it('resists pollution of 40 %, which carries mean and standard deviation away', () => {
    const normal = createNormal(2);
    const polluted = Float64Array.from({ length: 1000 }, (_, index) => (index < 400 ? 1e6 : normal()));
    const plain = meanAndStandardDeviation(polluted);
    expect(plain.location).to.be.above(100_000);
    expect(plain.scale).to.be.above(100_000);
    const { location, scale } = robustLocationScale(polluted);
    expect(Math.abs(location)).to.be.below(1.5);
    expect(scale).to.be.within(0.5, 4);
  });

  it('finds no spread where more than half of the values are one', () => {
    expect(robustLocationScale(Float64Array.of(5, 5, 5, 5, 1, 99, 5))).to.deep.equal({
      location: 5,
      scale: 0,
    });
    expect(robustLocationScale(Float64Array.of(5))).to.deep.equal({ location: 5, scale: 0 });
  });
});

describe('meanAndStandardDeviation', () => {
  // StandardScaler().fit([[1], [2], [3], [4]]): mean_ 2.5, scale_ 1.118...
  it('divides by n, as StandardScaler of scikit-learn does', () => {
    const { location, scale } = meanAndStandardDeviation(Float64Array.of(1, 2, 3, 4));
    expect(location).to.equal(2.5);
    expect(scale).to.be.closeTo(Math.sqrt(1.25), 1e-15);
  });

  it('does not lose a small spread at a large level', () => {
    const values = Float64Array.from({ length: 100 }, (_, index) => 1e9 + (index % 2));
    expect(meanAndStandardDeviation(values).scale).to.be.closeTo(0.5, 1e-6);
  });

  it('takes a column of a table, and passes over what is missing', () => {
    const values = Float64Array.of(9, 1, Number.NaN, Number.NaN, 9, 3);
    expect(meanAndStandardDeviation(values, 1, 2)).to.deep.equal({ location: 2, scale: 1 });
  });

  it('finds no spread in equal values', () => {
    expect(meanAndStandardDeviation(Float64Array.of(3, 3, 3))).to.deep.equal({ location: 3, scale: 0 });
  });
});
