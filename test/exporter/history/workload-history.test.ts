import { expect } from 'chai';
import { BINS_PER_HOUR } from '../../../src/exporter/history/grid.js';
import { BIN_FIELDS, type HourSummary, SIBLING_FIELDS } from '../../../src/exporter/history/hour-summary.js';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import { SUMMARY_FEATURES, summaryOf } from '../../support/hour-summaries.js';

const NEWEST = 490_908;
const { NaN: gap } = Number;

const historyOf = (summaries: readonly HourSummary[] = [], days = 1) => {
  const history = new WorkloadHistory({ days, ...SUMMARY_FEATURES });
  for (const summary of summaries) history.add(summary);
  return history;
};
const binsOf = (history: WorkloadHistory, key: string, field: number, firstHour: number, hours = 1) => {
  const into = new Float64Array(hours * BINS_PER_HOUR);
  history.copyBins(history.rowOf(key), 0, field, firstHour, into);
  return [...into];
};
const siblingsOf = (history: WorkloadHistory, key: string, field: number, firstHour: number, hours = 1) => {
  const into = new Float64Array(hours);
  history.copySiblings(history.rowOf(key), 0, field, firstHour, into);
  return [...into];
};

describe('history of workloads', () => {
  it('gives back what was added: levels to half a percent, distances from them rounded up', () => {
    const summary = summaryOf(NEWEST, { 'shop/cart': 1.2345, 'shop/web': -3 }, { rise: 3 });
    const history = historyOf([summary]);
    for (const [row, key] of ['shop/cart', 'shop/web'].entries()) {
      for (const [field, name] of BIN_FIELDS.entries()) {
        for (const [half, found] of binsOf(history, key, field, NEWEST).entries()) {
          const given = summary.bins[(row * BINS_PER_HOUR + half) * BIN_FIELDS.length + field] as number;
          expect(found, `${key} ${name}`).to.be.closeTo(given, field === 0 ? 0.0026 : 0.0226);
        }
      }
      for (const field of SIBLING_FIELDS.keys()) {
        const [found] = siblingsOf(history, key, field, NEWEST);
        const given = summary.siblings[row * SIBLING_FIELDS.length + field] as number;
        expect(found).to.be.within(given - 1e-6, given + 0.0201);
      }
      expect(history.riseAt(history.rowOf(key), 0, NEWEST)).to.equal(3);
    }
    expect(history.podsIn(NEWEST)).to.equal(2);
  });

  it('knows nothing of other hours and workloads', () => {
    const history = historyOf([summaryOf(NEWEST, { 'shop/cart': 1 }), summaryOf(NEWEST - 2, { 'shop/web': 1 })]);
    expect(binsOf(history, 'shop/cart', 0, NEWEST - 2, 3)).to.deep.equal([gap, gap, gap, gap, 1, 2]);
    expect(history.rowOf('shop/other')).to.equal(-1);
    expect(history.riseAt(0, 0, NEWEST - 1)).to.deep.equal(gap);
    expect(history.podsIn(NEWEST - 1)).to.equal(0);
    expect(history.knownHours(NEWEST)).to.deep.equal([NEWEST - 2, NEWEST]);
  });

  it('has no siblings of workloads that have none', () => {
    const history = historyOf([summaryOf(NEWEST, { 'shop/cart': 1 }, { siblings: false })]);
    expect(siblingsOf(history, 'shop/cart', 0, NEWEST)).to.deep.equal([gap]);
    const later = summaryOf(NEWEST + 1, { 'shop/cart': 1 });
    history.add(later);
    expect(siblingsOf(history, 'shop/cart', 0, NEWEST, 2)[0]).to.deep.equal(gap);
    expect(siblingsOf(history, 'shop/cart', 0, NEWEST, 2)[1]).to.be.closeTo(0.1, 0.021);
  });

  it('knows when a workload was released, and in which hours it was not', () => {
    const history = historyOf([
      summaryOf(NEWEST - 1, { 'shop/cart': 1 }, { release: 3 }),
      summaryOf(NEWEST, { 'shop/cart': 1, 'shop/web': 1 }, { release: 12 }),
    ]);
    const releases = (key: string, hour: number) => history.releaseAt(history.rowOf(key), hour);
    expect(releases('shop/cart', NEWEST - 1)).to.equal((NEWEST - 1) * 3600 + 900);
    expect(releases('shop/cart', NEWEST)).to.equal((NEWEST + 1) * 3600);
    expect(releases('shop/web', NEWEST - 1)).to.deep.equal(gap);
    expect(releases('shop/cart', NEWEST - 2)).to.deep.equal(gap);
    history.add(summaryOf(NEWEST + 23, { 'shop/cart': 1 }));
    expect(releases('shop/cart', NEWEST + 23)).to.deep.equal(gap);
  });

  it('puts an hour in the place of the one that many days before, with nothing left of that', () => {
    const history = historyOf([summaryOf(NEWEST - 24, { 'shop/cart': 5, 'shop/web': 5 }, { rise: 9 })]);
    history.add(summaryOf(NEWEST, { 'shop/cart': 1 }));
    expect(history.knows(NEWEST - 24)).to.equal(false);
    expect(binsOf(history, 'shop/cart', 0, NEWEST)).to.deep.equal([1, 2]);
    expect(binsOf(history, 'shop/web', 0, NEWEST)).to.deep.equal([gap, gap]);
    expect(history.riseAt(history.rowOf('shop/web'), 0, NEWEST)).to.deep.equal(gap);
    expect(history.state()).to.deep.equal(historyOf([summaryOf(NEWEST, { 'shop/cart': 1 })]).state());
  });

  it('does not take an hour twice, nor one that is too old', () => {
    const history = historyOf([summaryOf(NEWEST, { 'shop/cart': 1 })]);
    history.add(summaryOf(NEWEST, { 'shop/cart': 7 }));
    history.add(summaryOf(NEWEST - 24, { 'shop/cart': 7 }));
    expect(history.state()).to.deep.equal(historyOf([summaryOf(NEWEST, { 'shop/cart': 1 })]).state());
  });

  it('has the same state whatever the order of the hours', () => {
    const summaries = Array.from({ length: 30 }, (_, index) =>
      summaryOf(
        NEWEST - index,
        Object.fromEntries([`a-${index % 5}`, `b-${index % 7}`, 'c'].map((name) => [`shop/${name}`, index])),
        { siblings: index % 2 === 0 },
      ),
    );
    const states = [summaries, summaries.toReversed(), [...summaries.slice(9), ...summaries.slice(0, 9)]];
    const [one, ...others] = states.map((order) => historyOf(order, 2).state());
    for (const other of others) expect(other).to.deep.equal(one);
    expect(one?.workloads).to.deep.equal([...(one?.workloads ?? [])].sort());
  });

  it('goes on from a state, which is a copy', () => {
    const first = summaryOf(NEWEST - 1, { 'shop/web': 1, 'shop/cart': 2 });
    const second = summaryOf(NEWEST, { 'shop/cart': 3, 'shop/new': 4 });
    const history = historyOf([first]);
    const copy = new WorkloadHistory(history.state());
    history.add(second);
    expect(copy.knows(NEWEST)).to.equal(false);
    copy.add(second);
    expect(copy.state()).to.deep.equal(history.state());
  });

  it('takes an hour in turns, and knows it only when it is complete', async () => {
    const workloads = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`shop/w-${index}`, index / 100]));
    const history = historyOf([summaryOf(NEWEST - 24, workloads)]);
    let turns = 0;
    const pause = async () => {
      turns++;
      expect(history.knows(NEWEST - 24)).to.equal(false);
    };
    await history.addInTurns(summaryOf(NEWEST, workloads), pause);
    expect(turns).to.be.above(6);
    expect(history.state()).to.deep.equal(historyOf([summaryOf(NEWEST, workloads)]).state());
  });

  it('is copied in turns, and forgets in turns', async () => {
    const workloads = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`shop/w-${index}`, index / 100]));
    const history = historyOf([summaryOf(NEWEST, workloads)]);
    const expected = history.state();
    let turns = 0;
    const pause = async () => void turns++;
    expect(await history.stateInTurns(pause)).to.deep.equal(expected);
    expect(turns).to.be.above(12);
    turns = 0;
    await history.forgetAllButInTurns(NEWEST + 1000, pause);
    expect(turns).to.be.above(6);
    expect(history.state()).to.deep.equal(historyOf().state());
  });

  it('forgets what a clock that was set has made the future or too old', () => {
    const history = historyOf([NEWEST, NEWEST - 1, NEWEST - 20].map((hour) => summaryOf(hour, { 'shop/cart': 1 })));
    history.forgetAllBut(NEWEST - 1);
    expect(history.knownHours(NEWEST)).to.deep.equal([NEWEST - 20, NEWEST - 1]);
    history.forgetAllBut(NEWEST + 10);
    expect(history.knownHours(NEWEST)).to.deep.equal([NEWEST - 1]);
    history.forgetAllBut(NEWEST + 100);
    expect(history.state()).to.deep.equal(historyOf().state());
  });

  describe('with more workloads than there were pods', () => {
    const regular = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`shop/app-${index}`, 1]));
    const hourWith = (index: number) =>
      summaryOf(NEWEST - 47 + index, { ...regular, [`ci/run-${index}`]: 2, 'ops/backup': 3 }, { pods: 62 });

    it('keeps those that were there for most of the hours, and of the others the newest', () => {
      const history = historyOf(
        Array.from({ length: 48 }, (_, index) => hourWith(index)),
        2,
      );
      const { workloads } = history.state();
      expect(workloads.length).to.be.at.most(70);
      expect(workloads).to.include.members([...Object.keys(regular), 'ops/backup', 'ci/run-47', 'ci/run-46']);
      expect(workloads).not.to.include('ci/run-3');
      expect(binsOf(history, 'ops/backup', 0, NEWEST)).to.deep.equal([3, 4]);
      expect(siblingsOf(history, 'ops/backup', 0, NEWEST)[0]).to.be.closeTo(0.1, 0.021);
      expect(history.podsIn(NEWEST)).to.equal(62);
    });

    it('keeps memory in bounds however long that goes on', () => {
      const history = historyOf([], 2);
      for (let index = 0; index < 500; index++) history.add(hourWith(index));
      expect(history.workloads.length).to.be.at.most(70);
      expect(history.sizeBytes).to.be.below(250_000);
    });
  });

  it('takes at most 60 MB for eight days of 10,000 pods, whatever their workloads', () => {
    const names = { gauges: ['cpu', 'memory'], counters: ['restarts'] };
    // With siblings, a workload has three pods or more.
    for (const [count, siblings] of [
      [10_000, false],
      [3_333, true],
    ] as const) {
      const history = new WorkloadHistory({ days: 8, ...names });
      for (const hour of [NEWEST - 1, NEWEST]) {
        const workloads = Object.fromEntries(Array.from({ length: count }, (_, index) => [`${hour}/w-${index}`, 1]));
        history.add(summaryOf(hour, workloads, { pods: 10_000, siblings }));
      }
      expect(history.sizeBytes).to.be.below(60e6);
    }
  });
});
