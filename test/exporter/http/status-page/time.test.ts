import { expect } from 'chai';
import { relativeTime, timeElement } from '../../../../src/exporter/http/status-page/time.js';

describe('relativeTime', () => {
  for (const [ago, words] of [
    [0.4, '0 s ago'],
    [1, '1 s ago'],
    [119, '119 s ago'],
    [120, '2 min ago'],
    [7200, '2 h ago'],
    [200000, '2 d 7 h ago'],
    [-300, 'in 5 min'],
  ] as const) {
    it(`says ${words}`, () => expect(relativeTime(1000, 1000 + ago)).to.equal(words));
  }
});

describe('timeElement', () => {
  it('has words for people and ISO 8601 for programs', () => {
    expect(timeElement('2026-01-01T00:00:00.123Z', Date.parse('2026-01-01T00:04:01Z') / 1000).markup).to.equal(
      '<time datetime="2026-01-01T00:00:00Z">4 min ago <small>2026-01-01T00:00:00Z</small></time>',
    );
  });

  it('leaves a text that is no time as it is', () => {
    expect(timeElement('<soon>', 0).markup).to.equal('&#60;soon&#62;');
  });
});
