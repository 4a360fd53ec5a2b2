import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { ownTurn } from '../../src/lib/turns.js';

describe('ownTurn', () => {
  it('gives each turn of the event loop to one of those who ask, in their order', async () => {
    let turn = 0;
    let counting = true;
    const count = async () => {
      while (counting) {
        await nextTurn();
        turn++;
      }
    };
    const counted = count();
    const got: { readonly who: number; readonly turn: number }[] = [];
    const work = async (who: number) => {
      for (let piece = 0; piece < 3; piece++) {
        await ownTurn();
        got.push({ who, turn });
      }
    };
    await Promise.all([work(0), work(1), work(2)]);
    counting = false;
    await counted;
    expect(new Set(got.map((each) => each.turn)).size, 'turns').to.equal(9);
    expect(got.map(({ who }) => who)).to.deep.equal([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });
});
