import { expect } from 'chai';
import { falseEpisodesPerDay, NAB_PROFILES, nabScore, probationRows } from '../../../src/tools/lab/nab-score.js';

const [STANDARD, LOW_FP, LOW_FN] = NAB_PROFILES as [
  (typeof NAB_PROFILES)[0],
  (typeof NAB_PROFILES)[0],
  (typeof NAB_PROFILES)[0],
];

/** A thousand rows of five minutes, one window of a hundred rows from row 500 on. */
function series(...detections: readonly number[]) {
  const rowsSeconds = Float64Array.from({ length: 1000 }, (_, row) => row * 300);
  const detected = new Uint8Array(1000);
  for (const row of detections) detected[row] = 1;
  return { rowsSeconds, detected, windows: [[500 * 300, 599 * 300]] as [number, number][] };
}

describe("NAB's score", () => {
  it('is 0 for a detector that detects nothing, and 100 for one that is perfect, in each profile', () => {
    for (const profile of NAB_PROFILES) {
      expect(nabScore([series()], profile)).to.equal(0);
      expect(nabScore([series(500)], profile)).to.be.closeTo(100, 1e-9);
    }
  });

  it('counts the earliest detection in a window, and the earlier the better', () => {
    const early = nabScore([series(510, 580)], STANDARD);
    expect(early).to.equal(nabScore([series(510)], STANDARD));
    expect(early).to.be.above(nabScore([series(580)], STANDARD));
    // By hand: at the last row the position is -1/100, which earns (2 / (1 + e^-0.05) - 1) / (2 / (1 + e^-5) - 1).
    const last = (2 / (1 + Math.exp(-0.05)) - 1) / (2 / (1 + Math.exp(-5)) - 1);
    expect(nabScore([series(599)], STANDARD)).to.be.closeTo((100 * (last + 1)) / 2, 1e-9);
  });

  it('takes less for a false detection right behind a window than for one far from all windows', () => {
    const perfect = (...more: number[]) => nabScore([series(500, ...more)], STANDARD);
    expect(perfect(300)).to.be.closeTo(100 - (100 * 0.11) / 2, 1e-9);
    expect(perfect(950)).to.be.closeTo(perfect(300), 1e-9);
    expect(perfect(601)).to.be.above(perfect(640)).and.to.be.below(100);
  });

  it('weighs false detections twice, or misses twice, by profile', () => {
    expect(nabScore([series(500, 300)], LOW_FP)).to.be.closeTo(100 - (100 * 0.22) / 2, 1e-9);
    expect(nabScore([series(), series(500)], STANDARD)).to.be.closeTo(50, 1e-9);
    expect(nabScore([series(500, 300)], LOW_FN)).to.be.closeTo(100 - (100 * 0.11) / 3, 1e-9);
  });

  it('does not score the first 15 % of the rows, at most 750', () => {
    expect(probationRows(1000)).to.equal(150);
    expect(probationRows(20_000)).to.equal(750);
    expect(nabScore([series(149, 500)], STANDARD)).to.be.closeTo(100, 1e-9);
    expect(nabScore([series(150, 500)], STANDARD)).to.be.below(100);
  });

  it('leaves out a window that ends before the first scored row, and needs another one', () => {
    const early = { ...series(), windows: [[0, 100 * 300]] as [number, number][] };
    expect(nabScore([early, series(500)], STANDARD)).to.be.closeTo(100, 1e-9);
    expect(() => nabScore([early], STANDARD)).to.throw('at least one labelled window');
  });

  it('counts false episodes, an hour apart, per day outside of the windows', () => {
    // 849 intervals after the first 150 rows, less the 100 rows of the window.
    const days = (749 * 300) / 86_400;
    expect(falseEpisodesPerDay([series(300, 305, 900, 550)])).to.be.closeTo(2 / days, 1e-9);
    expect(falseEpisodesPerDay([series(100, 550)])).to.equal(0);
  });
});
