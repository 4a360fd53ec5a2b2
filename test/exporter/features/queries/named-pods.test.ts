import { expect } from 'chai';
import { groupsByLength } from '../../../../src/exporter/features/queries/named-pods.js';

const podsOf = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => ({ namespace: 'shop', pod: String(index).padEnd(length, 'x') }));

describe('groups of pods that a query names', () => {
  it('have each pod once, in their order, and names of a length', () => {
    const pods = podsOf(100, 40);
    const groups = groupsByLength(pods, 1000);
    expect(groups.flat()).to.deep.equal(pods);
    expect(groups.length).to.equal(6);
    for (const group of groups) {
      expect(group.reduce((sum, { namespace, pod }) => sum + namespace.length + pod.length, 0)).to.be.at.most(1000);
    }
  });

  it('leave out no pod with a name that is too long', () => {
    const pods = [...podsOf(2, 253), { namespace: 'shop', pod: 'cart-0' }];
    expect(groupsByLength(pods, 100)).to.deep.equal(pods.map((pod) => [pod]));
  });

  it('are none without pods', () => {
    expect(groupsByLength([], 100)).to.deep.equal([]);
  });
});
