import { expect } from 'chai';
import { fitLimits } from '../../../src/exporter/model/fit-limits.js';
import { countExceeding } from '../../../src/exporter/model/held-back.js';
import { calibrate } from '../../../src/exporter/model/limits.js';
import { VIEWS } from '../../../src/exporter/model/view-list.js';
import { DEFAULT_PARAMETERS } from '../../support/parameters.js';
import {
  acceptanceAt,
  limitsOf as limitsOfDays,
  REMEMBERED_FEATURES,
  rememberDays,
} from '../../support/remembered-days.js';
import { type Course, steadyHistory, TRAINED_AT } from '../../support/steady-cluster.js';
import { CATALOG, CPU } from '../../support/tables.js';

const DAY = 24;
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
  const options = {
    lastHour: LAST,
    features: CATALOG,
    budgetPerDay: 4,
    sensitivity: 4,
    acceptance: acceptanceAt(LAST),
  };

  it('holds a workload that was beyond a boundary until it is far below it for half an hour', () => {
    const heldWith = (course: (hoursAgo: number) => number) => {
      const history = rememberDays({
        'shop/web': (hour) => ({ up: 8 * DAY - hour <= DAY ? course(8 * DAY - hour) : 0.05 }),
        ...Object.fromEntries(['a', 'b', 'c'].map((name) => [`shop/${name}`, () => ({ up: 0.1 })])),
      });
      const limits = limitsOfDays(history);
      const view = VIEWS.indexOf('seasonUp');
      expect([...limits.held.subarray(REMEMBERED_FEATURES.length * VIEWS.length)]).not.to.include(1);
      return limits.held[view];
    };
    const limit = 5;
    expect(heldWith(() => 0.05)).to.equal(0);
    expect(heldWith(() => limit)).to.equal(1);
    // Beyond six hours ago, and above half of the boundary (the least there is) since then.
    const boundary = Math.log1p(0.5 * 4 * CPU.relativeSpreadFloor);
    expect(heldWith((hoursAgo) => (hoursAgo > 6 ? limit : 0.7 * boundary))).to.equal(1);
    expect(heldWith((hoursAgo) => (hoursAgo > 6 ? limit : hoursAgo === 6 ? 0.05 : 0.7 * boundary))).to.equal(0);
    expect(heldWith(() => 0.7 * boundary)).to.equal(0);
  });

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
