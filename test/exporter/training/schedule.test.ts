import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type Schedule, startSchedule } from '../../../src/exporter/training/schedule.js';
import { recordingLogger } from '../../support/recording-logger.js';
import { eventually } from '../../support/waiting.js';

const EVERY_SECOND = '* * * * * *';

describe('training schedule', () => {
  let schedule: Schedule | undefined;

  const start = (expression: string, timezone: string, work: () => Promise<unknown> = async () => {}) => {
    const logger = recordingLogger();
    schedule = startSchedule(expression, timezone, work, logger);
    return { schedule, logger };
  };

  afterEach(() => schedule?.stop());

  it('calls the work whenever the expression says, with seconds as the first of six fields', async () => {
    let runs = 0;
    start(EVERY_SECOND, 'UTC', async () => {
      runs++;
    });
    await eventually(() => expect(runs).to.be.at.least(2));
  });

  it('calls nothing any more once it is stopped', async () => {
    let runs = 0;
    const { schedule } = start(EVERY_SECOND, 'UTC', async () => {
      runs++;
    });
    await eventually(() => expect(runs).to.be.at.least(1));
    schedule.stop();
    const runsThen = runs;
    await sleep(2_100);
    expect(runs).to.equal(runsThen);
  });

  it('does not call the work again before it has ended, and logs that', async () => {
    let runs = 0;
    const { logger } = start(EVERY_SECOND, 'UTC', async () => {
      runs++;
      await new Promise(() => {});
    });
    await eventually(() => expect(logger.lines.map(({ level }) => level)).to.include('warn'));
    expect(runs).to.equal(1);
  });

  for (const [expression, seconds] of [
    [EVERY_SECOND, 1],
    ['*/10 * * * * *', 10],
    ['* * * * *', 60],
    ['*/15 * * * *', 900],
    ['30 * * * *', 3600],
    ['17 3 * * *', 24 * 3600],
  ] as const) {
    it(`tells that ${expression} is due every ${seconds} s`, () => {
      expect(start(expression, 'UTC').schedule.intervalSeconds()).to.equal(seconds);
    });
  }

  for (const [expression, seconds] of [
    ['0,50 * * * *', 50 * 60],
    ['*/25 * * * *', 25 * 60],
    ['0 8,9 * * *', 23 * 3600],
  ] as const) {
    it(`tells the longest interval of ${expression}, whenever it is asked`, () => {
      expect(start(expression, 'UTC').schedule.intervalSeconds()).to.equal(seconds);
    });
  }

  it('tells the interval of a day that exists in leap years only', () => {
    const seconds = start('0 4 29 2 *', 'UTC').schedule.intervalSeconds();
    expect(seconds).to.equal((4 * 365 + 1) * 24 * 3600);
  });

  for (const timezone of ['UTC', 'Asia/Tokyo', 'America/New_York', 'Asia/Kathmandu']) {
    it(`tells when the work is due next by the clock of ${timezone}`, () => {
      const { schedule } = start('17 3 * * *', timezone);
      const next = schedule.nextRun();
      if (next === null) throw new Error('Expected a next run.');
      const format = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, timeStyle: 'medium' });
      expect(format.format(next)).to.equal('03:17:00');
      const wait = next.getTime() - Date.now();
      // A day with a change to winter time has 25 hours.
      expect(wait).to.be.within(0, 25 * 3600 * 1000);
    });
  }
});
