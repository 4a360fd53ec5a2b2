import { expect } from 'chai';
import { withDays } from '../../../src/exporter/history/resize.js';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import { SUMMARY_FEATURES, summaryOf } from '../../support/hour-summaries.js';

const NEWEST = 490_908;
const summaries = Array.from({ length: 72 }, (_, index) =>
  summaryOf(NEWEST - index, { 'shop/cart': index / 10, [`shop/w-${index % 3}`]: 2 }, { siblings: index % 3 === 0 }),
);
const stateOf = (days: number, hours: number) => {
  const history = new WorkloadHistory({ days, ...SUMMARY_FEATURES });
  for (const summary of summaries.slice(0, hours)) history.add(summary);
  return history.state();
};

describe('a history for another number of days', () => {
  it('has the hours that it had, with room for more', () => {
    const longer = withDays(stateOf(2, 48), 3);
    expect(longer).to.deep.equal(stateOf(3, 48));
    const history = new WorkloadHistory(longer);
    for (const summary of summaries) history.add(summary);
    expect(history.state()).to.deep.equal(stateOf(3, 72));
  });

  it('has the newest of the hours that it had', () => {
    expect(withDays(stateOf(3, 72), 1)).to.deep.equal(stateOf(1, 24));
  });

  it('is the same for the same number', () => {
    const state = stateOf(2, 10);
    expect(withDays(state, 2)).to.equal(state);
    expect(withDays(stateOf(2, 0), 5)).to.deep.equal(stateOf(5, 0));
  });
});
