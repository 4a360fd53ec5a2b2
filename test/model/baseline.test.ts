import { expect } from 'chai';
import type { FeatureDefinition } from '../../src/features/catalog.js';
import { type BaselineKind, fitBaseline, measureDeviations } from '../../src/model/baseline.js';
import { feature, featureTable, type WrittenPod } from '../support/tables.js';

const rowsOf = (count: number, valueAt: (instant: number) => number) =>
  Array.from({ length: count }, (_, instant) => [valueAt(instant)]);

/** The values around a level: median `level`, MAD 1. */
const around = (level: number) => (instant: number) => level + (instant % 3) - 1;

/** Blank instants before the values, so that a pod has fewer samples than the table has instants. */
const late = (instants: number, samples: number, valueAt: (instant: number) => number) =>
  rowsOf(instants, (instant) => (instant < instants - samples ? Number.NaN : valueAt(instant)));

/** What is expected of one pod, and how far a value of it deviates, in the only column. */
function measure(
  features: readonly FeatureDefinition[],
  kind: BaselineKind,
  training: readonly WrittenPod[],
  pod: Omit<WrittenPod, 'rows'>,
  value: number,
): { expected: number; deviation: number } {
  const baseline = fitBaseline(featureTable(features, training), features, kind);
  const current = featureTable(features, [{ ...pod, rows: [[value]] }]);
  const { expected, deviations } = measureDeviations(baseline, features, current);
  return { expected: expected[0] ?? Number.NaN, deviation: deviations[0] ?? Number.NaN };
}

describe('Baseline', () => {
  const noFloor = [feature('a', { spreadFloor: 1e-9 })];

  describe('falls back from pod to workload to fleet', () => {
    const training: WrittenPod[] = [
      { pod: 'web-1', workload: 'web', rows: rowsOf(30, () => 10) },
      { pod: 'web-2', workload: 'web', rows: rowsOf(30, () => 10) },
      { pod: 'web-3', workload: 'web', rows: rowsOf(30, around(1000)) },
      { pod: 'new-1', workload: 'new', rows: late(30, 19, around(500)) },
      { pod: 'old-1', workload: 'old', rows: late(30, 20, around(200)) },
      { pod: 'two-1', workload: 'two', rows: late(30, 10, around(70)) },
      { pod: 'two-2', workload: 'two', rows: late(30, 10, around(70)) },
    ];
    const expectedOf = (kind: BaselineKind, pod: string, workload: string, namespace = 'ns') =>
      measure(noFloor, kind, training, { namespace, pod, workload }, 1).expected;

    it('compares a pod that has enough samples with itself', () => {
      expect(expectedOf('pod', 'web-1', 'web')).to.equal(10);
      expect(expectedOf('pod', 'web-3', 'web')).to.equal(1000);
      expect(expectedOf('pod', 'old-1', 'old')).to.equal(200);
    });

    it('compares a pod that is new, or has too few samples, with its workload', () => {
      expect(expectedOf('pod', 'web-4', 'web')).to.equal(10);
      expect(expectedOf('pod', 'two-1', 'two')).to.equal(70);
    });

    it('compares a pod of a workload with too few samples with all pods, in log space', () => {
      const fleet = expectedOf('pod', 'alien-1', 'alien');
      const values = training
        .flatMap(({ rows }) => rows.flat())
        .filter((value) => !Number.isNaN(value))
        .sort((a, b) => a - b);
      const below = values[Math.floor((values.length - 1) / 2)] ?? 0;
      const above = values[Math.ceil((values.length - 1) / 2)] ?? 0;
      expect(fleet).to.be.closeTo(Math.sqrt(below * above), 1e-6);
      expect(expectedOf('pod', 'new-1', 'new')).to.equal(fleet);
    });

    it('does not know a workload of the same name in another namespace', () => {
      const fleet = expectedOf('pod', 'alien-1', 'alien');
      expect(expectedOf('pod', 'web-1', 'web', 'elsewhere')).to.equal(fleet);
    });

    it('compares every pod with its workload for BASELINE=workload', () => {
      expect(expectedOf('workload', 'web-1', 'web')).to.equal(10);
      expect(expectedOf('workload', 'web-3', 'web')).to.equal(10);
      expect(expectedOf('workload', 'two-1', 'two')).to.equal(70);
      expect(expectedOf('workload', 'new-1', 'new')).to.equal(expectedOf('pod', 'alien-1', 'alien'));
    });

    it('compares every pod with the mean of all samples for BASELINE=cluster', () => {
      const values = training.flatMap(({ rows }) => rows.flat()).filter((value) => !Number.isNaN(value));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(expectedOf('cluster', 'web-1', 'web')).to.be.closeTo(mean, 1e-9);
      expect(expectedOf('cluster', 'alien-1', 'alien')).to.be.closeTo(mean, 1e-9);
    });
  });

  describe('spreads', () => {
    const cases: readonly (readonly [
      what: string,
      floor: number,
      valueAt: (instant: number) => number,
      spread: number,
    ])[] = [
      ['the median absolute deviation, scaled', 0.01, around(5), 1.4826],
      ['a tenth of the level, where that is more', 0.01, around(100), 10],
      ['a tenth of a constant level', 0.01, () => 40, 4],
      ['the floor of the feature, where that is more', 3, around(5), 3],
      ['the floor of the feature at a constant 0', 0.5, () => 0, 0.5],
    ];
    for (const [what, spreadFloor, valueAt, spread] of cases) {
      for (const kind of ['pod', 'workload'] as const) {
        it(`are ${what} (${kind})`, () => {
          const features = [feature('a', { spreadFloor })];
          const training = [{ pod: 'p', rows: rowsOf(30, valueAt) }];
          const { expected, deviation } = measure(features, kind, training, { pod: 'p' }, 100);
          expect(deviation).to.be.closeTo((100 - expected) / spread, 1e-9);
        });
      }
    }

    it('of the fleet are a factor of 1.1 at least', () => {
      const training = [{ pod: 'p', rows: rowsOf(30, () => 100) }];
      const { deviation } = measure(noFloor, 'pod', training, { pod: 'alien' }, 100 * 1.1 ** 3);
      expect(deviation).to.be.closeTo(3, 1e-6);
    });

    it('of the fleet are measured from the level itself, whatever the floor', () => {
      const features = [feature('a', { spreadFloor: 50 })];
      const training = [{ pod: 'p', rows: rowsOf(30, () => 100) }];
      const { expected, deviation } = measure(features, 'pod', training, { pod: 'alien' }, 100);
      expect(expected).to.be.closeTo(100, 1e-9);
      expect(deviation).to.be.closeTo(0, 1e-9);
      expect(measure(features, 'pod', training, { pod: 'alien' }, 115).deviation).to.be.closeTo(1, 1e-9);
    });

    it('of the cluster are 1 for a constant column, as in scikit-learn', () => {
      const training = [{ pod: 'p', rows: rowsOf(30, () => 100) }];
      expect(measure(noFloor, 'cluster', training, { pod: 'p' }, 103).deviation).to.equal(3);
    });
  });

  describe('directions', () => {
    const up = [feature('a', { direction: 'up', spreadFloor: 0.5 })];
    const training = [{ pod: 'p', rows: rowsOf(30, () => 3) }];

    for (const kind of ['pod', 'workload'] as const) {
      it(`never fall below 0 for a feature that counts upwards (${kind})`, () => {
        for (const pod of ['p', 'alien']) {
          expect(measure(up, kind, training, { pod }, 0).deviation, pod).to.equal(0);
          expect(measure(up, kind, training, { pod }, 6).deviation, pod).to.be.above(0);
        }
      });
    }

    it('go both ways for the others', () => {
      const both = [feature('a', { spreadFloor: 0.5 })];
      for (const pod of ['p', 'alien']) {
        expect(measure(both, 'pod', training, { pod }, 1).deviation, pod).to.be.below(0);
        expect(measure(both, 'pod', training, { pod }, 6).deviation, pod).to.be.above(0);
      }
    });

    it('go both ways in the plain method, which knows StandardScaler only', () => {
      const restarts = [{ pod: 'p', rows: rowsOf(40, (instant) => (instant % 2 === 0 ? 0 : 2)) }];
      expect(measure(up, 'cluster', restarts, { pod: 'p' }, 0).deviation).to.equal(-1);
      expect(measure(up, 'cluster', restarts, { pod: 'p' }, 2).deviation).to.equal(1);
    });
  });

  it('passes over incomplete instants, and leaves them blank', () => {
    const features = [feature('a'), feature('b')];
    const blank = [Number.NaN, Number.NaN];
    const rows = Array.from({ length: 60 }, (_, instant) => (instant % 2 === 0 ? [10, 20] : blank));
    const table = featureTable(features, [{ pod: 'p', rows }]);
    const { expected, deviations } = measureDeviations(fitBaseline(table, features, 'pod'), features, table);
    expect([...expected.subarray(0, 4)]).to.deep.equal([10, 20, ...blank]);
    expect([...deviations.subarray(0, 4)]).to.deep.equal([0, 0, ...blank]);
  });

  it('survives an incident in 40 % of the window', () => {
    const training = [
      { pod: 'p', rows: rowsOf(60, (instant) => (instant < 24 ? 500 : around(10)(instant))) },
    ];
    const features = [feature('a', { spreadFloor: 0.1 })];
    const { expected, deviation } = measure(features, 'pod', training, { pod: 'p' }, 500);
    expect(expected).to.be.within(9, 11);
    expect(deviation).to.be.above(100);
  });
});
