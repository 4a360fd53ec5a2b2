import { expect } from 'chai';
import { TokenBucket } from '../../../src/lib/web-config/token-bucket.js';

describe('TokenBucket', () => {
  const LIMIT = { intervalMilliseconds: 1000, burst: 3 };

  it('lets a burst pass, then one each interval, and tells how long to wait', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    expect([0, 0, 0].map((now) => bucket.take(now))).to.deep.equal([0, 0, 0]);
    expect(bucket.take(0)).to.equal(1000);
    expect(bucket.take(400)).to.equal(600);
    expect(bucket.take(1000)).to.equal(0);
    expect(bucket.take(1000)).to.equal(1000);
  });

  it('saves up no more than a burst', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    const taken = Array.from({ length: 5 }, () => bucket.take(3600e3));
    expect(taken.filter((wait) => wait === 0)).to.have.length(3);
  });

  it('lives on when the clock is set back', () => {
    const bucket = new TokenBucket(LIMIT, 3600e3);
    for (let request = 0; request < 3; request++) bucket.take(3600e3);
    expect(bucket.take(0)).to.equal(1000);
    expect(bucket.take(1000)).to.equal(0);
  });
});
