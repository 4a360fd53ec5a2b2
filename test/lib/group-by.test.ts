import { expect } from 'chai';
import { groupBy } from '../../src/lib/group-by.js';

describe('groups by key', () => {
  it('keep the order of keys and of items', () => {
    const groups = groupBy([3, 1, 4, 1, 5], (number) => number % 2 === 0);
    expect([...groups]).to.deep.equal([
      [false, [3, 1, 1, 5]],
      [true, [4]],
    ]);
    expect(groupBy([], String).size).to.equal(0);
  });
});
