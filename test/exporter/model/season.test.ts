import { expect } from 'chai';
import { SEASON_SLOTS, slotBeyondEdge, slotOf, slotOfBin } from '../../../src/exporter/model/season.js';

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

  it('have a neighbour within ten minutes of an edge, on either side', () => {
    const minutes = [31, 40, 41, 49, 50, 60, 61];
    expect(minutes.map((minute) => slotBeyondEdge(60 * minute))).to.deep.equal([0, 0, 1, 1, 2, 2, 1]);
    const saturday = 2 * 86_400;
    expect([saturday - 600, saturday, saturday + 600].map(slotBeyondEdge)).to.deep.equal([48, 48, 47]);
  });
});
