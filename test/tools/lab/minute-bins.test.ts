import { expect } from 'chai';
import { MinuteBins } from '../../../src/tools/lab/minute-bins.js';

const HOUR = 472_222;
const BEGIN = HOUR * 3600;

/** Bins of one mean and one last value after samples of [second, value] for both, in this order. */
function binsOf(samples: readonly (readonly [number, number])[]): MinuteBins {
  const bins = new MinuteBins(['mean', 'last']);
  for (const [second, value] of samples) {
    bins.add(BEGIN + second, 0, value);
    bins.add(BEGIN + second, 1, value);
  }
  return bins;
}

const firstMinuteOf = (bins: MinuteBins) => Array.from(bins.valuesOf(HOUR)?.slice(0, 2) ?? []);

describe('the bins of a minute', () => {
  it('reduce to the mean, and to the last value by time, in any order', () => {
    const samples = Array.from({ length: 12 }, (_, index) => [5 * index, index ** 2] as const);
    const expected = [samples.reduce((sum, [, value]) => sum + value, 0) / 12, 121];
    for (const order of [samples, samples.toReversed(), [...samples.slice(5), ...samples.slice(0, 5)]]) {
      const [mean, last] = firstMinuteOf(binsOf(order));
      expect(mean).to.be.closeTo(expected[0] as number, 1e-12);
      expect(last).to.equal(expected[1]);
    }
  });

  it('keep the first of two samples in one second, and say so', () => {
    const bins = binsOf([[31, 1]]);
    expect(bins.add(BEGIN + 31.9, 0, 99)).to.equal(false);
    expect(bins.add(BEGIN + 32, 0, 3)).to.equal(true);
    expect(bins.add(BEGIN + 0, 0, 5)).to.equal(true);
    expect(bins.add(BEGIN + 63, 0, 7), 'the next minute').to.equal(true);
    expect(firstMinuteOf(bins)).to.deep.equal([3, 1]);
    expect(bins.valuesOf(HOUR)?.[2]).to.equal(7);
  });

  it('begin and end with the minute', () => {
    const bins = binsOf([
      [59.999, 1],
      [60, 2],
      [3599, 3],
      [3600, 4],
    ]);
    const hour = bins.valuesOf(HOUR) as Float64Array;
    expect([hour[0], hour[2], hour[2 * 59]]).to.deep.equal([1, 2, 3]);
    expect(Number.isNaN(hour[4])).to.equal(true);
    expect(bins.valuesOf(HOUR + 1)?.[0]).to.equal(4);
    expect(bins.valuesOf(HOUR + 2)).to.equal(undefined);
  });

  it('hold an hour, not the years before a stray timestamp', () => {
    const bins = binsOf([
      [0, 1],
      [-BEGIN + 1, 2],
    ]);
    expect([...bins.hours()]).to.have.members([HOUR, 0]);
  });
});
