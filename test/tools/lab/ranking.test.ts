import { expect } from 'chai';
import { FALSE_ALARM_RATES, rankingOf } from '../../../src/tools/lab/ranking.js';
import { areaUnderRocCurve } from '../../support/roc.js';

const ranking = (positives: readonly number[], normals: readonly number[]) =>
  rankingOf({ positives: Float64Array.from(positives), normals: Float64Array.from(normals) });
const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

describe('the measures of a ranking', () => {
  it('are 1 for a perfect one, and chance for one that tells nothing', () => {
    expect(ranking([3, 4], [0, 1, 2])).to.deep.equal({ auroc: 1, averagePrecision: 1, recall: [1, 1, 1] });
    const same = ranking([1, 1], [1, 1, 1, 1, 1, 1]);
    expect(same).to.deep.equal({ auroc: 0.5, averagePrecision: 0.25, recall: [0, 0, 0] });
    expect(ranking([0], [1, 2]).auroc).to.equal(0);
  });

  it('are those of the textbook example (scikit-learn: AP 0.83, AUROC 0.75)', () => {
    const { auroc, averagePrecision } = ranking([0.35, 0.8], [0.1, 0.4]);
    expect(auroc).to.equal(0.75);
    expect(averagePrecision).to.be.closeTo(5 / 6, 1e-15);
  });

  it('count a tie of both classes at once', () => {
    // Precision 1/1 at 5, then 3/4 at 4 for two more positives at once.
    expect(ranking([5, 4, 4], [4, 0]).averagePrecision).to.be.closeTo(1 / 3 + (2 / 3) * (3 / 4), 1e-15);
    const positives = [3, 1, 4, 1, 5, 9, 2, 6];
    const normals = [2, 7, 1, 8, 2, 8, 1, 8, 2, 8];
    const labels = [...positives.map(() => 1), ...normals.map(() => 0)];
    expect(ranking(positives, normals).auroc).to.be.closeTo(
      areaUnderRocCurve([...positives, ...normals], labels),
      1e-15,
    );
  });

  it('give the recall above the lowest threshold that few enough normal points exceed', () => {
    expect(FALSE_ALARM_RATES).to.deep.equal([0.05, 0.01, 0.001]);
    // Of 1,000 normal points, 50, 10 and 1 may be above: more than 949, 989 and 998.
    const positives = [949, 949.5, 989.5, 998.5];
    expect(ranking(positives, range(1000)).recall).to.deep.equal([0.75, 0.5, 0.25]);
    expect(ranking([5, 9.5], range(10)).recall, 'none of ten may').to.deep.equal([0.5, 0.5, 0.5]);
  });

  it('are no numbers where a class is missing, and leave the points as they were', () => {
    for (const empty of [ranking([], [1]), ranking([1], []), ranking([], [])]) {
      const { auroc, averagePrecision, recall } = empty;
      expect([auroc, averagePrecision, ...recall].every(Number.isNaN)).to.equal(true);
    }
    const positives = Float64Array.of(2, 1);
    rankingOf({ positives, normals: Float64Array.of(0) });
    expect(Array.from(positives)).to.deep.equal([2, 1]);
  });
});
