import { expect } from 'chai';
import {
  counted,
  examples,
  formatBytes,
  formatDuration,
  formatNumber,
  formatPercent,
  formatQuantity,
  listed,
  promDuration,
} from '../../../src/lib/text/format.js';

describe('formatNumber', () => {
  for (const [value, text] of [
    [0, '0'],
    [0.0004567, '0.000457'],
    [0.00001, '1.0e-5'],
    [12.345, '12.3'],
    [999.4, '999'],
    [12_345.6, '12,346'],
    [-3.146, '-3.15'],
    [1e18, '1.0e+18'],
    [Number.NaN, 'unknown'],
  ] as const) {
    it(`writes ${value} as ${text}`, () => expect(formatNumber(value)).to.equal(text));
  }
});

describe('formatQuantity', () => {
  for (const [value, unit, text] of [
    [0, 'bytes', '0 B'],
    [512, 'bytes', '512 B'],
    [1000, 'bytes', '0.977 KiB'],
    [1000 * 2 ** 20 - 2 ** 20, 'bytes', '999 MiB'],
    [999.6 * 2 ** 20, 'bytes', '0.976 GiB'],
    [1_632_087_572, 'bytes', '1.52 GiB'],
    [-3 * 2 ** 20, 'bytes', '-3 MiB'],
    [2 ** 60, 'bytes', '1,048,576 TiB'],
    [0.9996, 'cores', '1 core'],
    [0.18, 'cores', '0.18 cores'],
    [0.0042, 'cores', '0.0042 cores'],
    [2.104, 'cores', '2.1 cores'],
    [512, '', '512'],
    [12_345.6, 'requests', '12,346 requests'],
    [0.00001, 'seconds', '1.0e-5 seconds'],
    [Number.NaN, 'cores', 'unknown'],
    [Number.POSITIVE_INFINITY, 'bytes', 'unknown'],
  ] as const) {
    it(`writes ${value} ${unit} as ${text}`, () => expect(formatQuantity(value, unit)).to.equal(text));
  }

  it('writes bytes in the same way without a unit', () => {
    expect(formatBytes(1_632_087_572)).to.equal(formatQuantity(1_632_087_572, 'bytes'));
  });
});

describe('formatDuration', () => {
  for (const [seconds, text] of [
    [0, '0 s'],
    [0.1234, '0.12 s'],
    [9.96, '10 s'],
    [60, '60 s'],
    [119, '119 s'],
    [120, '2 min'],
    [900, '15 min'],
    [7000, '117 min'],
    [7200, '2 h'],
    [7260, '2 h 1 min'],
    [12_000, '3 h 20 min'],
    [2 * 86_400, '2 d'],
    [200_000, '2 d 7 h'],
    [-90, '-90 s'],
  ] as const) {
    it(`writes ${seconds} s as ${text}`, () => expect(formatDuration(seconds)).to.equal(text));
  }
});

describe('counts, shares and lists', () => {
  it('counts', () => {
    expect([0, 1, 41_000, 1.5].map((count) => counted(count, 'pod'))).to.deep.equal([
      '0 pods',
      '1 pod',
      '41,000 pods',
      '1.5 pods',
    ]);
    expect(counted(2, 'query', 'queries')).to.equal('2 queries');
  });

  it('writes shares in percent', () => {
    expect([formatPercent(0.974), formatPercent(0.0042, 2)]).to.deep.equal(['97 %', '0.42 %']);
  });

  it('joins words, and cuts long lists', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed)).to.deep.equal(['', 'a', 'a and b', 'a, b and c']);
    expect(examples(['a', 'b', 'c'])).to.equal('a, b and c');
    expect(examples(['a', 'b', 'c', 'd', 'e'])).to.equal('a, b, c and 2 more');
  });
});

describe('promDuration', () => {
  it('writes durations as Prometheus reads them', () => {
    expect([40, 60, 61.2, 119.5, 240, 250].map(promDuration)).to.deep.equal(['40s', '1m', '62s', '2m', '4m', '5m']);
  });
});
