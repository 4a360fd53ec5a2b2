import { expect } from 'chai';
import { fitLimits } from '../../../src/exporter/model/fit-limits.js';
import { SEASON_SLOTS } from '../../../src/exporter/model/season.js';
import { VIEWS } from '../../../src/exporter/model/view-list.js';
import { DEFAULT_PARAMETERS } from '../../support/parameters.js';
import { limitsOf, MONDAY, REMEMBERED_FEATURES, rememberDays } from '../../support/remembered-days.js';

const WORKLOADS = {
  'shop/cart': (hour: number) => ({ up: 0.5 + 0.01 * hour, down: 0.1, siblings: 0.1 }),
  'shop/till': (hour: number) => ({ up: 0.3 - 0.02 * (hour % 5), down: 0.1 }),
};
const HOURS = 8 * 24;
const END_SECONDS = (MONDAY + HOURS) * 3600;

const limitsWith = (changes: Partial<typeof DEFAULT_PARAMETERS> = {}, endSeconds = END_SECONDS) =>
  fitLimits(rememberDays(WORKLOADS), REMEMBERED_FEATURES, { ...DEFAULT_PARAMETERS, ...changes }, endSeconds);

describe('fitLimits', () => {
  it('puts the boundaries of workloads into the model, by their keys', () => {
    const { remembers, limits, fleet, knownHours } = limitsWith();
    expect(remembers).to.equal(true);
    expect(knownHours).to.equal(HOURS - 24);
    expect(limits.rows).to.deep.equal(
      new Map([
        ['shop/cart', 0],
        ['shop/till', 1],
      ]),
    );
    expect(limits.season).to.have.lengthOf(2 * REMEMBERED_FEATURES.length * SEASON_SLOTS);
    const expected = limitsOf(rememberDays(WORKLOADS), { budgetPerDay: DEFAULT_PARAMETERS.alertBudgetPerDay });
    expect(limits.boundaries).to.deep.equal(expected.boundaries);
    expect(fleet.boundaries).to.deep.equal(expected.unknown);
  });

  it('goes by the budget and the sensitivity', () => {
    const boundary = (changes: Partial<typeof DEFAULT_PARAMETERS>) =>
      limitsWith(changes).limits.boundaries[0] as number;
    expect(boundary({ alertBudgetPerDay: 0.01 })).to.be.above(boundary({ alertBudgetPerDay: 100 }));
    expect(boundary({ sensitivity: 400 })).to.be.above(boundary({ sensitivity: 4 }));
  });

  it('takes no notice of hours that end after the training window', () => {
    const hours = (endSeconds: number) => limitsWith({}, endSeconds).knownHours;
    expect(hours(END_SECONDS - 1)).to.equal(HOURS - 25);
    expect(hours(END_SECONDS + 1800)).to.equal(HOURS - 24);
    expect(hours(MONDAY * 3600)).to.equal(0);
  });

  it('remembers, and knows nothing yet, where the history is empty', () => {
    const empty = rememberDays({}, { hours: 0 });
    const { remembers, limits, fleet, knownHours, expectedMessagesPerDay } = fitLimits(
      empty,
      REMEMBERED_FEATURES,
      DEFAULT_PARAMETERS,
      END_SECONDS,
    );
    expect({ remembers, knownHours, keys: limits.keys }).to.deep.equal({ remembers: true, knownHours: 0, keys: [] });
    expect(fleet.boundaries).to.have.lengthOf(REMEMBERED_FEATURES.length * VIEWS.length);
    expect([...fleet.boundaries].every(Number.isNaN)).to.equal(true);
    expect(expectedMessagesPerDay).to.deep.equal(Number.NaN);
  });

  it('reports the levels that were accepted on the last day, by the hours of the parameters', () => {
    // A release at the beginning of the last day.
    const begin = HOURS - 24;
    const cart = (hour: number) => ({
      level: hour >= begin ? 3 : 2,
      up: 0.1,
      down: 0.1,
      release: hour === begin ? 1 : 0,
    });
    const acceptedWith = (changes: Partial<typeof DEFAULT_PARAMETERS>, endSeconds = END_SECONDS + 600) =>
      fitLimits(
        rememberDays({ 'shop/cart': cart, 'shop/till': WORKLOADS['shop/till'] }),
        REMEMBERED_FEATURES,
        { ...DEFAULT_PARAMETERS, ...changes },
        endSeconds,
      ).acceptedLevels;
    const beganSeconds = (MONDAY + begin) * 3600;
    const [accepted, ...others] = acceptedWith({});
    expect(others).to.deep.equal([]);
    expect(accepted?.factor).to.be.closeTo(Math.E, 0.02);
    expect(accepted).to.deep.include({
      workload: 'shop/cart',
      feature: 'cpu',
      beganSeconds,
      acceptedSeconds: beganSeconds + 12 * 3600,
      withRelease: true,
    });
    expect(acceptedWith({ acceptReleaseHours: 4 })[0]?.acceptedSeconds).to.equal(beganSeconds + 4 * 3600);
    expect(acceptedWith({}, beganSeconds + 11 * 3600)).to.deep.equal([]);
    expect(acceptedWith({ acceptReleaseHours: 11 }, beganSeconds + 11 * 3600 + 600)).to.have.lengthOf(1);
  });

  it('says what rate to expect once some days are known', () => {
    expect(limitsWith().expectedMessagesPerDay).to.be.within(0, DEFAULT_PARAMETERS.alertBudgetPerDay);
    expect(limitsWith({}, (MONDAY + 20) * 3600).expectedMessagesPerDay).to.deep.equal(Number.NaN);
  });

  for (const [what, changes] of [
    ['BASELINE=cluster', { baseline: 'cluster' }],
    ['a share of the rows to flag', { contamination: 0.01 }],
  ] as const) {
    it(`takes no notice of the history with ${what}`, () => {
      const without = fitLimits(undefined, REMEMBERED_FEATURES, { ...DEFAULT_PARAMETERS, ...changes }, END_SECONDS);
      expect(without.remembers).to.equal(false);
      expect(limitsWith(changes)).to.deep.equal(without);
    });
  }
});
