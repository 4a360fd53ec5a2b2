import { expect } from 'chai';
import type { FeatureDefinition } from '../../../src/exporter/features/catalog.js';
import { FeatureTable } from '../../../src/exporter/features/table.js';
import { type BaselineKind, fitBaseline } from '../../../src/exporter/model/baseline.js';
import { measure } from '../../support/measure.js';
import { feature, featureTable, type WrittenPod } from '../../support/tables.js';

const rowsOf = (count: number, valueAt: (instant: number) => number) =>
  Array.from({ length: count }, (_, instant) => [valueAt(instant)]);

/** The values around a level: median `level`, MAD 1. */
const around = (level: number) => (instant: number) => level + (instant % 3) - 1;

/** Blank instants before the values, so that a pod has fewer samples than the table has instants. */
const late = (instants: number, samples: number, valueAt: (instant: number) => number) =>
  rowsOf(instants, (instant) => (instant < instants - samples ? Number.NaN : valueAt(instant)));

/** Blank instants after the values: a pod that has gone. */
const gone = (instants: number, samples: number, valueAt: (instant: number) => number) =>
  rowsOf(instants, (instant) => (instant < samples ? valueAt(instant) : Number.NaN));

/** What is expected of one pod, how far a value of it deviates, and what the forest sees, in the only column. */
function measureOne(
  features: readonly FeatureDefinition[],
  kind: BaselineKind,
  training: readonly WrittenPod[],
  pod: Omit<WrittenPod, 'rows'>,
  value: number,
): { expected: number; deviation: number; input: number } {
  const baseline = fitBaseline({ window: featureTable(features, training), history: [] }, features, kind, 4);
  const current = featureTable(features, [{ ...pod, rows: [[value]] }]);
  const measured = measure(baseline, features, current, { firstInstant: 0, excuseSchedules: true });
  return {
    expected: measured.expected[0] ?? Number.NaN,
    deviation: measured.deviations[0] ?? Number.NaN,
    input: measured.inputs[0] ?? Number.NaN,
  };
}

describe('Baseline', () => {
  const noFloor = [feature('a', { spreadFloor: 1e-9 })];

  describe('takes the closest group that can tell', () => {
    const training: WrittenPod[] = [
      { pod: 'web-1', workload: 'web', rows: rowsOf(60, () => 10) },
      { pod: 'web-2', workload: 'web', rows: rowsOf(60, () => 10) },
      { pod: 'web-3', workload: 'web', rows: rowsOf(60, around(1000)) },
      { pod: 'web-born', workload: 'web', rows: late(60, 50, () => 77) },
      { pod: 'new-1', workload: 'new', rows: late(60, 19, around(500)) },
      { pod: 'old-1', workload: 'old', rows: late(60, 20, around(200)) },
      { pod: 'two-1', workload: 'two', rows: late(60, 10, around(70)) },
      { pod: 'two-2', workload: 'two', rows: late(60, 10, around(70)) },
      { pod: 'rolled-1', workload: 'rolled', rows: gone(60, 30, around(300)) },
      { pod: 'short-1', workload: 'short', rows: gone(60, 15, around(20)) },
    ];
    const expectedOf = (kind: BaselineKind, pod: string, workload: string, namespace = 'ns') =>
      measureOne(noFloor, kind, training, { namespace, pod, workload }, 1).expected;
    const fleet = expectedOf('pod', 'alien-1', 'alien');

    const rows: readonly (readonly [what: string, pod: string, workload: string, expected: number])[] = [
      ['a pod that has been there all the time with itself', 'web-1', 'web', 10],
      ['another one of the same workload with itself', 'web-3', 'web', 1000],
      ['a pod that nobody has seen with its siblings', 'web-4', 'web', 10],
      ['a pod that came within the window with its siblings, not its own past', 'web-born', 'web', 10],
      ['a pod without siblings with its short past', 'old-1', 'old', 200],
      ['a pod of a rollout with those that it replaces, which are gone', 'rolled-2', 'rolled', 300],
      ['a pod without siblings and with too short a past with the fleet', 'new-1', 'new', fleet],
      ['pods with siblings that came with them with the fleet', 'two-1', 'two', fleet],
      ['pods with siblings of too short a past with the fleet', 'short-2', 'short', fleet],
      ['a pod of a workload that nobody knows with the fleet', 'alien-1', 'alien', fleet],
    ];
    for (const [what, pod, workload, expected] of rows) {
      it(`compares ${what}`, () => expect(expectedOf('pod', pod, workload)).to.equal(expected));
    }

    it('takes the median pod for the fleet, however many samples each has', () => {
      // Usual levels: 10, 10, 20, 70, 70, 77, 200, 300, 500, 1000.
      expect(fleet).to.be.closeTo(Math.sqrt(70 * 77), 1e-6);
    });

    it('does not know a workload of the same name in another namespace', () => {
      expect(expectedOf('pod', 'web-1', 'web', 'elsewhere')).to.equal(fleet);
    });

    it('compares every pod with its siblings for BASELINE=workload, and with itself only without', () => {
      expect(expectedOf('workload', 'web-1', 'web')).to.equal(10);
      expect(expectedOf('workload', 'web-3', 'web')).to.equal(10);
      expect(expectedOf('workload', 'web-born', 'web')).to.equal(10);
      expect(expectedOf('workload', 'old-1', 'old')).to.equal(200);
      expect(expectedOf('workload', 'new-1', 'new')).to.equal(fleet);
    });

    it('compares every pod with the mean of all samples for BASELINE=cluster', () => {
      const values = training.flatMap(({ rows: own }) => own.flat()).filter((value) => !Number.isNaN(value));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(expectedOf('cluster', 'web-1', 'web')).to.be.closeTo(mean, 1e-9);
      expect(expectedOf('cluster', 'alien-1', 'alien')).to.be.closeTo(mean, 1e-9);
    });

    it('does not depend on the order of the pods', () => {
      const reversed = training.toReversed();
      for (const kind of ['pod', 'workload'] as const) {
        for (const { pod, workload = pod } of [...training, { pod: 'web-4', workload: 'web' }]) {
          const inOrder = measureOne(noFloor, kind, training, { pod, workload }, 40);
          expect(measureOne(noFloor, kind, reversed, { pod, workload }, 40), `${kind} ${pod}`).to.deep.equal(inOrder);
        }
      }
    });
  });

  describe('calls established who was there in the first tenth', () => {
    const kept = { pod: 'kept', workload: 'w', rows: rowsOf(60, () => 10) };
    const expectedOf = (samples: number) =>
      measureOne(
        noFloor,
        'pod',
        [kept, { pod: 'p', workload: 'w', rows: late(60, samples, () => 50) }],
        { pod: 'p', workload: 'w' },
        50,
      ).expected;

    it('of the window', () => {
      expect(expectedOf(60)).to.equal(50);
      expect(expectedOf(55)).to.equal(50);
      expect(expectedOf(54)).to.equal(10);
    });

    it('of what Prometheus has, where the window begins before that', () => {
      const blank = rowsOf(60, () => Number.NaN);
      const expectedAfterBlank = (samples: number) => {
        const pods = [kept, { pod: 'p', workload: 'w', rows: late(60, samples, () => 50) }];
        const training = pods.map((pod) => ({ ...pod, rows: [...blank, ...pod.rows] }));
        return measureOne(noFloor, 'pod', training, { pod: 'p', workload: 'w' }, 50).expected;
      };
      expect(expectedAfterBlank(55)).to.equal(50);
      expect(expectedAfterBlank(54)).to.equal(10);
    });
  });

  describe('spreads', () => {
    const cases: readonly (readonly [
      what: string,
      floor: number,
      valueAt: (instant: number) => number,
      ofPod: number,
      ofWorkload: number,
    ])[] = [
      ['the median absolute deviation, scaled', 0.01, around(5), 1.4826, 1.4826],
      ['a share of the level, where that is more', 0.01, around(100), 10, 20],
      ['a share of a constant level', 0.01, () => 40, 4, 8],
      ['the floor of the feature, where that is more', 3, around(5), 3, 3],
      ['the floor of the feature at a constant 0', 0.5, () => 0, 0.5, 0.5],
    ];
    for (const [what, spreadFloor, valueAt, ofPod, ofWorkload] of cases) {
      for (const [kind, spread] of [
        ['pod', ofPod],
        ['workload', ofWorkload],
      ] as const) {
        it(`are ${what} (${kind})`, () => {
          const features = [feature('a', { spreadFloor })];
          const training = [{ pod: 'p', rows: rowsOf(30, valueAt) }];
          const { expected, deviation } = measureOne(features, kind, training, { pod: 'p' }, 100);
          expect(deviation).to.be.closeTo((100 - expected) / spread, 1e-9);
        });
      }
    }

    const spreadOfSiblings = (pods: readonly ((instant: number) => number)[]) => {
      const training = pods.map((valueAt, index) => ({
        pod: `p${index}`,
        workload: 'w',
        rows: rowsOf(30, valueAt),
      }));
      const { expected, deviation } = measureOne(noFloor, 'pod', training, { pod: 'new', workload: 'w' }, 1e4);
      return (1e4 - expected) / deviation;
    };

    it('of siblings are as far as these are apart, where that is more', () => {
      const levels = [100, 200, 300, 400, 500].map((level) => () => level);
      expect(spreadOfSiblings(levels)).to.be.closeTo(148.26, 1e-6);
    });

    it('of siblings are as far as each of them wavers, where that is more', () => {
      const wavering = [1, 2, 3].map(() => (instant: number) => 100 + 40 * ((instant % 3) - 1));
      expect(spreadOfSiblings(wavering)).to.be.closeTo(40 * 1.4826, 1e-6);
    });

    it('of the fleet are a factor of 2 at least', () => {
      const training = [{ pod: 'p', rows: rowsOf(30, () => 100) }];
      const { deviation } = measureOne(noFloor, 'pod', training, { pod: 'alien' }, 100 * 2 ** 3);
      expect(deviation).to.be.closeTo(3, 1e-6);
    });

    it('of the fleet are wide where pods are of many sizes', () => {
      const training = [1, 2, 3, 4, 5].map((size) => ({
        pod: `p${size}`,
        rows: rowsOf(30, () => 100 ** size),
      }));
      const { expected, deviation } = measureOne(noFloor, 'pod', training, { pod: 'alien' }, 100 ** 6);
      expect(expected).to.be.closeTo(100 ** 3, 1e-3);
      expect(deviation).to.be.closeTo(3 / 1.4826, 1e-6);
    });

    it('of the fleet are measured from the level itself, with the floor as the least value', () => {
      const features = [feature('a', { spreadFloor: 50 })];
      const training = [{ pod: 'p', rows: rowsOf(30, () => 100) }];
      const deviationAt = (value: number) => measureOne(features, 'pod', training, { pod: 'alien' }, value).deviation;
      expect(measureOne(features, 'pod', training, { pod: 'alien' }, 100).expected).to.be.closeTo(100, 1e-9);
      expect(deviationAt(100)).to.be.closeTo(0, 1e-9);
      expect(deviationAt(200)).to.be.closeTo(1, 1e-9);
      expect(deviationAt(0)).to.be.closeTo(-1, 1e-9);
    });

    it('of the cluster are 1 for a constant column, as in scikit-learn', () => {
      const training = [{ pod: 'p', rows: rowsOf(30, () => 100) }];
      expect(measureOne(noFloor, 'cluster', training, { pod: 'p' }, 103).deviation).to.equal(3);
    });
  });

  describe('directions', () => {
    const up = [feature('a', { direction: 'up', spreadFloor: 0.5 })];
    const training = [{ pod: 'p', rows: rowsOf(30, () => 3) }];

    for (const kind of ['pod', 'workload'] as const) {
      it(`never fall below 0 for a feature that counts upwards (${kind})`, () => {
        for (const pod of ['p', 'alien']) {
          expect(measureOne(up, kind, training, { pod }, 0), pod).to.include({ deviation: 0, input: 0 });
          expect(measureOne(up, kind, training, { pod }, 6).deviation, pod).to.be.above(0);
        }
      });
    }

    it('go both ways for the others', () => {
      const both = [feature('a', { spreadFloor: 0.5 })];
      for (const pod of ['p', 'alien']) {
        expect(measureOne(both, 'pod', training, { pod }, 1).deviation, pod).to.be.below(0);
        expect(measureOne(both, 'pod', training, { pod }, 6).deviation, pod).to.be.above(0);
      }
    });

    it('go upwards for a young pod: a fall is told, and not held against it', () => {
      const both = [feature('a', { spreadFloor: 0.5 })];
      const pods = [{ pod: 'p', workload: 'w', rows: rowsOf(30, () => 30) }];
      for (const young of [
        { pod: 'q', workload: 'w' },
        { pod: 'alien', workload: 'alien' },
      ]) {
        const low = measureOne(both, 'pod', pods, young, 1);
        expect(low.deviation, young.pod).to.be.below(-2);
        expect(low.input, young.pod).to.equal(0);
        expect(measureOne(both, 'pod', pods, young, 300).input, young.pod).to.be.above(1);
      }
      expect(measureOne(both, 'pod', pods, { pod: 'p', workload: 'w' }, 1).input).to.be.below(-1);
    });

    it('go both ways in the plain method, which knows StandardScaler only', () => {
      const restarts = [{ pod: 'p', rows: rowsOf(40, (instant) => (instant % 2 === 0 ? 0 : 2)) }];
      expect(measureOne(up, 'cluster', restarts, { pod: 'p' }, 0).deviation).to.equal(-1);
      expect(measureOne(up, 'cluster', restarts, { pod: 'p' }, 2).deviation).to.equal(1);
    });
  });

  describe('survives an incident', () => {
    const polluted = (share: number) =>
      rowsOf(60, (instant) => (instant < 60 * (1 - share) ? around(10)(instant) : 500));
    const slice = rowsOf(18, around(10));
    const fitted = (share: number, history: readonly (readonly number[][])[]) => {
      const features = [feature('a', { spreadFloor: 0.1 })];
      const tableOf = (rows: number[][]) => featureTable(features, [{ pod: 'p', rows }]);
      const baseline = fitBaseline(
        { window: tableOf(polluted(share)), history: history.map((rows) => tableOf([...rows])) },
        features,
        'pod',
        4,
      );
      return { location: baseline.pods.location[0] ?? 0, scale: baseline.pods.scale[0] ?? 0 };
    };

    it('in 40 % of the window without any memory', () => {
      expect(fitted(0.4, []).location).to.be.within(9, 11);
      expect(fitted(0.4, []).scale).to.be.below(5);
    });

    it('in 50 % of the window, and in 80 %, with slices of earlier hours', () => {
      for (const share of [0.5, 0.8]) {
        const { location, scale } = fitted(share, [slice, slice]);
        expect(location).to.be.within(9, 11);
        expect(scale).to.be.below(5);
      }
      expect(fitted(0.8, []).location).to.equal(500);
    });

    it('and passes over slices in which the pod was not there', () => {
      const features = [feature('a', { spreadFloor: 0.1 })];
      const other = featureTable(features, [{ pod: 'q', rows: slice }]);
      const window = featureTable(features, [{ pod: 'p', rows: polluted(0.8) }]);
      const withOther = fitBaseline({ window, history: [other, other] }, features, 'pod', 4);
      expect(withOther.pods).to.deep.equal(fitBaseline({ window, history: [] }, features, 'pod', 4).pods);
    });

    it('unless the method is the plain one, which has no memory', () => {
      const features = [feature('a')];
      const window = featureTable(features, [{ pod: 'p', rows: polluted(0.8) }]);
      const history = [featureTable(features, [{ pod: 'p', rows: slice }])];
      expect(fitBaseline({ window, history }, features, 'cluster', 4)).to.deep.equal(
        fitBaseline({ window, history: [] }, features, 'cluster', 4),
      );
    });
  });

  it('fits more pods than a call takes arguments', () => {
    const window = new FeatureTable({
      features: ['a'],
      pods: Array.from({ length: 150_000 }, (_, index) => ({
        namespace: 'ns',
        pod: `p${index}`,
        workload: 'w',
      })),
      timestampsSeconds: Float64Array.of(0),
      values: new Float64Array(150_000),
    });
    expect(fitBaseline({ window, history: [] }, noFloor, 'pod', 4).pods.seenSeconds).to.have.lengthOf(150_000);
  });

  it('measures bursts by the sensitivity: it says what is near the usual level', () => {
    // Half of the minutes at 10; bursts of one minute on a plateau 5 spreads above it.
    const rows = rowsOf(60, (instant) => (instant < 35 ? 10 : instant % 3 === 0 ? 30 : 15));
    const features = [feature('a')];
    const window = featureTable(features, [{ pod: 'p', rows }]);
    const scaleAt = (sensitivity: number) =>
      fitBaseline({ window, history: [] }, features, 'pod', sensitivity).pods.scale[0];
    expect(scaleAt(4)).to.equal(1);
    expect(scaleAt(6)).to.equal(15);
  });
});
