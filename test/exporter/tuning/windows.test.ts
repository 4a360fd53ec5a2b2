import { expect } from 'chai';
import {
  closingOf,
  type MuteWindow,
  MuteWindowSpec,
  secondsOf,
  WINDOW_KEYS,
} from '../../../src/exporter/tuning/windows.js';

const at = (text: string) => Date.parse(text) / 1000;
const window = (spec: object): MuteWindow => MuteWindowSpec.parse(spec);

/** When it closes, `closed` or `never`. */
function closing(spec: object, time: string): string {
  const seconds = closingOf(window(spec), at(time));
  if (seconds === at(time)) return 'closed';
  return seconds === Infinity ? 'never' : new Date(seconds * 1000).toISOString().replace(':00.000Z', 'Z');
}

describe('a window', () => {
  it('without a limit is always open', () => {
    expect(closing({}, '2026-11-29T12:00:00Z')).to.equal('never');
    expect(closing({ location: 'Europe/Berlin' }, '2026-11-29T12:00:00Z')).to.equal('never');
  });

  it('opens once, with the beginning and without the end', () => {
    const once = { from: '2026-11-29T22:00:00Z', until: '2026-11-30T03:00:00+01:00' };
    expect(closing(once, '2026-11-29T21:59:59Z')).to.equal('closed');
    expect(closing(once, '2026-11-29T22:00:00Z')).to.equal('2026-11-30T02:00Z');
    expect(closing(once, '2026-11-30T02:00:00Z')).to.equal('closed');
    expect(closing({ until: at('2026-11-30T02:00:00Z') }, '2026-01-01T00:00:00Z')).to.equal('2026-11-30T02:00Z');
    expect(closing({ from: '2026-11-29T22:00:00Z' }, '2027-01-01T00:00:00Z')).to.equal('never');
  });

  it('opens at times of the day in its zone, in summer and in winter', () => {
    const night = { times: [{ start_time: '22:00', end_time: '24:00' }], location: 'Europe/Berlin' };
    expect(closing(night, '2026-11-29T20:59:00Z')).to.equal('closed');
    expect(closing(night, '2026-11-29T21:30:20Z')).to.equal('2026-11-29T23:00Z');
    expect(closing(night, '2026-07-29T20:00:00Z')).to.equal('2026-07-29T22:00Z');
    expect(closing(night, '2026-07-29T22:00:00Z')).to.equal('closed');
  });

  it('closes by the clock on the wall on a day on which it changes', () => {
    const until = (end: string) => ({ times: [{ start_time: '00:00', end_time: end }], location: 'Europe/Berlin' });
    // One hour longer in autumn, one shorter in spring.
    expect(closing(until('06:00'), '2026-10-24T22:00:00Z')).to.equal('2026-10-25T05:00Z');
    expect(closing(until('06:00'), '2026-03-28T23:00:00Z')).to.equal('2026-03-29T04:00Z');
    // 2:30 comes twice: closed for half an hour, and open again.
    expect(closing(until('02:30'), '2026-10-24T23:00:00Z')).to.equal('2026-10-25T00:30Z');
    expect(closing(until('02:30'), '2026-10-25T00:45:00Z')).to.equal('closed');
    expect(closing(until('02:30'), '2026-10-25T01:00:00Z')).to.equal('2026-10-25T01:30Z');
    // 2:30 never comes.
    expect(closing(until('02:30'), '2026-03-29T00:00:00Z')).to.equal('2026-03-29T01:00Z');
    const days = (spec: object, location: string) => ({ ...spec, location });
    expect(closing(days({ weekdays: ['sunday'] }, 'Europe/Berlin'), '2026-10-25T00:00:00Z')).to.equal(
      '2026-10-25T23:00Z',
    );
    expect(closing(days({ weekdays: ['sunday'] }, 'Australia/Lord_Howe'), '2026-04-04T14:00:00Z')).to.equal(
      '2026-04-05T13:30Z',
    );
    // 30 December 2011 is missing.
    expect(closing(days({ days_of_month: ['29:30'] }, 'Pacific/Apia'), '2011-12-29T12:00:00Z')).to.equal(
      '2011-12-30T10:00Z',
    );
  });

  it('lasts over midnight where the next part begins', () => {
    const night = {
      times: [
        { start_time: '22:00', end_time: '24:00' },
        { start_time: '00:00', end_time: '06:00' },
      ],
    };
    expect(closing(night, '2026-11-29T23:00:00Z')).to.equal('2026-11-30T06:00Z');
  });

  it('opens on weekdays, from Saturday to Sunday too', () => {
    // 2026-11-29 is a Sunday.
    const weekend = { weekdays: ['saturday:sunday'] };
    expect(closing(weekend, '2026-11-27T23:59:00Z')).to.equal('closed');
    expect(closing(weekend, '2026-11-28T00:00:00Z')).to.equal('2026-11-30T00:00Z');
    expect(closing(weekend, '2026-11-30T00:00:00Z')).to.equal('closed');
    expect(closing({ weekdays: ['monday:wednesday', 'Sunday'] }, '2026-11-29T12:00:00Z')).to.equal('2026-12-03T00:00Z');
    expect(closing({ weekdays: ['friday'] }, '2026-11-29T12:00:00Z')).to.equal('closed');
    expect(closing({ weekdays: ['monday:sunday'] }, '2026-11-29T12:00:00Z')).to.equal('never');
  });

  it('opens on days of the month, counted from its end as well, in months and in years', () => {
    const lastDays = { days_of_month: ['-2:-1'] };
    expect(closing(lastDays, '2026-02-26T12:00:00Z')).to.equal('closed');
    expect(closing(lastDays, '2026-02-27T12:00:00Z')).to.equal('2026-03-01T00:00Z');
    expect(closing({ days_of_month: [1, '3:5'] }, '2026-11-04T00:00:00Z')).to.equal('2026-11-06T00:00Z');
    expect(closing({ days_of_month: ['31:-1'] }, '2026-02-28T00:00:00Z')).to.equal('closed');
    expect(closing({ months: ['december:january'], days_of_month: ['31'] }, '2026-12-31T00:00:00Z')).to.equal(
      '2027-01-01T00:00Z',
    );
    expect(closing({ months: ['2:11'] }, '2026-12-01T00:00:00Z')).to.equal('closed');
    expect(closing({ years: ['2027'] }, '2026-12-31T23:59:00Z')).to.equal('closed');
    expect(closing({ years: [2026], until: '2027-06-01T00:00:00Z' }, '2026-12-31T23:59:00Z')).to.equal(
      '2027-01-01T00:00Z',
    );
  });

  it('of many pieces is not followed to its end, which would keep the process busy', () => {
    const clock = (minute: number) =>
      [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
    // It closes before midnight, after more pieces than are looked at.
    const times = Array.from({ length: 1439 }, (_, minute) => ({
      start_time: clock(minute),
      end_time: clock(minute + 1),
    }));
    const everyMinute = MuteWindowSpec.parse({ times });
    expect(closingOf(everyMinute, 1_796_000_000)).to.equal(Infinity);
  });

  it('answers for the time that is asked for, and not for the one before', () => {
    const lasting = window({ until: '2026-11-30T02:00:00Z' });
    const [before, after] = [at('2026-11-30T01:00:00Z'), at('2026-11-30T03:00:00Z')];
    expect([before, before, after].map((time) => closingOf(lasting, time))).to.deep.equal([
      at('2026-11-30T02:00:00Z'),
      at('2026-11-30T02:00:00Z'),
      after,
    ]);
  });

  const invalid: readonly (readonly [key: string, spec: object])[] = [
    ['weekdays', { weekdays: ['caturday'] }],
    ['weekdays', { weekdays: [] }],
    ['weekdays', { weekdays: ['monday:tuesday:friday'] }],
    ['times', { times: [{ start_time: '24:00', end_time: '06:00' }] }],
    ['times', { times: [{ start_time: '9:00', end_time: '10:00' }] }],
    ['times', { times: [{ start_time: '09:00' }] }],
    ['times', { times: [{ start_time: '09:00', end_time: '24:01' }] }],
    ['days_of_month', { days_of_month: [0] }],
    ['days_of_month', { days_of_month: ['9:1'] }],
    ['months', { months: ['13'] }],
    ['years', { years: ['2027:2026'] }],
    ['location', { location: 'Berlin' }],
    ['from', { from: '2026-11-29T22:00:00' }],
    ['until', { until: 'tomorrow' }],
    ['until', { from: '2026-11-29T22:00:00Z', until: '2026-11-29T22:00:00Z' }],
  ];
  for (const [key, spec] of invalid) {
    it(`is invalid at its key: ${JSON.stringify(spec)}`, () => {
      const keys = MuteWindowSpec.safeParse(spec).error?.issues.map(({ path }) => path[0]);
      expect(keys).to.deep.equal([key]);
      expect(WINDOW_KEYS).to.have.property(key);
    });
  }

  it('has no other keys', () => {
    expect(MuteWindowSpec.safeParse({ weekday: ['monday'] }).success).to.equal(false);
  });
});

describe('a time', () => {
  it('has a zone, or is a number of seconds', () => {
    const noon = at('2026-11-29T12:00:00Z');
    for (const text of [
      '2026-11-29T12:00:00Z',
      '2026-11-29t12:00:00z',
      '2026-11-29T13:00+01:00',
      '2026-11-29 12:00:00.000Z',
    ]) {
      expect(secondsOf(text), text).to.equal(noon);
    }
    expect(secondsOf(String(noon))).to.equal(noon);
    for (const text of [
      '',
      '2026-11-29',
      '2026-11-29T12:00:00',
      '2026-13-29T12:00:00Z',
      '2026-02-29T12:00:00Z',
      '17',
      '1796000000000',
      '-1796000000',
    ]) {
      expect(secondsOf(text), text).to.equal(undefined);
    }
  });
});
