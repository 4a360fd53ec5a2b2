import { expect } from 'chai';
import { finish, finishInTurns } from '../../src/lib/steps.js';

describe('work in steps', () => {
  function* counting(done: number[]): Generator<undefined, string> {
    for (const step of [1, 2, 3]) {
      done.push(step);
      yield;
    }
    return 'result';
  }

  it('is done at a stretch', () => {
    const done: number[] = [];
    expect(finish(counting(done))).to.equal('result');
    expect(done).to.deep.equal([1, 2, 3]);
  });

  it('pauses between two steps', async () => {
    const done: number[] = [];
    const atPauses: number[] = [];
    const pause = async () => void atPauses.push(done.length);
    expect(await finishInTurns(counting(done), pause)).to.equal('result');
    expect(atPauses).to.deep.equal([1, 2, 3]);
  });

  it('ends where the pause rejects', async () => {
    const done: number[] = [];
    const reason = new Error('enough');
    const failure = await finishInTurns(counting(done), () => Promise.reject(reason)).catch((error: unknown) => error);
    expect(failure).to.equal(reason);
    expect(done).to.deep.equal([1]);
  });
});
