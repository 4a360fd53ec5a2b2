import { expect } from 'chai';
import { AbandonedError, SharedWork } from '../../src/lib/shared-work.js';
import { rejection } from '../support/rejection.js';
import { gate } from '../support/waiting.js';

const always = () => true;

describe('SharedWork', () => {
  it('is done once for all who want the same at the same time, and again for those who come later', async () => {
    const shared = new SharedWork<string, number>();
    let done = 0;
    const work = async () => ++done;
    const ask = (key: string) => shared.run(key, always, work);
    expect(await Promise.all([ask('a'), ask('a'), ask('b'), ask('a')])).to.deep.equal([1, 1, 2, 1]);
    expect(await ask('a')).to.equal(3);
  });

  it('fails for all who wait, and not for those who come later', async () => {
    const shared = new SharedWork<string, number>();
    const fail = () => Promise.reject(new Error('broken'));
    const failed = [shared.run('a', always, fail), shared.run('a', always, fail)];
    for (const result of failed) expect((await rejection(result, Error)).message).to.equal('broken');
    expect(await shared.run('a', always, async () => 1)).to.equal(1);
  });

  it('ends early when the last of its callers has left, and starts anew for the next', async () => {
    const shared = new SharedWork<string, string>();
    const hold = gate();
    const wants = [true, true];
    const work = async (requireWanted: () => void) => {
      requireWanted();
      await hold.opened;
      requireWanted();
      return 'old';
    };
    const results = wants.map((_, index) => shared.run('a', () => wants[index] as boolean, work));
    const ended = Promise.all(results.map((result) => rejection(result, AbandonedError)));
    wants.fill(false);
    hold.open();
    await ended;
    expect(await shared.run('a', always, async () => 'new')).to.equal('new');
  });

  it('goes on for one of them', async () => {
    const shared = new SharedWork<string, string>();
    const hold = gate();
    const work = async (requireWanted: () => void) => {
      await hold.opened;
      requireWanted();
      return 'done';
    };
    const results = [false, true].map((wants) => shared.run('a', () => wants, work));
    hold.open();
    expect(await Promise.all(results)).to.deep.equal(['done', 'done']);
  });
});
