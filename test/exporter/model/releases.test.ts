import { expect } from 'chai';
import { HOUR_SECONDS } from '../../../src/exporter/history/grid.js';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import { fitModel } from '../../../src/exporter/model/fit.js';
import { releasesAt } from '../../../src/exporter/model/releases.js';
import { decodeModel, encodeModel } from '../../../src/exporter/model/snapshot/codec.js';
import { SUMMARY_FEATURES, summaryOf } from '../../support/hour-summaries.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { feature, featureTable } from '../../support/tables.js';

const FEATURES = [feature('cpu')];
const MINUTE = 60;
/** End of the training window, at a whole hour. */
const END = 490_000 * HOUR_SECONDS;
const WINDOW_MINUTES = 60;

/** Pods of `shop/cart`, each with the first and last minute in which it was there, from the end of the window. */
type Lives = readonly (readonly [revision: string, first: number, last: number])[];

/** Only pods that were there have a place in a table. */
const thereIn = (lives: Lives, from: number, to: number) =>
  lives.filter(([, first, last]) => first <= to && last >= from);

const tableOf = (lives: Lives, from: number, to: number) =>
  featureTable(
    FEATURES,
    thereIn(lives, from, to).map(([revision, first, last], pod) => ({
      namespace: 'shop',
      workload: 'cart',
      pod: `cart-${revision}-${'bcdfg'.repeat(2).slice(pod, pod + 5)}`,
      rows: Array.from({ length: to - from + 1 }, (_, index) => {
        const minute = from + index;
        return [first <= minute && minute <= last ? 1 + (minute % 3) : Number.NaN];
      }),
    })),
    { startSeconds: END + from * MINUTE, stepSeconds: MINUTE },
  );

const OLD = 'bcdf2456';
const NEW = 'xwvz9876';
const twice = (revision: string, first: number, last: number): Lives => [
  [revision, first, last],
  [revision, first, last],
];

/** The release of `shop/cart`, in minutes from the end of the window, `minutes` after a training. */
function releaseOf(lives: Lives, minutes: number, history?: WorkloadHistory): number | undefined {
  const model = fitModel(
    { window: tableOf(lives, -WINDOW_MINUTES, 0), history: [] },
    FEATURES,
    QUICK_PARAMETERS,
    history,
  );
  const table = tableOf(lives, minutes - 19, minutes);
  const workloads = new Map([['shop/cart', [...table.pods.keys()]]]);
  const seconds = releasesAt(decodeModel(encodeModel(model)), table, workloads).get('shop/cart');
  return seconds === undefined ? undefined : (seconds - END) / MINUTE;
}

describe('the release of a workload', () => {
  it('is not there without one', () => {
    expect(releaseOf(twice(OLD, -60, 60), 10)).to.equal(undefined);
  });

  it('is known from the window of the training', () => {
    expect(releaseOf([...twice(OLD, -60, -31), ...twice(NEW, -30, 60)], 10)).to.equal(-30);
  });

  it('is known at once, without a training', () => {
    const lives: Lives = [...twice(OLD, -60, 10), ...twice(NEW, 11, 60)];
    expect(releaseOf(lives, 10)).to.equal(undefined);
    expect(releaseOf(lives, 11)).to.equal(11);
    expect(releaseOf(lives, 25)).to.equal(11);
  });

  it('is known where it fell between the training and the last minutes', () => {
    // The twenty minutes begin with the new revision: it came between the end of the window and then.
    expect(releaseOf([...twice(OLD, -60, 2), ...twice(NEW, 3, 60)], 24)).to.equal(5);
  });

  it('is the newest one', () => {
    const lives: Lives = [...twice(OLD, -60, -31), ...twice(NEW, -30, 8), ...twice(OLD, 9, 60)];
    expect(releaseOf(lives, 8)).to.equal(-30);
    expect(releaseOf(lives, 12)).to.equal(9);
  });

  it('is known from the history for a day', () => {
    const historyWith = (hoursAgo: number) => {
      const history = new WorkloadHistory({ days: 3, ...SUMMARY_FEATURES });
      history.add(summaryOf(END / HOUR_SECONDS - hoursAgo, { 'shop/cart': 1 }, { release: 6 }));
      return history;
    };
    const steady = twice(OLD, -60, 60);
    expect(releaseOf(steady, 10, historyWith(5))).to.equal(-5 * 60 + 30);
    expect(releaseOf(steady, 10, historyWith(24))).to.equal(-24 * 60 + 30);
    // It is older than a day by then.
    expect(releaseOf(steady, 31, historyWith(24))).to.equal(undefined);
    expect(releaseOf(steady, 10, historyWith(30))).to.equal(undefined);
  });
});
