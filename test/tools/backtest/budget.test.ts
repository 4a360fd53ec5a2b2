import { expect } from 'chai';
import { suggestSensitivity } from '../../../src/tools/backtest/budget.js';

const rates = (...pairs: (readonly [number, number])[]) =>
  pairs.map(([sensitivity, rate]) => ({ sensitivity, messages_per_day: rate }));

describe('the suggested sensitivity', () => {
  it('is the lowest that keeps the budget, with a hint at what lies between', () => {
    const { sensitivity, interpolated, reason } = suggestSensitivity(rates([6, 1], [3, 8], [4, 4]), 2);
    expect(sensitivity).to.equal(6);
    // Half way on a logarithmic scale.
    expect(interpolated).to.equal(5);
    expect(reason).to.include('--sensitivity 5').and.include('4.0');
  });

  it('is none where none keeps it', () => {
    const { sensitivity, reason } = suggestSensitivity(rates([3, 8], [4, 4]), 2);
    expect(sensitivity).to.equal(null);
    expect(reason).to.include('even 4 sends 4.0');
  });

  it('is the lowest of all where all keep it, and says that lower ones were not computed', () => {
    const { sensitivity, interpolated, reason } = suggestSensitivity(rates([3, 1], [4, 0]), 2);
    expect([sensitivity, interpolated]).to.deep.equal([3, null]);
    expect(reason).to.include('Lower ones might as well');
  });

  it('does not trust one that keeps the budget below one that does not', () => {
    expect(suggestSensitivity(rates([3, 1], [4, 5], [6, 0]), 2).sensitivity).to.equal(6);
  });

  it('copes with a budget of none', () => {
    expect(suggestSensitivity(rates([3, 1], [4, 0]), 0)).to.include({ sensitivity: 4, interpolated: 4 });
  });
});
