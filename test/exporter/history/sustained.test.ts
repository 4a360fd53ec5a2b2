import { expect } from 'chai';
import {
  LONG_INSTANTS,
  type Sustained,
  sustainedLong,
  sustainedShort,
} from '../../../src/exporter/history/sustained.js';

const bounds = (judge: (into: Sustained) => void): [number, number] => {
  const into = { up: 0, down: 0 };
  judge(into);
  return [into.up, into.down];
};
const short = (values: readonly number[], stepSeconds = 60) =>
  bounds((into) => sustainedShort(Float64Array.from(values), values.length - 1, stepSeconds, into));
const long = (values: readonly number[], stepSeconds = 300) =>
  bounds((into) => sustainedLong(Float64Array.from(values), values.length - 1, stepSeconds, into));
const missing = [Number.NaN, Number.NaN];

describe('what lasts for five minutes', () => {
  it('is what the newest, the one five minutes before, and all but one between them reach', () => {
    expect(short([9, 9, 9, 9, 9, 9])).to.deep.equal([9, 9]);
    expect(short([5, 9, 9, 1, 9, 8])).to.deep.equal([5, 9]);
    expect(short([8, 9, 2, 3, 9, 9])).to.deep.equal([3, 9]);
    expect(short([9, 9, 9, 9, 9, 1])).to.deep.equal([1, 9]);
    expect(short([100, 9, 9, 9, 9, 9])).to.deep.equal([9, 100]);
  });

  it('is nothing when the newest is missing, or less than four of the minutes are there', () => {
    const { NaN: gap } = Number;
    expect(short([9, 9, 9, 9, 9, gap])).to.deep.equal(missing);
    expect(short([gap, gap, gap, 7, 8, 9])).to.deep.equal(missing);
    expect(short([gap, gap, 6, 7, 8, 9])).to.deep.equal([7, 9]);
    expect(short([1, 2, 3])).to.deep.equal(missing);
  });

  it('looks at two instants on the grid of the history', () => {
    expect(short([1, 7, 3], 300)).to.deep.equal([3, 7]);
    expect(short([1, Number.NaN, 3], 300)).to.deep.equal(missing);
    expect(short([3], 300)).to.deep.equal(missing);
  });

  it('counts on the coarse grid whenever it counts on the fine one', () => {
    const fine = [4, 9, 2, 7, 8, 6];
    const [up, down] = short(fine);
    const [coarseUp, coarseDown] = short([fine[0] as number, fine[5] as number], 300);
    expect(coarseUp).to.be.at.least(up);
    expect(coarseDown).to.be.at.most(down);
  });
});

describe('what lasts for an hour', () => {
  const hour = (value: number) => new Array<number>(LONG_INSTANTS).fill(value);

  it('is what all but one of the samples reach, and the newest', () => {
    expect(long(hour(3))).to.deep.equal([3, 3]);
    expect(long([3, 1, ...hour(3).slice(2)])).to.deep.equal([3, 3]);
    expect(long([...hour(3).slice(1), 1])).to.deep.equal([1, 3]);
    expect(long([...hour(3).slice(1), 5])).to.deep.equal([3, 5]);
    expect(long([1, 2, ...hour(3).slice(2)])).to.deep.equal([2, 3]);
    // What is older than an hour is another story.
    expect(long([-5, -5, ...hour(3)])).to.deep.equal([3, 3]);
  });

  it('is nothing with less than ten samples, or without the newest', () => {
    expect(long(hour(3).slice(4))).to.deep.equal(missing);
    expect(long(hour(3).slice(3))).to.deep.equal([3, 3]);
    expect(long([...hour(3), Number.NaN])).to.deep.equal(missing);
  });

  it('looks at every fifth of the minutes', () => {
    const minutes = Array.from({ length: 61 }, (_, minute) => (minute % 5 === 0 ? 3 : 100));
    expect(long(minutes, 60)).to.deep.equal([3, 3]);
  });

  it('goes on with samples of the time before the table, each once', () => {
    const minutes = new Float64Array(11).fill(3);
    const earlier = { values: Float64Array.from([1, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]), endSeconds: 6_300 };
    // At 7,000 s: its own samples of 7,000, 6,700 and 6,400, then those of 6,000 s and before, back to 3,400 s.
    const found = bounds((into) => sustainedLong(minutes, 10, 60, into, 7_000, earlier));
    expect(found).to.deep.equal([3, 5]);
    const alone = bounds((into) => sustainedLong(minutes, 10, 60, into, 7_000));
    expect(alone).to.deep.equal(missing);
    const tooOld = { ...earlier, endSeconds: 3_000 };
    expect(bounds((into) => sustainedLong(minutes, 10, 60, into, 7_000, tooOld))).to.deep.equal(missing);
  });
});
