import { setImmediate as turn } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import { BasicAuth, type Users } from '../../../src/lib/web-config/basic-auth.js';
import { comparePassword } from '../../../src/lib/web-config/compare-password.js';
import type { Caller } from '../../../src/lib/web-config/comparison-queue.js';
import { gate } from '../../support/waiting.js';

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

/** One who waits for the verdict. */
const CALLER: Caller = { client: '10.0.0.1', isWaiting: () => true };

/** Decides without rests, for one caller. */
function authOf(compare: (password: string, hash: string) => Promise<boolean>) {
  const auth = new BasicAuth({ compare, now: () => 0, rest: async () => {} });
  return { check: (users: Users, header: string | undefined) => auth.check(users, header, CALLER) };
}

/** Not bcrypt: a hash is the password in brackets. Counts, and tells what was compared with what. */
function counting(hold: Promise<void> = Promise.resolve()) {
  const compared: string[] = [];
  let running = 0;
  let mostAtOnce = 0;
  const compare = async (password: string, hash: string) => {
    compared.push(`${password} ${hash}`);
    mostAtOnce = Math.max(mostAtOnce, ++running);
    await hold;
    running -= 1;
    return hash === `[${password}]`;
  };
  const auth = authOf(compare);
  return { auth, compared, mostAtOnce: () => mostAtOnce };
}

const USERS = new Map([
  ['alice', '[wonder:land]'],
  ['bob', '[builder]'],
]);

describe('BasicAuth', () => {
  it('lets in who knows the password, which may have colons and be in any language', async () => {
    const { auth } = counting();
    expect(await auth.check(USERS, basic('alice:wonder:land'))).to.equal('allowed');
    expect(await auth.check(new Map([['zoë', '[пароль 🐢]']]), basic('zoë:пароль 🐢'))).to.equal('allowed');
  });

  for (const credentials of [
    'alice:wrong',
    'alice:builder',
    'Alice:wonder:land',
    'alice:',
    ':wonder:land',
    'mallory:wonder:land',
    'mallory:builder',
    'mallory:[builder]',
    'alice:[wonder:land]',
  ]) {
    it(`keeps out ${credentials}`, async () => {
      const { auth } = counting();
      expect(await auth.check(USERS, basic(credentials))).to.equal('denied');
      // And out of what is remembered.
      expect(await auth.check(USERS, basic(credentials))).to.equal('denied');
    });
  }

  for (const header of [
    undefined,
    '',
    'Basic',
    'Basic ',
    'Basic ==',
    'Basic !!!!',
    basic('alice'),
    'Bearer abc',
    `${basic('bob:builder')}, x`,
    `x${basic('bob:builder')}`,
  ]) {
    it(`keeps out the header ${JSON.stringify(header)} without comparing anything`, async () => {
      const { auth, compared } = counting();
      expect(await auth.check(USERS, header)).to.equal('denied');
      expect(compared).to.deep.equal([]);
    });
  }

  it('compares as often for an unknown user as for a known one, with a hash of a known one', async () => {
    for (const user of ['alice', 'mallory', 'eve', '']) {
      const { auth, compared } = counting();
      await auth.check(USERS, basic(`${user}:guess`));
      await auth.check(USERS, basic(`${user}:guess`));
      await auth.check(USERS, basic(`${user}:other`));
      expect(compared, user).to.have.length(2);
      const hashes = new Set(compared.map((line) => line.split(' ')[1]));
      expect(hashes.size, 'always the same hash').to.equal(1);
      expect([...USERS.values()]).to.include.members([...hashes]);
    }
  });

  it('compares once for credentials that come again, right or wrong, also at the same time', async () => {
    for (const credentials of ['bob:builder', 'bob:wrong']) {
      const { auth, compared } = counting();
      await Promise.all(Array.from({ length: 200 }, () => auth.check(USERS, basic(credentials))));
      await auth.check(USERS, basic(credentials));
      expect(compared).to.have.length(1);
    }
  });

  it('forgets what it knew when the hash changes', async () => {
    const { auth } = counting();
    expect(await auth.check(USERS, basic('bob:builder'))).to.equal('allowed');
    expect(await auth.check(new Map([['bob', '[new]']]), basic('bob:builder'))).to.equal('denied');
    expect(await auth.check(new Map([['bob', '[new]']]), basic('bob:new'))).to.equal('allowed');
    expect(await auth.check(new Map([['eve', '[builder]']]), basic('bob:builder'))).to.equal('denied');
  });

  it('remembers who is allowed through any number of wrong guesses', async () => {
    const { auth, compared } = counting();
    await auth.check(USERS, basic('bob:builder'));
    for (let guess = 0; guess < 300; guess++) await auth.check(USERS, basic(`bob:${guess}`));
    await auth.check(USERS, basic('bob:builder'));
    expect(compared).to.have.length(301);
    // Of the guesses, only the last ones.
    await auth.check(USERS, basic('bob:299'));
    expect(compared).to.have.length(301);
    await auth.check(USERS, basic('bob:0'));
    expect(compared).to.have.length(302);
  });

  it('compares one at a time, and turns away beyond very many that wait', async () => {
    const hold = gate();
    const { auth, compared, mostAtOnce } = counting(hold.opened);
    const verdicts = Array.from({ length: 520 }, (_, guess) => auth.check(USERS, basic(`bob:${guess}`)));
    await turn();
    expect(compared).to.have.length(1);
    hold.open();
    const answers = await Promise.all(verdicts);
    expect(answers.filter((verdict) => verdict === 'busy')).to.have.length(8);
    expect(answers.filter((verdict) => verdict === 'denied')).to.have.length(512);
    expect(mostAtOnce()).to.equal(1);
    expect(await auth.check(USERS, basic('bob:builder')), 'later').to.equal('allowed');
  });

  it('goes on after a comparison that failed', async () => {
    let isBroken = true;
    const auth = authOf(async () => {
      if (isBroken) throw new Error('no thread');
      return true;
    });
    const error = await auth.check(USERS, basic('bob:builder')).catch((reason: unknown) => reason);
    expect(error).to.have.property('message', 'no thread');
    isBroken = false;
    expect(await auth.check(USERS, basic('bob:builder'))).to.equal('allowed');
  });
});

describe('comparePassword', () => {
  it('knows bcrypt, in the three spellings of its name, and leaves the event loop alone', async () => {
    const hash = hashSync('correct horse', 8);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    for (const version of ['$2a$', '$2b$', '$2y$']) {
      expect(await comparePassword('correct horse', hash.replace('$2b$', version))).to.equal(true);
    }
    expect(await comparePassword('battery staple', hash)).to.equal(false);
    clearInterval(timer);
    expect(turns, 'turns of the event loop meanwhile').to.be.above(10);
  });

  it('knows a hash that htpasswd has made', async () => {
    // htpasswd -nbBC 10 "" 'correct horse' | tr -d ':\n'
    const hash = '$2y$10$Rl2pCTkWphWErHE9p9/diuATUr96aOMtPWdrMj1f180oHz8/sZgr2';
    expect(await comparePassword('correct horse', hash)).to.equal(true);
  });
});
