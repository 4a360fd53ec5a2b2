import { expect } from 'chai';
import { quantity, relativeTime, timeElement } from '../../../../src/exporter/http/status-page/quantity.js';

describe('quantity', () => {
  for (const [value, unit, text] of [
    [0, 'bytes', '0 bytes'],
    [512, 'bytes', '512 bytes'],
    [1000 * 2 ** 20 - 2 ** 20, 'bytes', '999 MiB'],
    [999.6 * 2 ** 20, 'bytes', '0.976 GiB'],
    [0.9996, 'cores', '1 core'],
    [1.52 * 2 ** 30, 'bytes', '1.52 GiB'],
    [-3 * 2 ** 20, 'bytes', '-3 MiB'],
    [0.18, 'cores', '180 millicores'],
    [0.0042, 'cores', '4.2 millicores'],
    [2.104, 'cores', '2.1 cores'],
    [512, '', '512'],
    [12345.6, 'requests', '12,346 requests'],
    [0.00001, 'seconds', '1.0e-5 seconds'],
    [Number.NaN, 'cores', 'unknown'],
    [Number.POSITIVE_INFINITY, 'bytes', 'unknown'],
  ] as const) {
    it(`says ${text}`, () => expect(quantity(value, unit)).to.equal(text));
  }
});

describe('relativeTime', () => {
  for (const [ago, words] of [
    [0.4, '0 seconds ago'],
    [1, '1 second ago'],
    [119, '119 seconds ago'],
    [120, '2 minutes ago'],
    [7200, '2 hours ago'],
    [200000, '2 days ago'],
    [-300, 'in 5 minutes'],
  ] as const) {
    it(`says ${words}`, () => expect(relativeTime(1000, 1000 + ago)).to.equal(words));
  }
});

describe('timeElement', () => {
  it('has words for people and ISO 8601 for programs', () => {
    expect(
      timeElement('2026-01-01T00:00:00.123Z', Date.parse('2026-01-01T00:04:01Z') / 1000).markup,
    ).to.equal(
      '<time datetime="2026-01-01T00:00:00Z">4 minutes ago <small>2026-01-01T00:00:00Z</small></time>',
    );
  });

  it('leaves a text that is no time as it is', () => {
    expect(timeElement('<soon>', 0).markup).to.equal('&#60;soon&#62;');
  });
});
