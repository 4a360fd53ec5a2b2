import { expect } from 'chai';
import { Backoff } from '../../../src/exporter/training/backoff.js';

describe('backoff', () => {
  it('waits twice as long each time, up to a minute, and begins with a second again after a success', () => {
    const backoff = new Backoff();
    expect(Array.from({ length: 8 }, () => backoff.next())).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60]);
    backoff.reset();
    expect(backoff.next()).to.equal(1);
  });

  it('waits as long as Prometheus asks for, up to a quarter of an hour, and never less than it would', () => {
    const backoff = new Backoff();
    expect([7, 0.5, 86_400].map((asked) => backoff.next(asked))).to.deep.equal([7, 2, 900]);
  });
});
