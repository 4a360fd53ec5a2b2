import { expect } from 'chai';
import type { PassOutcome } from '../../../src/exporter/detection/detection.js';
import { RecentPass } from '../../../src/exporter/detection/recent-pass.js';
import { failedPass, passOf } from '../../support/http-fixtures.js';

const NOON = 1_767_268_800;

/** Counts passes. Times are in seconds after noon. */
function world() {
  let nowSeconds = NOON;
  let passes = 0;
  let last: PassOutcome | undefined;
  let next: PassOutcome = passOf([{ namespace: 'shop', pod: 'cart-1', score: 0.1 }]);
  const recentPass = new RecentPass({
    run: async () => {
      passes++;
      last = { ...next, timeSeconds: nowSeconds };
      return last;
    },
    last: () => last,
    now: () => nowSeconds * 1000,
  });
  const at = (seconds: number) => {
    nowSeconds = NOON + seconds;
  };
  return {
    scrapeAt: (seconds: number) => {
      at(seconds);
      return recentPass.scrape(undefined);
    },
    lookAt: (seconds: number) => {
      at(seconds);
      return recentPass.recent();
    },
    passes: () => passes,
    come: (outcome: PassOutcome) => {
      next = outcome;
    },
  };
}

/** Ten minutes in which Prometheus scrapes at these times and an open page refreshes itself every 20 s. */
async function tenMinutes(scrapes: readonly number[]): Promise<number> {
  const { scrapeAt, lookAt, passes } = world();
  const looks = Array.from({ length: 30 }, (_, index) => ({ seconds: 20 * index + 7, run: lookAt }));
  const all = [...scrapes.map((seconds) => ({ seconds, run: scrapeAt })), ...looks];
  for (const { seconds, run } of all.sort((a, b) => a.seconds - b.seconds)) await run(seconds);
  return passes();
}

const every = (interval: number, from = 0) =>
  Array.from({ length: 600 / interval }, (_, index) => from + index * interval);

describe('RecentPass', () => {
  for (const [what, scrapes] of [
    ['every 15 s', every(15)],
    ['every 30 s', every(30)],
    ['every 30 s, some a second late', every(30).map((seconds, index) => seconds + (index % 3) / 2)],
    ['every 60 s', every(60)],
    ['every 60 s, by two servers', [...every(60), ...every(60, 2)]],
  ] as const) {
    it(`lets an open page ask for next to nothing where Prometheus scrapes ${what}`, async () => {
      // Before the second scrape nobody knows how often they come.
      expect(await tenMinutes(scrapes)).to.be.within(scrapes.length, scrapes.length + 3);
    });
  }

  it('runs a pass of its own where nobody scrapes', async () => {
    const { lookAt, passes } = world();
    const first = await lookAt(0);
    expect(await lookAt(14)).to.equal(first);
    expect(await lookAt(16)).not.to.equal(first);
    expect(passes()).to.equal(2);
  });

  it('shows nothing older than two minutes, however rarely Prometheus scrapes', async () => {
    const { scrapeAt, lookAt, passes } = world();
    await scrapeAt(0);
    await scrapeAt(600);
    await lookAt(719);
    expect(passes()).to.equal(2);
    await lookAt(721);
    expect(passes()).to.equal(3);
  });

  it('shows a failure for as long as a success, but asks for a model at each look', async () => {
    const { lookAt, come, passes } = world();
    come(failedPass('upstream_error', 'Nothing listens there.'));
    await lookAt(0);
    await lookAt(10);
    expect(passes()).to.equal(1);
    come(failedPass('no_model', 'Not yet.'));
    await lookAt(20);
    await lookAt(21);
    expect(passes()).to.equal(3);
  });
});
