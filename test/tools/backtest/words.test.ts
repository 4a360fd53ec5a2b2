import { expect } from 'chai';
import { durationText, featureText, numberText, valueText } from '../../../src/tools/backtest/words.js';

describe('numbers for people', () => {
  it('have three digits', () => {
    expect([0, 0.0004567, 12.345, 999.4, 12_345.6, -3.146].map(numberText)).to.deep.equal([
      '0',
      '0.000457',
      '12.3',
      '999',
      '12,346',
      '-3.15',
    ]);
  });

  it('have units, bytes such as people read', () => {
    expect(valueText(1.5 * 2 ** 30, 'bytes')).to.equal('1.5 GiB');
    expect(valueText(0, 'bytes')).to.equal('0 B');
    expect(valueText(2 ** 60, 'bytes')).to.equal('1,048,576 TiB');
    expect(valueText(0.25, 'cores')).to.equal('0.25 cores');
  });

  it('make a statement of a feature, which says no word twice', () => {
    const reading = { actual: 5, expected: 2, deviation: -3 };
    expect(featureText({ feature: 'restarts', unit: 'restarts', ...reading })).to.equal(
      'restarts 5, usually 2 (-3 spreads)',
    );
    expect(featureText({ feature: 'cpu', unit: 'cores', ...reading, deviation: 4 })).to.equal(
      'cpu 5 cores, usually 2 cores (+4 spreads)',
    );
  });

  it('tell lengths of time', () => {
    expect([45, 89.6, 720, 5400, 12_000, 2 * 86_400, 100 * 3600].map(durationText)).to.deep.equal([
      '45 s',
      '2 min',
      '12 min',
      '1 h 30 min',
      '3 h 20 min',
      '2 d',
      '4 d 4 h',
    ]);
  });
});
