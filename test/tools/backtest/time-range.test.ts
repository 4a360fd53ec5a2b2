import { expect } from 'chai';
import { UsageError } from '../../../src/lib/usage-error.js';
import { formatInstant, parseDuration, parseInstant } from '../../../src/tools/backtest/time-range.js';

const NOW = Date.parse('2026-05-15T12:00:30Z') / 1000;
const DAY = 86_400;

describe('instants on the command line', () => {
  for (const [text, expected] of [
    ['now', NOW],
    ['-14d', NOW - 14 * DAY],
    ['now-90m', NOW - 90 * 60],
    ['-1h30m', NOW - 5400],
    ['1777593600', 1_777_593_600],
    ['1777593600.5', 1_777_593_600.5],
    ['2026-05-01T00:00:00Z', 1_777_593_600],
    ['2026-05-01T02:00:00+02:00', 1_777_593_600],
    [' 2026-05-01 00:00:00.000Z ', 1_777_593_600],
  ] as const) {
    it(`are read: ${text}`, () => expect(parseInstant('--start', text, NOW)).to.equal(expected));
  }

  for (const text of [
    '',
    'yesterday',
    '14d',
    '-14',
    '-d',
    '2026-05-01',
    '2026-05-01T00:00:00',
    '2026-13-01T00:00:00Z',
  ]) {
    it(`are refused with examples: "${text}"`, () => {
      expect(() => parseInstant('--start', text, NOW)).to.throw(UsageError, /^--start: .*-14d/);
    });
  }

  it('are written as they are read', () => {
    expect(formatInstant(1_777_593_600)).to.equal('2026-05-01T00:00:00Z');
  });
});

describe('lengths of time on the command line', () => {
  it('are read', () => {
    expect(parseDuration('--for', '5m')).to.equal(300);
    expect(parseDuration('--for', '1h30m')).to.equal(5400);
    expect(parseDuration('--for', '90s')).to.equal(90);
  });

  for (const text of ['', '5', 'm', '0m', '-5m']) {
    it(`are refused with examples: "${text}"`, () => {
      expect(() => parseDuration('--for', text)).to.throw(UsageError, 'Examples: 5m');
    });
  }
});
