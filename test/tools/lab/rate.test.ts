import { expect } from 'chai';
import { counterRate, type Scrape } from '../../../src/tools/lab/rate.js';

/** Scrapes every 15 s from `from` to `to`, of a counter that rises by 2 a second from 0 at `born`. */
const rising = (from: number, to: number, born = -1000): Scrape[] =>
  Array.from({ length: (to - from) / 15 + 1 }, (_, i) => from + 15 * i).map((timeSeconds) => ({
    timeSeconds,
    value: 2 * (timeSeconds - born),
  }));

describe('the rate of a counter, as Prometheus gives it', () => {
  it('is the slope where scrapes fill the window', () => {
    expect(counterRate(rising(0, 120), 120, 60)).to.be.closeTo(2, 1e-12);
  });

  it('does not include the start of the window, and takes what is there', () => {
    const jump = [
      { timeSeconds: 0, value: 0 },
      ...rising(15, 60, 15).map((s) => ({ ...s, value: s.value + 99 })),
    ];
    expect(counterRate(jump, 60, 60)).to.be.closeTo(2, 1e-12);
    // Two scrapes at the distance of 30 s reach over the whole window.
    const sparse = [30, 60].map((timeSeconds) => ({ timeSeconds, value: timeSeconds }));
    expect(counterRate(sparse, 60, 60)).to.be.closeTo(1, 1e-12);
  });

  it('is too low for a counter that began within the window', () => {
    // 60 s to 75 s, and half a distance more on its far side: 22.5 s of the window's 60.
    expect(counterRate(rising(60, 75, 0), 75, 60)).to.be.closeTo((2 * 22.5) / 60, 1e-12);
    // Not back to before the counter was 0, which is 3 s before the first scrape.
    expect(counterRate(rising(60, 75, 57), 75, 60)).to.be.closeTo((2 * 18) / 60, 1e-12);
  });

  it('goes on for a while when a counter ended within the window', () => {
    expect(counterRate(rising(0, 60), 90, 60)).to.be.closeTo((2 * (15 + 15 + 7.5)) / 60, 1e-12);
  });

  it('is 0 for a counter that stands, and needs two scrapes', () => {
    const standing = rising(0, 60).map(({ timeSeconds }) => ({ timeSeconds, value: 5 }));
    expect(counterRate(standing, 60, 60)).to.equal(0);
    expect(counterRate(rising(60, 60), 60, 60)).to.equal(undefined);
    expect(counterRate([], 60, 60)).to.equal(undefined);
  });
});
