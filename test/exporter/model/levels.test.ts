import { expect } from 'chai';
import { BINS_PER_DAY, BINS_PER_HOUR, HOUR_SECONDS } from '../../../src/exporter/history/grid.js';
import { align, knownRange, type LevelStep, releasesByBin, StepFinder } from '../../../src/exporter/model/levels.js';
import { createRandom } from '../../../src/exporter/model/random.js';
import { MONDAY, rememberDays } from '../../support/remembered-days.js';

const DAY = 24;
const MONDAY_BIN = MONDAY * BINS_PER_HOUR;

/** The level at an hour, counted from a Monday; half hours have a half. */
type Course = (hour: number) => number;

/** Weekdays have a morning ramp, weekends do not; both have some noise. */
function office(seed = 1): Course {
  const random = createRandom(seed);
  const noise = Array.from({ length: 60 * BINS_PER_DAY }, () => 0.1 * (random() - 0.5));
  return (hour) => {
    const isDay = hour % DAY >= 8 && hour % DAY < 18;
    const isWeekend = Math.floor(hour / DAY) % 7 >= 5;
    return 3 + (isDay && !isWeekend ? 1 : 0) + (noise[2 * hour] as number);
  };
}

/**
 * @param releases hours in which the workload was released.
 * @param first hour that is known, and the first that is not yet.
 * @param nowHour it is this hour, with fractions.
 */
function stepsOf(course: Course, releases: readonly number[], first: number, end: number, nowHour = end): LevelStep[] {
  const levels = Float64Array.from({ length: (end - first) * BINS_PER_HOUR }, (_, bin) => course(first + bin / 2));
  const seconds = (hour: number) => (MONDAY + hour) * HOUR_SECONDS;
  const times = new Map(releases.map((hour) => [MONDAY_BIN + Math.floor(2 * hour), seconds(hour)]));
  const acceptance = { releaseHours: 12, levelHours: 24, nowSeconds: seconds(nowHour) };
  return new StepFinder(acceptance).find(levels, MONDAY_BIN + 2 * first, times);
}

/** Steps as their hours, counted from the Monday. */
const hoursOf = (steps: readonly LevelStep[]) =>
  steps.map(({ bin, acceptedBin, isRelease }) => ({
    began: (bin - MONDAY_BIN) / 2,
    accepted: (acceptedBin - MONDAY_BIN) / 2,
    isRelease,
  }));

const from = (begin: number, offset: number, course: Course = office()): Course => {
  return (hour) => course(hour) + (hour >= begin ? offset : 0);
};

describe('steps of level', () => {
  // Thursday, 10:00.
  const BEGIN = 3 * DAY + 10;

  it('are accepted twelve hours after a release', () => {
    const course = from(BEGIN, 0.7);
    expect(stepsOf(course, [BEGIN], 0, BEGIN + 11)).to.deep.equal([]);
    const [step, ...others] = stepsOf(course, [BEGIN], 0, BEGIN + 12);
    expect(others).to.deep.equal([]);
    expect(hoursOf([step as LevelStep])).to.deep.equal([{ began: BEGIN, accepted: BEGIN + 12, isRelease: true }]);
    expect(step?.offset).to.be.closeTo(0.7, 0.05);
  });

  it('are accepted when it is time, though the hour that goes on is not known yet', () => {
    const course = from(BEGIN, 0.7);
    // It was released at a quarter past.
    for (const end of [BEGIN + 11, BEGIN + 12]) {
      expect(stepsOf(course, [BEGIN + 0.25], 0, end, BEGIN + 12.2)).to.deep.equal([]);
    }
    expect(stepsOf(course, [BEGIN + 0.25], 0, BEGIN + 11, BEGIN + 12.26)).to.have.lengthOf(1);
    // With too little known since then, it is not.
    expect(stepsOf(course, [BEGIN + 0.25], 0, BEGIN + 4, BEGIN + 13)).to.deep.equal([]);
    expect(stepsOf(course, [], 0, BEGIN + 23, BEGIN + 23.9)).to.deep.equal([]);
    expect(stepsOf(course, [], 0, BEGIN + 23, BEGIN + 24)).to.have.lengthOf(1);
  });

  it('are accepted after a day where there was no release', () => {
    for (const offset of [0.7, -0.7]) {
      const course = from(BEGIN, offset);
      expect(stepsOf(course, [], 0, BEGIN + 23)).to.deep.equal([]);
      const steps = stepsOf(course, [], 0, BEGIN + 24);
      expect(hoursOf(steps)).to.deep.equal([{ began: BEGIN, accepted: BEGIN + 24, isRelease: false }]);
      expect(steps[0]?.offset).to.be.closeTo(offset, 0.05);
    }
  });

  it('are the same as long as they are remembered, at weekends and when only weekends are left of the time before', () => {
    const course = from(DAY + 10, 0.7);
    for (let end = 3 * DAY; end <= 9 * DAY; end += 6) {
      const steps = stepsOf(course, [DAY + 10], Math.max(-2 * DAY, end - 8 * DAY), end);
      expect(hoursOf(steps), `${end}`).to.have.lengthOf(1);
      expect(steps[0]?.offset, `${end}`).to.be.closeTo(0.7, 0.07);
    }
  });

  it('without a release are found as well where the hours before them are those of the same day', () => {
    // Since Monday, 10:00; what is known begins on Saturday.
    const steps = stepsOf(from(10, 0.7), [], -2 * DAY, 5 * DAY + 12);
    expect(steps).to.have.lengthOf(1);
    expect(hoursOf(steps)[0]?.began).to.be.within(9, 11);
    expect(steps[0]?.offset).to.be.closeTo(0.7, 0.05);
  });

  it('come from a rollback as well', () => {
    const course = from(BEGIN + 20, -0.7, from(BEGIN, 0.7));
    const steps = stepsOf(course, [BEGIN, BEGIN + 20], 0, BEGIN + 20 + 12);
    expect(hoursOf(steps).map(({ began }) => began)).to.deep.equal([BEGIN, BEGIN + 20]);
  });

  it('begin with the release that brought them, and not with the one before', () => {
    const steps = stepsOf(from(BEGIN, 0.7), [BEGIN - 3, BEGIN], 0, BEGIN + 14);
    expect(hoursOf(steps)).to.deep.equal([{ began: BEGIN, accepted: BEGIN + 12, isRelease: true }]);
  });

  describe('are none', () => {
    const usual = office();
    const none = (what: string, course: Course, { releases = [] as number[], first = 0, end = 8 * DAY } = {}) =>
      it(what, () => {
        for (let known = first + DAY; known <= end; known += 3) {
          expect(hoursOf(stepsOf(course, releases, first, known)), `${known}`).to.deep.equal([]);
        }
      });

    none('on days like the others', office());
    none('on the first weekend', office(), { end: 7 * DAY });
    none('on the first Monday after a weekend', office(), { first: -2 * DAY, end: 3 * DAY });
    none('after a release that changes nothing', office(), { releases: [BEGIN] });
    none(
      'where the level is back after fifteen hours',
      (hour) => usual(hour) + (hour >= BEGIN && hour < BEGIN + 15 ? 0.7 : 0),
    );
    // Up by a factor of two.
    none(
      'while memory leaks for fifteen hours',
      (hour) => usual(hour) + (hour >= BEGIN && hour < BEGIN + 15 ? (0.7 * (hour - BEGIN)) / 15 : 0),
    );
    none('while memory leaks since a release', (hour) => usual(hour) + Math.max(0, 0.06 * (hour - BEGIN)), {
      releases: [BEGIN],
      end: BEGIN + 15,
    });
    none('in bursts', (hour) => usual(hour) + (hour >= BEGIN && hour % 3 < 1 ? 1.5 : 0));
    const random = createRandom(5);
    const work = Array.from({ length: 500 }, () => (random() < 0.5 ? 1 : 0));
    none('of irregular work', (hour) => 3 + (work[Math.round(hour)] as number), { end: 9 * DAY });
  });

  it('move all that was before to the level of today, and leave out what is between', () => {
    const levels = Float64Array.from({ length: 8 }, () => 1);
    align(levels, 100, [
      { bin: 103, offset: 1, isRelease: true, acceptedBin: 127 },
      { bin: 90, offset: 5, isRelease: true, acceptedBin: 114 },
    ]);
    expect([...levels]).to.deep.equal([2, 2, Number.NaN, Number.NaN, Number.NaN, 1, 1, 1]);
  });

  it('make the levels between them known, until the workload is back', () => {
    const stepsBy = (...offsets: number[]) =>
      offsets.map((offset) => ({ bin: 0, acceptedBin: 0, isRelease: true, offset }));
    expect(knownRange([])).to.deep.equal({ lowest: 0, highest: 0 });
    expect(knownRange(stepsBy(0.75))).to.deep.equal({ lowest: -0.75, highest: 0 });
    expect(knownRange(stepsBy(-0.75))).to.deep.equal({ lowest: 0, highest: 0.75 });
    expect(knownRange(stepsBy(0.75, 0.5))).to.deep.equal({ lowest: -1.25, highest: 0 });
    // What was left is worth an alert if it comes again.
    expect(knownRange(stepsBy(0.75, -0.75))).to.deep.equal({ lowest: 0, highest: 0 });
    expect(knownRange(stepsBy(0.75, -0.75, 0.75))).to.deep.equal({ lowest: -0.75, highest: 0 });
  });

  it('know the half hours with a release', () => {
    const releases: Record<number, number> = { 3: 1, 5: 6, 7: 7, 9: 12 };
    const history = rememberDays({ 'shop/web': (hour) => ({ release: releases[hour] ?? 0 }) }, { hours: 20 });
    const bins = releasesByBin(history, 0, MONDAY, MONDAY + 8);
    expect([...bins].map(([bin, seconds]) => [(bin - MONDAY_BIN) / 2, seconds / 60 - MONDAY * 60])).to.deep.equal([
      [3, 185],
      [5, 330],
      [7.5, 455],
    ]);
  });
});
