import { expect } from 'chai';
import { BINS_PER_HOUR, HISTORY_STEP_SECONDS, HOUR_SECONDS } from '../../../src/exporter/history/grid.js';
import {
  BIN_FIELDS,
  type HourSummary,
  SIBLING_FIELDS,
  summariseHour,
} from '../../../src/exporter/history/hour-summary.js';
import { levelOf } from '../../../src/exporter/history/level.js';
import { feature, featureTable } from '../../support/tables.js';

const GAUGE = feature('load', { spreadFloor: 0.5 });
const COUNTER = feature('restarts', { type: 'counter' });
const HOUR = 100;
/** The hour before and the hour itself, with both ends. */
const INSTANTS = 25;
const GRID = { startSeconds: (HOUR - 1) * HOUR_SECONDS, stepSeconds: HISTORY_STEP_SECONDS };
const { NaN: gap } = Number;

const course = (valueAt: (instant: number) => number) => Array.from({ length: INSTANTS }, (_, at) => valueAt(at));

/** Pods of `shop/cart`, each with the course of its load. */
const summaryOf = (...loads: readonly (readonly number[])[]): HourSummary => {
  const pods = loads.map((rows, index) => ({
    pod: `cart-${index}`,
    namespace: 'shop',
    workload: 'cart',
    rows: rows.map((value) => [value]),
  }));
  return summariseHour(featureTable([GAUGE], pods, GRID), [GAUGE], HOUR);
};

const level = (value: number) => Math.fround(levelOf(GAUGE, value));
const fieldsOf = (summary: HourSummary, half: number) =>
  Object.fromEntries(BIN_FIELDS.map((name, field) => [name, summary.bins[half * BIN_FIELDS.length + field]]));
const siblingsOf = (summary: HourSummary) =>
  Object.fromEntries(SIBLING_FIELDS.map((name, field) => [name, summary.siblings[field]]));

describe('summary of an hour', () => {
  it('has the median and the extremes that last, by half hours', () => {
    // Instants 13 to 18 are the first half hour, 19 to 24 the second.
    const summary = summaryOf(course((at) => (at === 15 ? 100 : at === 20 || at === 21 ? 8 : 2)));
    expect(fieldsOf(summary, 0)).to.deep.equal({
      level: level(2),
      high: level(2),
      low: level(2),
      highLong: level(2),
      lowLong: level(2),
    });
    // Two instants five minutes apart are what lasts for a short time.
    expect(fieldsOf(summary, 1)).to.include({ level: level(2), high: level(8), low: level(2), highLong: level(2) });
  });

  it('does not mind what came before and after its instants', () => {
    const quiet = summaryOf(course(() => 2));
    const before = summaryOf(course((at) => (at < 1 ? 50 : 2)));
    expect(before).to.deep.equal(quiet);
    const pods = [
      { pod: 'cart-0', namespace: 'shop', workload: 'cart', rows: course(() => 2).map((value) => [value]) },
    ];
    const longer = featureTable(
      [GAUGE],
      [{ ...(pods[0] as (typeof pods)[0]), rows: [[9], ...course(() => 2).map((v) => [v]), [9]] }],
      {
        ...GRID,
        startSeconds: GRID.startSeconds - HISTORY_STEP_SECONDS,
      },
    );
    expect(summariseHour(longer, [GAUGE], HOUR)).to.deep.equal(quiet);
  });

  it('sees in the first minutes what has lasted since the hour before', () => {
    const summary = summaryOf(course((at) => (at === 12 || at === 13 ? 8 : 2)));
    expect(fieldsOf(summary, 0).high).to.equal(level(8));
    const ended = summaryOf(course((at) => (at === 11 || at === 12 ? 8 : 2)));
    expect(fieldsOf(ended, 0).high).to.equal(level(2));
  });

  it('takes the extremes of any pod, and the median of all', () => {
    const summary = summaryOf(
      course(() => 1),
      course(() => 2),
      course(() => 9),
    );
    expect(fieldsOf(summary, 1)).to.deep.equal({
      level: level(2),
      high: level(9),
      low: level(1),
      highLong: level(9),
      lowLong: level(1),
    });
    expect(siblingsOf(summary).siblingsUp).to.be.closeTo(level(9) - level(2), 1e-6);
    expect(siblingsOf(summary).siblingsDown).to.be.closeTo(level(2) - level(1), 1e-6);
    expect(siblingsOf(summary).siblingsLongUp).to.be.closeTo(level(9) - level(2), 1e-6);
  });

  it('compares with siblings where there are three pods', () => {
    const summary = summaryOf(
      course(() => 1),
      course(() => 2),
    );
    expect([...summary.siblings]).to.deep.equal(new Array(SIBLING_FIELDS.length).fill(gap));
  });

  it('does not know the half hours without a value', () => {
    const summary = summaryOf(course((at) => (at >= 19 ? 2 : gap)));
    expect(Object.values(fieldsOf(summary, 0))).to.deep.equal(new Array(BIN_FIELDS.length).fill(gap));
    expect(fieldsOf(summary, 1)).to.include({ level: level(2), high: level(2) });
    expect(fieldsOf(summary, 1).highLong).to.deep.equal(gap);
  });

  it('has only the workloads with pods in the hour, each by namespace and name', () => {
    const rows = (valueAt: (at: number) => number) => course(valueAt).map((value) => [value]);
    const pods = [
      { pod: 'a-0', namespace: 'one', workload: 'app', rows: rows(() => 1) },
      { pod: 'a-1', namespace: 'one', workload: 'app', rows: rows(() => 1) },
      { pod: 'a-0', namespace: 'two', workload: 'app', rows: rows(() => 1) },
      { pod: 'b-0', namespace: 'two', workload: 'gone', rows: rows((at) => (at <= 12 ? 1 : gap)) },
    ];
    const summary = summariseHour(featureTable([GAUGE], pods, GRID), [GAUGE], HOUR);
    expect(summary).to.deep.include({ hour: HOUR, pods: 3, workloads: ['one/app', 'two/app'], gauges: ['load'] });
    expect(summary.bins).to.have.lengthOf(2 * BINS_PER_HOUR * BIN_FIELDS.length);
    const nothing = summariseHour(featureTable([GAUGE], pods.slice(3), GRID), [GAUGE], HOUR);
    expect(nothing).to.deep.include({ pods: 0, workloads: [] });
  });

  it('has the release of a workload, also where the old pods were gone when the hour began', () => {
    const releaseOf = (lastOld: number, firstNew: number) => {
      const pods = ['bcdf2456', 'xwvz9876'].flatMap((template, revision) =>
        [4, 5].map((replica) => ({
          pod: `cart-${template}-x2x${replica}b`,
          namespace: 'shop',
          workload: 'cart',
          rows: course((instant) => ((revision === 0 ? instant <= lastOld : instant >= firstNew) ? 2 : gap)).map(
            (value) => [value],
          ),
        })),
      );
      return summariseHour(featureTable([GAUGE], pods, GRID), [GAUGE], HOUR).releases[0];
    };
    expect(releaseOf(INSTANTS, INSTANTS)).to.equal(0);
    expect(releaseOf(18, 16)).to.equal(7);
    expect(releaseOf(12, 13)).to.equal(1);
    expect(releaseOf(24, 24)).to.equal(0);
    expect(releaseOf(23, 24)).to.equal(12);
    // It was in the hour before.
    expect(releaseOf(11, 12)).to.equal(0);
  });

  it('sums the rises of a counter over an hour; a fall is none', () => {
    const rises = (valueAt: (at: number) => number) => {
      const rows = course(valueAt).map((value) => [1, value]);
      const table = featureTable([GAUGE, COUNTER], [{ pod: 'a', rows }], GRID);
      return summariseHour(table, [GAUGE, COUNTER], HOUR).rises[0];
    };
    expect(rises(() => 7)).to.equal(0);
    expect(rises((at) => (at < 14 ? 7 : at < 20 ? 9 : 10))).to.equal(3);
    expect(rises((at) => (at < 14 ? 7 : at < 20 ? 0 : 2))).to.equal(2);
    // Each within an hour of some instant of the hour, and not both of the same.
    expect(rises((at) => (at < 4 ? 0 : at < 22 ? 2 : 5))).to.equal(3);
    // As in the scoring: a correction is no new beginning, and what is missing hides no rise.
    expect(rises((at) => (at % 3 === 2 ? 6 : 7))).to.equal(0);
    expect(rises((at) => (at < 14 ? 7 : at < 17 ? Number.NaN : 9))).to.equal(2);
  });
});
