import { expect } from 'chai';
import { PodLimit } from '../../../src/exporter/features/pod-limit.js';
import { createRandom } from '../../../src/exporter/model/random.js';

const keysOf = (count: number) => Array.from({ length: count }, (_, pod) => `shop/cart-${pod}`);

/** Offers pods one by one, as a table does, and gives those that are kept. */
function keep(keys: readonly string[], limit: number): { kept: string[]; shed: number } {
  const podLimit = new PodLimit(limit);
  const pods: { namespace: string; pod: string }[] = [];
  const keyOf = ({ namespace, pod }: { namespace: string; pod: string }) => `${namespace}/${pod}`;
  for (const key of keys) {
    if (pods.some((pod) => keyOf(pod) === key)) continue;
    const [namespace = '', pod = ''] = key.split('/');
    const row = podLimit.rowFor({ namespace, pod }, pods);
    if (row !== undefined) pods[row] = { namespace, pod };
    expect(pods.length).to.be.at.most(limit);
  }
  return { kept: pods.map(keyOf).sort(), shed: podLimit.shed };
}

function shuffled(keys: readonly string[], seed: number): string[] {
  const random = createRandom(seed);
  return keys
    .map((key) => ({ key, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ key }) => key);
}

describe('PodLimit', () => {
  const keys = keysOf(1000);

  it('keeps all pods up to the limit', () => {
    for (const limit of [1000, 1001, Number.POSITIVE_INFINITY]) {
      expect(keep(keys, limit)).to.deep.include({ kept: [...keys].sort(), shed: 0 });
    }
  });

  for (const limit of [1, 99, 500, 999]) {
    it(`keeps ${limit} of 1000, and counts the others`, () => {
      const { kept, shed } = keep(keys, limit);
      expect(kept).to.have.lengthOf(limit);
      expect(shed).to.equal(1000 - limit);
    });
  }

  it('keeps the same pods whatever their order, and however often they come', () => {
    const { kept } = keep(keys, 300);
    for (const seed of [1, 2, 3]) {
      const again = keep([...shuffled(keys, seed), ...shuffled(keys, seed + 10)], 300);
      expect(again).to.deep.include({ kept, shed: 700 });
    }
  });

  it('lets one pod go for each that comes', () => {
    const before = keep(keys, 300).kept;
    const after = new Set(keep([...keys, 'shop/new-1', 'shop/new-2'], 300).kept);
    expect(before.filter((key) => !after.has(key)).length).to.be.at.most(2);
    // With the pods that are kept, the space is full.
    expect(keep(before, 300)).to.deep.include({ kept: before, shed: 0 });
  });

  it('takes its share of every namespace', () => {
    const mixed = Array.from({ length: 1000 }, (_, pod) => `${pod % 2 ? 'a' : 'b'}/p-${pod}`);
    const ofA = keep(mixed, 400).kept.filter((key) => key.startsWith('a/'));
    expect(ofA.length).to.be.within(150, 250);
  });
});
