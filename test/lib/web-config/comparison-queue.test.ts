import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { BusyError, ComparisonQueue } from '../../../src/lib/web-config/comparison-queue.js';
import { rejection } from '../../support/rejection.js';

/** A queue whose comparisons take a second of a clock of their own, and each a turn of the event loop. */
function queueOf() {
  let now = 0;
  const compared: string[] = [];
  const rests: number[] = [];
  const queue = new ComparisonQueue(
    () => now,
    async (milliseconds) => void rests.push(milliseconds),
  );
  /** @param what `client/password`; only `right` is. */
  const ask = (what: string, isWaiting: () => boolean = () => true) => {
    const [client = '', password = ''] = what.split('/');
    return queue.compare(what, { client, isWaiting }, async () => {
      compared.push(what);
      await turn();
      now += 1_000;
      return password === 'right';
    });
  };
  return { ask, compared, rests };
}

/** Guesses of one client, as many as wanted. */
const guesses = (client: string, count: number) => Array.from({ length: count }, (_, index) => `${client}/${index}`);

describe('ComparisonQueue', () => {
  it('rests after each comparison as long as it took', async () => {
    const { ask, rests } = queueOf();
    await Promise.all(guesses('a', 3).map((what) => ask(what)));
    await turn();
    expect(rests).to.deep.equal([1_000, 1_000, 1_000]);
  });

  it('has clients take turns: one who comes last waits for one guess of each other', async () => {
    const { ask, compared } = queueOf();
    const others = ['a', 'b', 'c'].flatMap((client) => guesses(client, 50)).map((what) => ask(what));
    expect(await ask('d/right')).to.equal(true);
    // Who guesses wrong takes every second turn only.
    expect(compared.length).to.be.at.most(2 * 4);
    await Promise.all(others);
  });

  it('gives every second turn to those whose last guess was not wrong, however many others guess', async () => {
    const { ask, compared } = queueOf();
    const strangers = Array.from({ length: 200 }, (_, index) => `stranger-${index}`);
    await Promise.all(strangers.map((client) => ask(`${client}/first`)));
    compared.length = 0;
    const others = strangers.map((client) => ask(`${client}/second`));
    expect(await ask('prometheus/right')).to.equal(true);
    expect(compared.length).to.be.at.most(3);
    await Promise.all(others);
  });

  it('lets in one whose last guess was wrong as well, however many come who have not guessed', async () => {
    const { ask, compared } = queueOf();
    await ask('proxy/wrong');
    compared.length = 0;
    const others = Array.from({ length: 200 }, (_, index) => ask(`stranger-${index}/guess`));
    expect(await ask('proxy/right')).to.equal(true);
    expect(compared.length).to.be.at.most(3);
    await Promise.all(others);
  });

  it('keeps the order of one client: behind a proxy, a right password waits for earlier guesses only', async () => {
    const { ask, compared } = queueOf();
    const before = guesses('proxy', 18).map((what) => ask(what));
    const right = ask('proxy/right');
    const after = guesses('proxy', 100)
      .slice(18)
      .map((what) => ask(what));
    expect(await right).to.equal(true);
    expect(compared).to.deep.equal([...guesses('proxy', 18), 'proxy/right']);
    await Promise.all([...before, ...after]);
  });

  it('compares also for one who has left, in its turn: it will come again', async () => {
    const { ask, compared } = queueOf();
    const verdicts = [...guesses('proxy', 5), 'proxy/right'].map((what) => ask(what, () => false));
    await Promise.all(verdicts);
    expect(compared.at(-1)).to.equal('proxy/right');
  });

  it('has room for all who wait: where it is full, the latest of those who have left goes', async () => {
    const { ask, compared } = queueOf();
    const left = ask('proxy/right', () => false);
    const gone = Array.from({ length: 600 }, (_, index) => ask(`proxy/gone-${index}`, () => false));
    const dropped = gone.map((verdict) => verdict.catch((error: unknown) => error));
    const waiting = guesses('b', 100).map((what) => ask(what));
    expect(await left, 'it came before them').to.equal(true);
    await Promise.all(waiting);
    const outcomes = await Promise.all(dropped);
    expect(outcomes.filter((outcome) => outcome instanceof BusyError)).to.have.length(600 + 101 - 512);
    expect(compared).to.have.length(512);
  });

  it('refuses where it is full of those who wait', async () => {
    const { ask } = queueOf();
    const waiting = guesses('a', 512).map((what) => ask(what));
    await rejection(ask('b/right'), BusyError);
    expect(await Promise.all(waiting)).to.have.length(512);
    expect(await ask('b/right')).to.equal(true);
  });
});
