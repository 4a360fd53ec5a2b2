import { expect } from 'chai';
import * as cron from 'node-cron';
import { RunTimes } from '../../../src/exporter/training/run-times.js';
import { runsBetween } from '../../../src/exporter/training/schedule.js';

const at = (text: string) => Date.parse(text) / 1000;
const textOf = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/(?::00)?\.000Z/, 'Z');
const runs = (expression: string, zone: string, from: string, until: string) =>
  runsBetween(expression, zone, at(from), at(until)).map(textOf);

const BERLIN = 'Europe/Berlin';
const LORD_HOWE = 'Australia/Lord_Howe';
const APIA = 'Pacific/Apia';

describe('a schedule where clocks change', () => {
  for (const [zone, from, until] of [
    [BERLIN, '2026-10-24T12:00Z', '2026-10-25T12:00Z'],
    [BERLIN, '2026-03-28T12:00Z', '2026-03-29T12:00Z'],
    [LORD_HOWE, '2026-04-04T03:00Z', '2026-04-05T03:00Z'],
    [LORD_HOWE, '2026-10-03T03:00Z', '2026-10-04T03:00Z'],
    // These change at midnight.
    ['America/Havana', '2026-11-01T00:00Z', '2026-11-02T00:00Z'],
    ['Africa/Cairo', '2026-04-23T12:00Z', '2026-04-24T12:00Z'],
    ['Atlantic/Azores', '2026-10-25T00:00Z', '2026-10-26T00:00Z'],
    ['Africa/Casablanca', '2026-02-14T12:00Z', '2026-02-15T12:00Z'],
    [APIA, '2011-12-30T00:00Z', '2011-12-30T20:00Z'],
    ['Antarctica/Troll', '2026-03-29T00:00Z', '2026-03-29T12:00Z'],
    ['Antarctica/Troll', '2026-10-25T00:00Z', '2026-10-25T12:00Z'],
  ] as const) {
    for (const [expression, seconds] of [
      ['* * * * *', 60],
      ['*/5 * * * *', 300],
      ['*/15 * * * *', 900],
      ['7-59/30 * * * *', 1800],
      ['*/30 * * * * *', 30],
    ] as const) {
      it(`is due every ${seconds} s with ${expression} in ${zone} after ${from}`, () => {
        const times = runsBetween(expression, zone, at(from), at(until));
        const distances = new Set(times.slice(1).map((time, index) => time - (times[index] as number)));
        expect([...distances]).to.deep.equal([seconds]);
      });
    }
  }

  it('is due each hour with a full hour of change', () => {
    const hourly = runs('0 * * * *', BERLIN, '2026-10-24T22:00Z', '2026-10-25T03:00Z');
    expect(hourly.map((time) => time.slice(11, 16))).to.deep.equal([
      '22:00',
      '23:00',
      '00:00',
      '01:00',
      '02:00',
      '03:00',
    ]);
  });

  for (const [what, expression, zone, from, until, expected] of [
    [
      'a time that comes twice, the first time',
      '30 2 * * *',
      BERLIN,
      '2026-10-24T00:00Z',
      '2026-10-26T23:00Z',
      ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
    ],
    [
      'a time that is missing, when it would have been',
      '30 2 * * *',
      BERLIN,
      '2026-03-28T00:00Z',
      '2026-03-30T23:00Z',
      ['2026-03-28T01:30Z', '2026-03-29T01:30Z', '2026-03-30T00:30Z'],
    ],
    [
      'both edges of what comes twice',
      '0 2,14 * * *',
      BERLIN,
      '2026-10-24T23:30Z',
      '2026-10-25T23:00Z',
      ['2026-10-25T00:00Z', '2026-10-25T13:00Z'],
    ],
    [
      'the end of what comes twice',
      '0 3 * * *',
      BERLIN,
      '2026-10-25T00:00Z',
      '2026-10-25T12:00Z',
      ['2026-10-25T02:00Z'],
    ],
    [
      'the end of what is missing',
      '0 3 * * *',
      BERLIN,
      '2026-03-29T00:00Z',
      '2026-03-29T12:00Z',
      ['2026-03-29T01:00Z'],
    ],
    [
      'several times within what comes twice',
      '0,20,40 2 * * *',
      BERLIN,
      '2026-10-24T23:00Z',
      '2026-10-25T12:00Z',
      ['2026-10-25T00:00Z', '2026-10-25T00:20Z', '2026-10-25T00:40Z'],
    ],
    [
      'several times within what is missing',
      '0,20,40 2 * * *',
      BERLIN,
      '2026-03-28T23:00Z',
      '2026-03-29T12:00Z',
      ['2026-03-29T01:00Z', '2026-03-29T01:20Z', '2026-03-29T01:40Z'],
    ],
    [
      'half an hour that comes twice',
      '45 1 * * *',
      LORD_HOWE,
      '2026-04-04T00:00Z',
      '2026-04-05T12:00Z',
      ['2026-04-04T14:45Z'],
    ],
    [
      'half an hour that is missing',
      '15 2 * * *',
      LORD_HOWE,
      '2026-10-03T00:00Z',
      '2026-10-04T12:00Z',
      ['2026-10-03T15:45Z'],
    ],
    [
      'a day that is missing, each day of the others',
      '0 12 * * *',
      APIA,
      '2011-12-28T00:00Z',
      '2012-01-01T12:00Z',
      ['2011-12-28T22:00Z', '2011-12-29T22:00Z', '2011-12-30T22:00Z', '2011-12-31T22:00Z'],
    ],
    [
      'a day that is missing, if it is due on that day alone',
      '0 12 30 * *',
      APIA,
      '2011-12-01T00:00Z',
      '2012-01-29T00:00Z',
      ['2011-12-30T22:00Z'],
    ],
    [
      'midnight that is missing',
      '0 0 * * *',
      'Africa/Cairo',
      '2026-04-22T12:00Z',
      '2026-04-25T12:00Z',
      ['2026-04-22T22:00Z', '2026-04-23T22:00Z', '2026-04-24T21:00Z'],
    ],
    [
      'midnight that comes twice',
      '0 0 * * *',
      'America/Havana',
      '2026-10-31T00:00Z',
      '2026-11-02T12:00Z',
      ['2026-10-31T04:00Z', '2026-11-01T04:00Z', '2026-11-02T05:00Z'],
    ],
    [
      'a weekday of the change alone',
      '30 2 * * 0L',
      BERLIN,
      '2026-09-28T00:00Z',
      '2026-11-01T00:00Z',
      ['2026-10-25T00:30Z'],
    ],
  ] as const) {
    it(`is due once at ${what} (${expression})`, () => {
      expect(runs(expression, zone, from, until)).to.deep.equal([...expected]);
    });
  }

  it('gives the same runs from whatever time it is asked', () => {
    for (const [expression, zone, from, until] of [
      ['*/20 * * * *', BERLIN, '2026-10-24T20:00Z', '2026-10-25T06:00Z'],
      ['30 2 * * *', BERLIN, '2026-10-24T20:00Z', '2026-10-25T06:00Z'],
      ['30 2 * * *', BERLIN, '2026-03-28T20:00Z', '2026-03-29T06:00Z'],
      ['0 12 30 * *', APIA, '2011-12-28T00:00Z', '2012-01-01T00:00Z'],
    ] as const) {
      const all = runsBetween(expression, zone, at(from), at(until));
      const times = new RunTimes(expression, zone);
      for (let time = at(from); time < (all.at(-1) as number); time += 297.5) {
        expect(times.after(time)).to.equal(all.find((run) => run > time));
      }
    }
  });
});

describe('a schedule', () => {
  it('is due as the package says, where no clock changes', () => {
    const from = at('2026-01-01T00:00Z');
    for (const expression of [
      '17 3 * * *',
      '0 0 L * *',
      '0 12 15W * *',
      '0 0 * * 5#3',
      '0 6 * feb,7 mon-fri',
      '59,1,30 5,3 1,28-31 * *',
      '0 0 13 * fri',
    ]) {
      const task = cron.createTask(expression, () => undefined, { timezone: 'UTC' });
      const expected: number[] = [];
      for (let time = from; time < from + 100 * 86_400; time += 60) {
        // The minutes of all these expressions are known, and asking takes long.
        if (![0, 1, 17, 30, 59].includes((time / 60) % 60)) continue;
        if (task.match(new Date(time * 1000))) expected.push(time);
      }
      void task.destroy();
      expect(expected, expression).not.to.equal([]);
      expect(runsBetween(expression, 'UTC', from, from + 100 * 86_400 - 1), expression).to.deep.equal(expected);
    }
  });

  it('is due on 29 February, years later', () => {
    const times = new RunTimes('0 4 29 2 *', BERLIN);
    expect(textOf(times.after(at('2026-10-25T00:30Z')) as number)).to.equal('2028-02-29T03:00Z');
  });

  it('is never due on a weekday near 31 February', () => {
    expect(new RunTimes('0 4 31W 2 *', BERLIN).after(at('2026-10-25T00:30Z'))).to.equal(undefined);
  });
});
