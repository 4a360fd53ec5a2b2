import { expect } from 'chai';
import { hourOf, isWeekend, lastSettledHour } from '../../../src/exporter/history/grid.js';

describe('grid of the history', () => {
  it('has hours that hold their end, and not their beginning', () => {
    expect([3600, 3601, 7199, 7200, 7201].map(hourOf)).to.deep.equal([0, 1, 1, 1, 2]);
  });

  it('waits until the last samples of an hour are there', () => {
    expect(lastSettledHour(7200)).to.equal(0);
    expect(lastSettledHour(7200 + 134)).to.equal(0);
    expect(lastSettledHour(7200 + 135)).to.equal(1);
  });

  it('knows weekends', () => {
    const day = (date: string) => Date.parse(`${date}T00:00:00Z`) / 86_400_000;
    expect(['2026-11-27', '2026-11-28', '2026-11-29', '2026-11-30'].map(day).map(isWeekend)).to.deep.equal([
      false,
      true,
      true,
      false,
    ]);
    expect(isWeekend(0)).to.equal(false);
  });
});
