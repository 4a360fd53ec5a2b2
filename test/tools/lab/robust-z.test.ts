import { expect } from 'chai';
import { fitRobustBaseline, robustScore } from '../../../src/tools/lab/robust-z.js';
import { feature, featureTable } from '../../support/tables.js';

const FEATURES = [feature('level', { spreadFloor: 0.5 }), feature('counter', { direction: 'up' })];

describe('the robust z-score', () => {
  // Median 100, absolute deviations 0 to 20 with median 10: a spread of 14.826.
  const rows = Array.from({ length: 41 }, (_, index) => [80 + index, 500] as const);
  const baseline = fitRobustBaseline(
    featureTable(FEATURES, [
      { pod: 'a', rows },
      { pod: 'constant', rows: rows.map(() => [2, 0]) },
      { pod: 'short', rows: rows.map((row, index) => (index < 19 ? row : [NaN, NaN])) },
    ]),
    FEATURES,
  );
  const score = (pod: string, ...row: number[]) => robustScore(baseline, FEATURES, `ns/${pod}`, Float64Array.from(row));

  it('is the largest deviation of a feature in spreads', () => {
    expect(score('a', 100, 500)).to.equal(0);
    expect(score('a', 100 + 2 * 14.826, 500)).to.be.closeTo(2, 1e-12);
    expect(score('a', 100 - 3 * 14.826, 500 + 50)).to.be.closeTo(3, 1e-12);
  });

  it('has the floors of the detector: absolute, and a tenth of the level', () => {
    expect(score('constant', 3, 0)).to.equal(2);
    expect(score('constant', 2, 4)).to.equal(4);
    expect(score('a', 100, 600)).to.equal(2);
  });

  it('counts only a rise where only a rise is a fault', () => {
    expect(score('a', 100, 0)).to.equal(0);
  });

  it('is none for a pod with few samples or none', () => {
    expect([score('short', 1, 1), score('unknown', 1, 1)].every(Number.isNaN)).to.equal(true);
  });
});
