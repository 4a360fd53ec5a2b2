import { expect } from 'chai';
import { ThreadPool } from '../../../src/tools/replay/pool.js';
import { rejection } from '../../support/rejection.js';
import type { TestTask } from '../../support/thread-body.js';

const never = new AbortController().signal;
const nothing = () => undefined;

describe('a pool of threads', () => {
  let pool: ThreadPool<TestTask, number>;
  beforeEach(() => {
    pool = new ThreadPool(new URL('../../support/thread-body.js', import.meta.url), 1);
  });
  afterEach(() => pool.close());

  const run = (task: TestTask, signal = never) => pool.run(task, signal, nothing);

  it('does one task after the other, and reports how far each is', async () => {
    const shares: number[] = [];
    const tasks = [1, 2, 3].map((value) => pool.run({ kind: 'answer', value }, never, (share) => shares.push(share)));
    expect(await Promise.all(tasks)).to.deep.equal([2, 4, 6]);
    expect(shares).to.include(0.5);
  });

  it('yields the results of many tasks in their order, and prepares no more than a few ahead', async () => {
    const prepared: number[] = [];
    const results: number[] = [];
    const task = (value: number): TestTask => {
      prepared.push(value);
      return { kind: 'answer', value };
    };
    for await (const [value, result] of pool.map([1, 2, 3, 4, 5], task, never, nothing)) {
      expect(result).to.equal(2 * value);
      expect(prepared.length).to.be.at.most(value + 1);
      results.push(value);
    }
    expect(results).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('ends with the first of many tasks that fails', async () => {
    const all = pool.map(
      [1, 2, 3],
      (value) => (value === 2 ? { kind: 'crash' } : { kind: 'answer', value }),
      never,
      nothing,
    );
    expect(await all.next()).to.deep.equal({ done: false, value: [1, 2] });
    expect((await rejection(all.next(), Error)).message).to.match(/^A replaying thread failed: thrown where/);
  });

  it('rejects what runs and what waits when it is closed', async () => {
    const [running, waiting] = [run({ kind: 'block' }), run({ kind: 'answer', value: 1 })];
    const outcomes = Promise.all([rejection(running, Error), rejection(waiting, Error)]);
    await pool.close();
    await outcomes;
  });

  it('rejects what runs and what waits when their signal aborts, and serves others', async () => {
    const stop = new AbortController();
    const outcomes = Promise.allSettled([
      run({ kind: 'block' }, stop.signal),
      run({ kind: 'block' }, stop.signal),
      run({ kind: 'sleep' }, stop.signal),
    ]);
    stop.abort(new Error('stopped by the test'));
    for (const outcome of await outcomes) {
      expect(outcome.status === 'rejected' && (outcome.reason as Error).message).to.equal('stopped by the test');
    }
    expect(await run({ kind: 'answer', value: 4 })).to.equal(8);
  });

  for (const [kind, message] of [
    ['reject', 'A replaying thread failed: Expected a task that works.'],
    ['crash', 'A replaying thread failed: thrown where no task catches it'],
  ] as const) {
    it(`says what went wrong, and replaces the thread: ${kind}`, async () => {
      const [failing, waiting] = [run({ kind }), run({ kind: 'answer', value: 5 })];
      expect((await rejection(failing, Error)).message).to.equal(message);
      expect(await waiting).to.equal(10);
    });
  }
});
