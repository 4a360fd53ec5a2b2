import { expect } from 'chai';
import { compileRules, type RuleMatch } from '../../../src/exporter/tuning/rules.js';

/** Rules by what they match; each has its index as its sensitivity. */
const compiled = (...matches: readonly RuleMatch[]) => {
  const layersOf = compileRules(matches.map((match, index) => ({ match, layer: { sensitivity: index } })));
  return (namespace: string, workload: string, pod: string) =>
    layersOf({ namespace, workload, pod }).map(({ sensitivity }) => sensitivity);
};

describe('the rules of the tuning file', () => {
  it('are met by pods whose names match as a whole, in their order', () => {
    const met = compiled({ namespace: 'shop' }, { workload: 'cart' }, { pod: 'cart-.*' }, { namespace: 'sho' });
    expect(met('shop', 'cart', 'cart-0')).to.deep.equal([0, 1, 2]);
    expect(met('shop', 'cart', 'basket-0')).to.deep.equal([0, 1]);
    expect(met('shops', 'carts', 'cart')).to.deep.equal([]);
    expect(met('pay', 'cart', 'my-cart-0')).to.deep.equal([1]);
  });

  it('are met only if all that they name matches', () => {
    const met = compiled({ namespace: 'shop|pay', workload: 'cart', pod: '.*-0' });
    expect(met('shop', 'cart', 'cart-0')).to.deep.equal([0]);
    expect(met('pay', 'cart', 'cart-0')).to.deep.equal([0]);
    for (const pod of [
      ['shop', 'cart', 'cart-1'],
      ['shop', 'till', 'cart-0'],
      ['bank', 'cart', 'cart-0'],
    ] as const) {
      expect(met(...(pod as [string, string, string])), pod.join('/')).to.deep.equal([]);
    }
  });

  it('keep apart pods of the same name in other namespaces and workloads', () => {
    const met = compiled({ namespace: 'shop', pod: 'a' }, { workload: 'x', pod: 'a' });
    expect(met('shop', 'y', 'a')).to.deep.equal([0]);
    expect(met('pay', 'y', 'a')).to.deep.equal([]);
    expect(met('pay', 'x', 'a')).to.deep.equal([1]);
    expect(met('shop', 'x', 'a')).to.deep.equal([0, 1]);
    // From memory.
    expect(met('pay', 'y', 'a')).to.deep.equal([]);
  });

  it('are matched once for each pod: another pass has the layers from memory', () => {
    const match = Array.from({ length: 10 }, (_, index) => ({
      namespace: `team-${index}`,
      pod: `app-${index}.*-[a-f]+`,
    }));
    const layersOf = compileRules([...match, { pod: 'app-.*' }].map((of) => ({ match: of, layer: {} })));
    const pods = Array.from({ length: 1_000 }, (_, index) => ({
      namespace: `team-${index % 100}`,
      workload: `app-${index % 50}`,
      pod: `app-${index % 50}-6c9f7d8b5-${index.toString(16)}`,
    }));
    const first = pods.map(layersOf);
    expect(new Set(first.map(({ length }) => length))).to.deep.equal(new Set([1, 2]));
    for (const [index, pod] of pods.entries()) expect(layersOf(pod) === first[index], pod.pod).to.equal(true);
  });
});
