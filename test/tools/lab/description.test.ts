import { expect } from 'chai';
import { DataError } from '../../../src/lib/usage-error.js';
import { readDescriptions } from '../../../src/tools/lab/description.js';
import { rejection } from '../../support/rejection.js';
import { withFiles } from './recording.js';

const FLEET = {
  case: 'fleet-1',
  seed: 1,
  start: 1000,
  learned_until: 1000 + 7 * 86_400,
  workloads: [{ namespace: 'shop', workload: 'cart', kind: 'web', pods: ['cart-a', 'cart-b'] }],
};
const read = (content: string) => withFiles({ 'fleet.json': content }, (directory) => readDescriptions(directory));

describe('the description of a fleet', () => {
  it('tells how long to learn, and workloads and kinds', async () => {
    for (const content of [FLEET, [FLEET]]) {
      const { learningMinutes, workloads, kinds } = (await read(JSON.stringify(content)))('fleet-1');
      expect(learningMinutes).to.equal(7 * 1440);
      expect(Object.fromEntries(workloads)).to.deep.equal({ 'shop/cart-a': 'cart', 'shop/cart-b': 'cart' });
      expect(Object.fromEntries(kinds)).to.deep.equal({ 'shop/cart': 'web' });
    }
  });

  it('tells nothing of other cases, or without the file', async () => {
    const none = { learningMinutes: undefined, workloads: new Map(), kinds: new Map() };
    expect((await read(JSON.stringify(FLEET)))('other')).to.deep.equal(none);
    expect((await withFiles({}, readDescriptions))('fleet-1')).to.deep.equal(none);
  });

  it('is refused in another form', async () => {
    expect((await rejection(read('{'), DataError)).message).to.include('fleet.json');
    expect((await rejection(read('{"case": 1}'), DataError)).message).to.include('learned_until');
  });
});
