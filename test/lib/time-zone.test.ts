import { expect } from 'chai';
import { TimeZone } from '../../src/lib/time-zone.js';

const at = (text: string) => Date.parse(text) / 1000;

describe('a time zone', () => {
  for (const [name, time, offset] of [
    ['UTC', '2026-07-01T00:00:00Z', 0],
    ['Europe/Berlin', '2026-07-01T00:00:00Z', 7200],
    ['Europe/Berlin', '2026-12-01T23:59:59Z', 3600],
    ['Asia/Kathmandu', '2026-12-31T23:00:00Z', 20_700],
    ['America/St_Johns', '2026-01-01T00:00:00Z', -12_600],
    // Local mean time, whose seconds count.
    ['Africa/Monrovia', '1960-01-01T00:00:00Z', -2670],
  ] as const) {
    it(`is ${offset} s ahead of UTC in ${name} at ${time}`, () => {
      expect(new TimeZone(name).offsetSeconds(at(time))).to.equal(offset);
    });
  }

  for (const [name, when, before, after] of [
    ['Europe/Berlin', '2026-03-29T01:00:00Z', 3600, 7200],
    ['Europe/Berlin', '2026-10-25T01:00:00Z', 7200, 3600],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', 39_600, 37_800],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', -36_000, 50_400],
    ['Africa/Monrovia', '1972-01-07T00:44:30Z', -2670, 0],
  ] as const) {
    it(`finds the change of ${name} at ${when}, to the second`, () => {
      const zone = new TimeZone(name);
      const change = { atSeconds: at(when), before, after };
      for (const hours of [1, 5, 6, 7, 40]) {
        expect(zone.firstChange(at(when) - hours * 3600, at(when) + hours * 3600)).to.deep.equal(change);
      }
      expect(zone.firstChange(at(when) - 1, at(when))).to.deep.equal(change);
      expect(zone.firstChange(at(when), at(when) + 86_400)).to.equal(undefined);
      expect(zone.firstChange(at(when) - 86_400, at(when) - 1)).to.equal(undefined);
    });
  }

  it('has a name that this machine knows', () => {
    expect(() => new TimeZone('Berlin')).to.throw(RangeError);
  });
});
