import { expect } from 'chai';
import { hoursToRead, nextStretch, secondsUntilNextHour } from '../../../src/exporter/history/plan-hours.js';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import { SUMMARY_FEATURES, summaryOf } from '../../support/hour-summaries.js';

const NEWEST = 490_908;

/** @param hours with their pods. */
function historyOf(hours: Readonly<Record<number, number>>, days = 2): WorkloadHistory {
  const history = new WorkloadHistory({ days, ...SUMMARY_FEATURES });
  for (const [hour, pods] of Object.entries(hours)) {
    history.add(summaryOf(Number(hour), pods === 0 ? {} : { 'shop/cart': 1 }, { pods }));
  }
  return history;
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const all = (hours: readonly number[], pods: number) => Object.fromEntries(hours.map((hour) => [hour, pods]));
const stretchOf = (history: WorkloadHistory, mostHours?: number) => {
  const stretch = nextStretch(hoursToRead(history, NEWEST), history, mostHours);
  return stretch && [NEWEST - stretch.lastHour, NEWEST - stretch.firstHour];
};

describe('hours to read', () => {
  it('are those that are not known, the newest first', () => {
    const history = historyOf(all([NEWEST - 1, NEWEST - 3], 5), 1);
    const missing = hoursToRead(history, NEWEST);
    expect(missing.slice(0, 3)).to.deep.equal([NEWEST, NEWEST - 2, NEWEST - 4]);
    expect(missing).to.have.lengthOf(22);
    expect(missing.at(-1)).to.equal(NEWEST - 23);
  });

  it('are none before a day without pods', () => {
    expect(hoursToRead(historyOf(all(range(NEWEST - 23, NEWEST), 0)), NEWEST)).to.deep.equal([]);
    const almost = historyOf(all(range(NEWEST - 22, NEWEST), 0));
    expect(hoursToRead(almost, NEWEST)).to.have.lengthOf(48 - 23);
    const interrupted = historyOf({ ...all(range(NEWEST - 23, NEWEST), 0), [NEWEST - 12]: 4 });
    expect(hoursToRead(interrupted, NEWEST)).to.have.lengthOf(24);
  });

  it('are still asked for where they are newer than that day', () => {
    const history = historyOf(all(range(NEWEST - 30, NEWEST - 1), 0));
    expect(hoursToRead(history, NEWEST)).to.deep.equal([NEWEST]);
  });

  it('are none before 1970', () => {
    expect(hoursToRead(historyOf({}), 3)).to.deep.equal([3, 2, 1]);
  });
});

describe('stretches of hours', () => {
  it('are an hour until the number of pods is known, then up to six', () => {
    expect(stretchOf(historyOf({}))).to.deep.equal([0, 0]);
    expect(stretchOf(historyOf({ [NEWEST]: 5 }))).to.deep.equal([1, 6]);
  });

  it('are shorter with many pods, and never shorter than an hour', () => {
    // Two features: 20 hours of 100,000 series would be 25 million points.
    expect(stretchOf(historyOf({ [NEWEST]: 10_000 }))).to.deep.equal([1, 5]);
    expect(stretchOf(historyOf({ [NEWEST]: 30_000 }))).to.deep.equal([1, 1]);
    expect(stretchOf(historyOf({ [NEWEST]: 100_000 }))).to.deep.equal([1, 1]);
  });

  it('end at an hour that is known, and at a bound', () => {
    expect(stretchOf(historyOf(all([NEWEST, NEWEST - 4], 5)))).to.deep.equal([1, 3]);
    expect(stretchOf(historyOf({ [NEWEST]: 5 }), 2)).to.deep.equal([1, 2]);
    expect(stretchOf(historyOf(all(range(NEWEST - 47, NEWEST), 5)))).to.equal(undefined);
  });
});

describe('the next hour', () => {
  it('has settled a while after its end', () => {
    expect(secondsUntilNextHour(7200)).to.equal(135);
    expect(secondsUntilNextHour(7200 + 134)).to.equal(1);
    expect(secondsUntilNextHour(7200 + 135)).to.equal(3600);
  });
});
