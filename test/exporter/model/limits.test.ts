import { expect } from 'chai';
import { decodeLevel } from '../../../src/exporter/history/workload-history.js';
import { calibrate, type Limits } from '../../../src/exporter/model/limits.js';
import { createRandom } from '../../../src/exporter/model/random.js';
import { SEASON_SLOTS } from '../../../src/exporter/model/season.js';
import { VIEWS, type View } from '../../../src/exporter/model/view-list.js';
import {
  acceptanceAt,
  limitsOf,
  MONDAY,
  REMEMBERED_FEATURES,
  type RememberedDays,
  type RememberedHour,
  rememberDays,
} from '../../support/remembered-days.js';
import { feature } from '../../support/tables.js';

const DAY = 24;
const dayOf = (hour: number) => Math.floor(hour / DAY);

/** Deviates by nothing but noise of the size of a hundredth. */
const quiet: RememberedDays = () => ({ up: 0.01, down: 0.01 });

/** Deviates at one hour of each day that is told. */
const deviatingOn = (days: readonly number[], up: number, at = 3): RememberedDays => {
  return (hour) => ({ up: hour % DAY === at && days.includes(dayOf(hour)) ? up : 0.1, down: 0.1 });
};

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6, 7];

/**
 * Workloads whose hours deviate at random, each by its own measure.
 *
 * @param days that they did so; more of them can be drawn after those that are remembered.
 */
function randomFleet(count: number, seed: number, days = 8): Record<string, RememberedDays> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const random = createRandom(1000 * seed + index);
      const scale = 0.05 + 0.2 * random();
      const deviations = Array.from({ length: days * DAY }, () => ({
        up: -scale * Math.log(1 - random()),
        down: -scale * Math.log(1 - random()),
      }));
      return [`shop/w-${index}`, (hour: number) => deviations[hour]];
    }),
  );
}

describe('limits of workloads', () => {
  it('are above what a workload does every day, however large, and near for one that does nothing', () => {
    const workloads = { ...randomFleet(30, 1), 'shop/job': deviatingOn(EVERY_DAY, 2), 'shop/quiet': quiet };
    const limits = limitsOf(rememberDays(workloads));
    for (const view of ['seasonUp', 'seasonLongUp'] as const) {
      expect(limits.of('shop/job', view), view).to.be.above(2);
      // A factor of two.
      expect(limits.of('shop/quiet', view), view).to.be.below(Math.log(2));
    }
    expect(limits.of('shop/job', 'seasonDown')).to.be.below(1);
  });

  it('expect what is there at that time of the day', () => {
    const ramp: RememberedDays = (hour) => ({
      level: hour % DAY >= 8 && hour % DAY < 12 ? 3 : 1,
      up: 0.05,
      down: 0.05,
    });
    const limits = limitsOf(rememberDays({ 'shop/web': ramp, 'shop/quiet': quiet }));
    const seasonAt = (hour: number) => decodeLevel(limits.season[2 * hour] as number);
    expect(limits.keys[0]).to.equal('shop/web');
    expect([3, 7, 9, 11, 13].map(seasonAt).map((level) => Math.round(level))).to.deep.equal([1, 1, 3, 3, 1]);
    // The same each morning is no deviation.
    expect(limits.of('shop/web', 'seasonUp')).to.be.below(1);
  });

  it('know days of the weekend by themselves', () => {
    const office: RememberedDays = (hour) => ({ level: dayOf(hour) % 7 < 5 ? 3 : 1, up: 0.05, down: 0.05 });
    const limits = limitsOf(rememberDays({ 'shop/web': office }, { hours: 15 * DAY }));
    expect(decodeLevel(limits.season[24] as number)).to.be.closeTo(3, 0.01);
    expect(decodeLevel(limits.season[SEASON_SLOTS / 2 + 24] as number)).to.be.closeTo(1, 0.01);
    expect(limits.of('shop/web', 'seasonUp')).to.be.below(1);
    expect(limits.of('shop/web', 'seasonDown')).to.be.below(1);
  });

  describe('and the budget', () => {
    const BUDGETS = [0.5, 1, 2, 4, 8, 16, 32];

    it('are never higher for a larger one', () => {
      for (const seed of [1, 2, 3]) {
        const history = rememberDays(randomFleet(40, seed));
        const all = BUDGETS.map((budgetPerDay) => limitsOf(history, { budgetPerDay }).boundaries);
        for (const [index, boundaries] of all.slice(1).entries()) {
          const before = all[index] as Float32Array;
          for (const [cell, boundary] of boundaries.entries()) {
            if (!Number.isNaN(boundary)) expect(boundary).to.be.at.most((before[cell] as number) + 1e-6);
          }
        }
        expect(all.at(-1)?.[0]).to.be.below(all[0]?.[0] as number);
      }
    });

    it('let as many left-out days through as it says, where nothing is wrong', () => {
      const history = rememberDays(randomFleet(60, 4));
      for (const budgetPerDay of [1, 2, 4, 8]) {
        const { expectedPerDay } = limitsOf(history, { budgetPerDay });
        // Whole workloads and days.
        expect(expectedPerDay, `${budgetPerDay}`).to.be.closeTo(budgetPerDay, 1 / 7 + 1e-9);
      }
    });

    it('let about as many of the days to come through', () => {
      const [remembered, toCome, budgetPerDay] = [8, 40, 4];
      let exceeding = 0;
      const seeds = [5, 6, 7];
      for (const seed of seeds) {
        const fleet = randomFleet(100, seed, remembered + toCome);
        const limits = limitsOf(rememberDays(fleet), { budgetPerDay });
        for (const [key, days] of Object.entries(fleet)) {
          for (let day = remembered; day < remembered + toCome; day++) {
            const hours = Array.from({ length: DAY }, (_, hour) => days(day * DAY + hour) as Required<RememberedHour>);
            const isBeyond = ({ up, down }: { up: number; down: number }) =>
              up > limits.of(key, 'seasonUp') || down > limits.of(key, 'seasonDown');
            if (hours.some(isBeyond)) exceeding++;
          }
        }
      }
      expect(exceeding / toCome / seeds.length).to.be.within(budgetPerDay / 2, 2 * budgetPerDay);
    });

    it('stand for all workloads together: with more of them, each has a wider one', () => {
      const few = limitsOf(rememberDays(randomFleet(20, 8)));
      const many = limitsOf(rememberDays(randomFleet(200, 8)));
      expect(many.of('shop/w-0', 'seasonUp')).to.be.above(few.of('shop/w-0', 'seasonUp'));
    });
  });

  describe('and incidents', () => {
    const FLEET = randomFleet(30, 9, 14);
    const boundaryWith = (days: readonly number[], up: number) =>
      limitsOf(rememberDays({ ...FLEET, 'shop/cart': deviatingOn(days, up) })).of('shop/cart', 'seasonUp');

    it('forget that of one day, or of two, when the day after is as before', () => {
      const without = boundaryWith([], 0);
      expect(boundaryWith([2], 4)).to.be.closeTo(without, 0.1);
      expect(boundaryWith([2, 3], 4)).to.be.closeTo(without, 0.1);
    });

    it('take for usual what comes again, or stays', () => {
      expect(boundaryWith([1, 3, 5], 4)).to.be.above(4);
      expect(boundaryWith([4, 5, 6], 4)).to.be.above(4);
      // It began on the last day that counts.
      expect(boundaryWith([6], 4)).to.be.above(4);
    });

    it('take a level that stays for usual', () => {
      const released: RememberedDays = (hour) => ({ level: dayOf(hour) >= 2 ? 3 : 1, up: 0.1, down: 0.1 });
      const limits = limitsOf(rememberDays({ ...FLEET, 'shop/cart': released }));
      const expected = decodeLevel(limits.season[limits.keys.indexOf('shop/cart') * 2 * SEASON_SLOTS + 20] as number);
      expect(3.1 - expected).to.be.below(limits.of('shop/cart', 'seasonUp'));
    });

    it('do not learn from the last day', () => {
      expect(boundaryWith([7], 4)).to.equal(boundaryWith([], 0));
    });

    it('leave other workloads as they are', () => {
      const others = (days: readonly number[]) =>
        limitsOf(rememberDays({ ...FLEET, 'shop/cart': deviatingOn(days, 4) })).of('shop/w-0', 'seasonUp');
      expect(others([2])).to.be.closeTo(others([]), 0.1);
    });

    it('take a weekend for usual, though it comes again only after a week', () => {
      for (const hours of [8 * DAY, 8 * DAY + 12, 10 * DAY, 14 * DAY]) {
        const weekend: RememberedDays = (hour) => ({ up: dayOf(hour) % 7 >= 5 ? 2.5 : 0.1, down: 0.1 });
        const limits = limitsOf(rememberDays({ ...FLEET, 'shop/cart': weekend }, { hours }), { budgetPerDay: 1 });
        expect(limits.of('shop/cart', 'seasonUp'), `${hours} hours`).to.be.above(2.5);
      }
    });
  });

  describe('of counters', () => {
    const RISES = 1;
    const boundaryOf = (risesByDay: readonly number[]) => {
      const restarting: RememberedDays = (hour) => ({ rises: hour % DAY === 5 ? (risesByDay[dayOf(hour)] ?? 0) : 0 });
      const hours = (risesByDay.length + 1) * DAY;
      return limitsOf(rememberDays({ 'shop/cart': restarting }, { hours })).of('shop/cart', 'seasonUp', RISES);
    };

    it('are between the rises of the day with the third most and the next number', () => {
      expect(boundaryOf([0, 9, 7, 0, 5, 1, 0])).to.be.within(5, 6);
      expect(boundaryOf([2, 2, 2, 2, 2, 2, 2])).to.be.within(2, 3);
    });

    it('let one rise through, whatever there was', () => {
      expect(boundaryOf([0, 0, 0, 0, 0, 0, 0])).to.be.within(1, 2);
      expect(boundaryOf([0, 9, 9, 0, 0, 0, 0])).to.be.within(1, 2);
    });

    it('have one view', () => {
      const limits = limitsOf(rememberDays({ 'shop/cart': () => ({ rises: 1, siblings: 0.1 }) }));
      const known = VIEWS.filter((view) => !Number.isNaN(limits.of('shop/cart', view, RISES)));
      expect(known).to.deep.equal(['seasonUp']);
    });
  });

  describe('of a workload that has another level since a release', () => {
    // Thursday, 10:00.
    const RELEASE = 3 * DAY + 10;
    /** @param offset of the level since then. @param until when. */
    const released =
      (offset: number, until = Number.POSITIVE_INFINITY): RememberedDays =>
      (hour) => ({
        level: 2 + (hour % DAY >= 8 && dayOf(hour) % 7 < 5 ? 1 : 0) + (hour >= RELEASE && hour < until ? offset : 0),
        up: 0.05,
        down: 0.05,
        release: hour === RELEASE || hour === until ? 1 : 0,
      });
    const limitsAt = (days: RememberedDays, hours: number) =>
      limitsOf(rememberDays({ 'shop/web': days, ...randomFleet(20, 3) }, { hours, firstHour: MONDAY - 2 * DAY }));
    const shifted =
      (days: RememberedDays): RememberedDays =>
      (hour) =>
        days(hour - 2 * DAY);
    const seasonAt = ({ season }: Pick<Limits, 'season'>, slot: number) => decodeLevel(season[slot] as number);

    it('expect the new level once it is accepted, on each kind of day, and are as near as before', () => {
      const steady = limitsAt(shifted(released(0)), 2 * DAY + RELEASE + 12);
      const before = limitsAt(shifted(released(0.8)), 2 * DAY + RELEASE + 11);
      const after = limitsAt(shifted(released(0.8)), 2 * DAY + RELEASE + 12);
      const noon = 24;
      const sunday = SEASON_SLOTS / 2 + noon;
      expect(seasonAt(before, noon)).to.be.closeTo(3, 0.01);
      expect(seasonAt(after, noon)).to.be.closeTo(3.8, 0.02);
      expect(seasonAt(before, sunday)).to.be.closeTo(2, 0.01);
      expect(seasonAt(after, sunday)).to.be.closeTo(2.8, 0.02);
      expect(after.of('shop/web', 'seasonUp')).to.be.closeTo(steady.of('shop/web', 'seasonUp'), 0.1);
      expect(before.steps).to.deep.equal([]);
      expect(after.steps).to.have.lengthOf(1);
      expect(after.steps[0]).to.include({ row: 0, column: 0, isRelease: true });
      // The level before is still known.
      expect(after.range[0]).to.be.closeTo(-0.8, 0.02);
      expect(after.range[1]).to.equal(0);
    });

    it('are as near as before a week later, when days of both levels are learned from', () => {
      const [steady, after] = [0, 0.8].map((offset) => limitsAt(shifted(released(offset)), 8 * DAY));
      expect(after?.of('shop/web', 'seasonUp')).to.be.closeTo(steady?.of('shop/web', 'seasonUp') ?? 0, 0.1);
      expect(after?.of('shop/web', 'seasonDown')).to.be.closeTo(steady?.of('shop/web', 'seasonDown') ?? 0, 0.1);
    });

    it('are the old ones again after a rollback', () => {
      const rolledBack = limitsAt(shifted(released(0.8, RELEASE + 20)), 2 * DAY + RELEASE + 20 + 12);
      expect(seasonAt(rolledBack, 24)).to.be.closeTo(3, 0.02);
      expect(rolledBack.steps).to.have.lengthOf(2);
      expect(rolledBack.range[0]).to.be.closeTo(0, 0.02);
      expect(rolledBack.range[1]).to.be.closeTo(0, 0.02);
    });
  });

  describe('with little known', () => {
    it('are absent where nothing is known', () => {
      const acceptance = acceptanceAt(MONDAY + 100);
      const options = {
        features: REMEMBERED_FEATURES,
        budgetPerDay: 4,
        sensitivity: 4,
        acceptance,
        lastHour: MONDAY + 100,
      };
      expect(calibrate(rememberDays({}, { hours: 0 }), options)).to.equal(undefined);
      expect(calibrate(rememberDays({}, { hours: 50 }), options)).to.equal(undefined);
      // Only what is over counts.
      const later = rememberDays({ 'shop/cart': quiet }, { firstHour: MONDAY + 101, hours: 20 });
      expect(calibrate(later, options)).to.equal(undefined);
    });

    it('are wider the fewer hours are known, and say nothing of a rate', () => {
      const fleet = randomFleet(30, 10);
      const boundaries = [2, 6, 20].map((hours) => {
        const limits = limitsOf(rememberDays(fleet, { hours }));
        expect(limits.expectedPerDay).to.deep.equal(Number.NaN);
        // Of a workload that deviates by the same in each hour.
        return limitsOf(rememberDays({ ...fleet, 'shop/same': quiet }, { hours })).of('shop/same', 'seasonUp');
      });
      expect(boundaries).to.deep.equal(boundaries.toSorted((a, b) => b - a));
      expect(boundaries[0]).to.be.above(boundaries[2] as number);
    });

    it('do not learn from hours that were flagged when they came, except the first', () => {
      const fleet = randomFleet(30, 11);
      const boundaryWith = (at: number) =>
        limitsOf(
          rememberDays({ ...fleet, 'shop/cart': (hour) => ({ up: hour === at ? 6 : 0.1, down: 0.1 }) }, { hours: 20 }),
        ).of('shop/cart', 'seasonUp');
      expect(boundaryWith(15)).to.be.below(6);
      expect(boundaryWith(0)).to.be.above(6);
    });

    it('believe what comes again', () => {
      const twice: RememberedDays = (hour) => ({ up: hour === 6 || hour === 13 ? 6 : 0.1, down: 0.1 });
      const history = rememberDays({ ...randomFleet(30, 11), 'shop/cart': twice }, { hours: 20 });
      expect(limitsOf(history).of('shop/cart', 'seasonUp')).to.be.above(6);
    });

    it('hold a day back once two are known, and little of the first', () => {
      const hoursOf = (hours: number) => limitsOf(rememberDays({ 'shop/cart': quiet }, { hours })).hours;
      expect([48, 60, 100, 190].map(hoursOf)).to.deep.equal([24, 36, 76, 166]);
      for (const hours of [1, 2, 10, 24]) expect(hoursOf(hours), `${hours}`).to.be.within(0.85 * hours, hours);
    });

    it('go by what is there when hours are missing', () => {
      const fleet = { ...randomFleet(30, 12), 'shop/job': deviatingOn(EVERY_DAY, 2) };
      const whole = limitsOf(rememberDays(fleet));
      // Every fifth hour, so that each time of day is there on most days; and a whole day.
      const isKnown = (hour: number) => hour % 5 !== 0 && dayOf(hour) !== 2;
      const holed = limitsOf(rememberDays(fleet, { isKnown }));
      expect(holed.hours).to.be.within(100, whole.hours);
      expect(holed.of('shop/job', 'seasonUp')).to.be.above(2);
      expect(holed.of('shop/w-0', 'seasonUp')).to.be.within(
        0.5 * whole.of('shop/w-0', 'seasonUp'),
        2 * whole.of('shop/w-0', 'seasonUp'),
      );
    });

    it('expect of an hour that was never read what is usual at other times', () => {
      const isKnown = (hour: number) => hour % DAY !== 6;
      const limits = limitsOf(rememberDays({ 'shop/cart': () => ({ level: 2, up: 0.1 }) }, { isKnown }));
      expect(decodeLevel(limits.season[12] as number)).to.be.closeTo(2, 0.01);
    });
  });

  describe('of workloads that are not known', () => {
    it('are wide for nearly all that are', () => {
      const fleet = randomFleet(100, 13);
      const limits = limitsOf(rememberDays(fleet));
      const own = Object.keys(fleet).map((key) => limits.of(key, 'seasonUp'));
      const wider = own.filter((boundary) => boundary > limits.ofUnknown('seasonUp')).length;
      expect(wider).to.be.within(1, 10);
    });

    it('leave out views that no workload is known in', () => {
      const limits = limitsOf(rememberDays({ 'shop/cart': quiet, 'shop/web': () => ({ up: 0.1, siblings: 0.2 }) }));
      expect(limits.of('shop/cart', 'siblingsUp')).to.deep.equal(Number.NaN);
      expect(limits.ofUnknown('siblingsUp')).to.equal(limits.of('shop/web', 'siblingsUp'));
      const alone = limitsOf(rememberDays({ 'shop/cart': quiet }));
      expect(alone.ofUnknown('siblingsUp')).to.deep.equal(Number.NaN);
    });
  });

  it('have no falls of features that only rise is a fault of', () => {
    const features = [
      feature('load'),
      feature('queue', { direction: 'up' }),
      feature('heap', { direction: 'brief_falls' }),
    ];
    const history = rememberDays({ 'shop/cart': () => ({ up: 0.1, down: 0.3, siblings: 0.2 }) }, { features });
    const limits = limitsOf(history, { features });
    const isFall = (view: View) => view.endsWith('Down');
    for (const view of VIEWS) {
      expect(limits.of('shop/cart', view, 0), view).to.be.above(0);
      for (const column of [1, 2]) {
        const boundary = limits.of('shop/cart', view, column);
        if (isFall(view)) expect(boundary, view).to.deep.equal(Number.NaN);
        else expect(boundary, view).to.be.above(0);
      }
    }
  });

  it('are never below a part of the sensitivity', () => {
    const history = rememberDays({ 'shop/cart': () => ({}) });
    const boundaries = [1, 8, 40].map((sensitivity) => limitsOf(history, { sensitivity }).of('shop/cart', 'seasonUp'));
    expect(boundaries[0]).to.be.above(0);
    expect(boundaries).to.deep.equal(boundaries.toSorted((a, b) => a - b));
    expect(boundaries[2]).to.be.above(boundaries[0] as number);
  });
});
