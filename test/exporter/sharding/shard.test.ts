import { expect } from 'chai';
import { type Shard, shardOf } from '../../../src/exporter/sharding/shard.js';

const NAMESPACES = Array.from({ length: 3000 }, (_, index) => `team-${index % 60}-service-${index}`);

const ownOf = (namespaces: readonly string[], { ordinal, total }: Shard) =>
  namespaces.filter((namespace) => shardOf(namespace, total) === ordinal);

describe('shardOf', () => {
  // A version that gives others would have two processes watch one namespace during an update, and none another.
  const vectors: readonly (readonly [namespace: string, ofTwo: number, ofThree: number, ofTen: number])[] = [
    ['default', 1, 1, 8],
    ['kube-system', 1, 2, 2],
    ['monitoring', 1, 1, 5],
    ['shop', 0, 2, 7],
    ['payments', 1, 1, 5],
    ['team-17', 0, 0, 9],
    ['ünïcode', 0, 2, 3],
  ];
  for (const [namespace, ...ordinals] of vectors) {
    it(`gives ${namespace} to ${ordinals.join(', ')} of 2, 3 and 10`, () => {
      expect([2, 3, 10].map((total) => shardOf(namespace, total))).to.deep.equal(ordinals);
    });
  }

  it('gives all to the only one', () => {
    expect(new Set(NAMESPACES.map((namespace) => shardOf(namespace, 1)))).to.deep.equal(new Set([0]));
  });

  for (const total of [1, 2, 3, 5, 9, 20]) {
    it(`moves namespaces only to the shard that comes to ${total}, about one in ${total + 1}`, () => {
      const moved = NAMESPACES.filter((namespace) => shardOf(namespace, total) !== shardOf(namespace, total + 1));
      for (const namespace of moved) expect(shardOf(namespace, total + 1), namespace).to.equal(total);
      const expected = NAMESPACES.length / (total + 1);
      // Four standard deviations of a binomial distribution.
      expect(moved.length).to.be.closeTo(expected, 4 * Math.sqrt(expected));
    });
  }

  for (const total of [2, 3, 8, 16]) {
    it(`spreads them evenly over ${total}`, () => {
      const expected = NAMESPACES.length / total;
      for (let ordinal = 0; ordinal < total; ordinal++) {
        const { length } = ownOf(NAMESPACES, { ordinal, total });
        expect(length, String(ordinal)).to.be.closeTo(expected, 4 * Math.sqrt(expected));
      }
    });
  }

  it('gives the namespaces of a few letters to all shards as well', () => {
    const short = Array.from({ length: 260 }, (_, index) => `ns${index}`);
    for (let ordinal = 0; ordinal < 4; ordinal++) {
      expect(ownOf(short, { ordinal, total: 4 }).length).to.be.within(35, 95);
    }
  });
});
