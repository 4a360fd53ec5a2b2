import { expect } from 'chai';
import { fitLimits } from '../../../src/exporter/model/fit-limits.js';
import { countExceeding } from '../../../src/exporter/model/held-back.js';
import { calibrate } from '../../../src/exporter/model/limits.js';
import { DEFAULT_PARAMETERS } from '../../support/parameters.js';
import { type Course, steadyHistory, TRAINED_AT } from '../../support/steady-cluster.js';
import { CATALOG } from '../../support/tables.js';

const LAST = TRAINED_AT / 3600 - 1;
const leak: Course = ([cpu, memory, restarts]) => [cpu, 3 * memory, restarts];

/** The history of seven days in which one or both workloads leak for some hours, counted from the newest. */
const leakyHistory = (newest: number, oldest: number, ...pods: readonly string[]) =>
  steadyHistory(7, (hour) =>
    LAST - hour >= newest && LAST - hour <= oldest ? Object.fromEntries(pods.map((pod) => [pod, leak])) : {},
  );

const limitsOf = (history: ReturnType<typeof steadyHistory>) =>
  fitLimits(history, CATALOG, DEFAULT_PARAMETERS, TRAINED_AT);

describe('what came of the boundaries', () => {
  const options = { lastHour: LAST, features: CATALOG, budgetPerDay: 4, sensitivity: 4 };

  it('counts workloads, and each once', () => {
    const history = leakyHistory(0, 5, 'report-0', 'web-1');
    const limits = calibrate(history, options);
    if (limits === undefined) return expect.fail('Something is known.');
    expect(limits.lastHour).to.equal(LAST - 24);
    const count = (first: number, last: number) => countExceeding(history, CATALOG, limits, first, last);
    expect(count(LAST - 23, LAST)).to.equal(2);
    expect(count(LAST - 23, LAST - 7)).to.equal(0);
    expect(count(LAST - 1, LAST)).to.equal(2);
  });

  it('is nothing where all days are alike', () => {
    const { recentExceedingPerDay, expectedMessagesPerDay, knownHours } = limitsOf(steadyHistory(7));
    expect({ recentExceedingPerDay, expectedMessagesPerDay, knownHours }).to.deep.equal({
      recentExceedingPerDay: 0,
      expectedMessagesPerDay: 0,
      knownHours: 144,
    });
  });

  it('is a third of a workload a day for one on the day that is held back', () => {
    expect(limitsOf(leakyHistory(2, 8, 'report-0')).recentExceedingPerDay).to.be.closeTo(1 / 3, 1e-12);
  });

  it('judges a day before that by the other ones', () => {
    expect(limitsOf(leakyHistory(26, 32, 'report-0', 'web-2')).recentExceedingPerDay).to.be.closeTo(2 / 3, 1e-12);
    expect(limitsOf(leakyHistory(50, 56, 'report-0')).recentExceedingPerDay).to.be.closeTo(1 / 3, 1e-12);
    // Four days ago is not recent, and still expected.
    const before = limitsOf(leakyHistory(74, 80, 'report-0'));
    expect(before.recentExceedingPerDay).to.equal(0);
    expect(before.expectedMessagesPerDay).to.be.closeTo(1 / 6, 1e-12);
  });

  it('is not known before a day can be left out', () => {
    for (const days of [0, 1, 3]) {
      const { recentExceedingPerDay, expectedMessagesPerDay } = limitsOf(steadyHistory(days));
      expect([recentExceedingPerDay, expectedMessagesPerDay]).to.deep.equal([Number.NaN, Number.NaN]);
    }
    expect(limitsOf(steadyHistory(4)).recentExceedingPerDay).to.equal(0);
  });
});
