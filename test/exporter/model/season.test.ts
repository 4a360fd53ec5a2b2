import { expect } from 'chai';
import { SEASON_SLOTS, slotOf, slotOfBin } from '../../../src/exporter/model/season.js';

describe('slots of a season', () => {
  it('are the half hours of a working day or of a day at the weekend', () => {
    // 1970 began on a Thursday.
    expect([0, 1, 47, 48].map(slotOfBin)).to.deep.equal([0, 1, 47, 0]);
    expect([96, 191, 192].map(slotOfBin)).to.deep.equal([48, SEASON_SLOTS - 1, 0]);
  });

  it('hold their end, and not their beginning', () => {
    expect([1, 1800, 1801, 86_400, 86_401].map(slotOf)).to.deep.equal([0, 0, 1, 47, 0]);
    const saturday = 2 * 86_400;
    expect([saturday, saturday + 1].map(slotOf)).to.deep.equal([47, 48]);
  });
});
