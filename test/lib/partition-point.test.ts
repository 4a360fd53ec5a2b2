import { expect } from 'chai';
import { partitionPoint } from '../../src/lib/partition-point.js';

describe('partitionPoint', () => {
  it('finds where a list is parted, also at its ends', () => {
    for (let length = 0; length < 20; length++) {
      for (let end = 0; end <= length; end++) {
        expect(partitionPoint(length, (position) => position < end)).to.equal(end);
      }
    }
  });
});
