import { serialize } from 'node:v8';
import { expect } from 'chai';
import { detect, RECENT_INSTANTS } from '../../../src/exporter/detection/detect.js';
import type { FeatureDefinition } from '../../../src/exporter/features/catalog.js';
import { FeatureTable } from '../../../src/exporter/features/table.js';
import { fitModel, MINIMUM_TRAINING_SAMPLES, type ModelParameters } from '../../../src/exporter/model/fit.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { createRandom } from '../../../src/exporter/model/random.js';
import { workloadsOf } from '../../support/models.js';
import { DEFAULT_PARAMETERS } from '../../support/parameters.js';
import { createNormal, normalRows } from '../../support/random-data.js';
import { areaUnderRocCurve } from '../../support/roc.js';
import { CATALOG, feature, featureTable, recentOf, type WrittenPod } from '../../support/tables.js';

const KINDS = ['pod', 'workload', 'cluster'] as const;

const MEBIBYTE = 2 ** 20;

const train = (
  table: FeatureTable,
  features: readonly FeatureDefinition[],
  changes: Partial<ModelParameters> = {},
): Model => fitModel({ window: table, history: [] }, features, { ...DEFAULT_PARAMETERS, ...changes });

/** Scores of all instants of a table, one after the other, as the service gives them; above 0 = anomalous. */
const scoresOf = (model: Model, table: FeatureTable): number[] =>
  Array.from(table.timestampsSeconds.keys()).flatMap((instant) => [...detect(model, recentOf(table, instant)).scores]);

/** The score of one pod after these rows, a minute apart. */
function scoreAfter(model: Model, pod: string, rows: readonly (readonly number[])[]): number {
  const table = featureTable(model.features, [{ pod, rows }]);
  return detect(model, recentOf(table, rows.length - 1)).scores[0] ?? Number.NaN;
}

/** The score of one pod that is as this row says, for as long as detection looks back. */
const scoreOf = (model: Model, pod: string, row: readonly number[]): number =>
  scoreAfter(model, pod, new Array(RECENT_INSTANTS).fill(row));

/** Scores of rows that have nothing to do with each other. */
const scoresOfRows = (model: Model, rows: readonly (readonly number[])[], pod = 'p'): number[] =>
  rows.map((row) => scoreOf(model, pod, row));

/** One pod with these rows. */
const onePod = (features: readonly FeatureDefinition[], rows: readonly (readonly number[])[], pod = 'p') =>
  featureTable(features, [{ pod, rows }]);

/** Usual cpu, memory and restarts of pods of all sizes: `pod-0` is the smallest, each next one half as large again. */
function fleet(pods: number, instants: number, seed = 1): WrittenPod[] {
  const normal = createNormal(seed);
  return Array.from({ length: pods }, (_, index) => ({
    pod: `pod-${index}`,
    workload: `workload-${index % 5}`,
    rows: Array.from({ length: instants }, () => [
      0.02 * 1.5 ** index * (1 + 0.1 * normal()),
      (50 + 10 * index) * MEBIBYTE * (1 + 0.05 * normal()),
      index % 3,
    ]),
  }));
}

const WILD = [
  [0, 0, 0],
  [1e6, 1e15, 1e9],
  [0, 1e15, 0],
  [0.02, 50 * MEBIBYTE, 0],
];

const columns = (names: string) => [...names].map((name) => feature(name, { spreadFloor: 0.01 }));

describe('fitModel', () => {
  describe('finds what stands out', () => {
    // The first two as in scikit-learn's test_iforest_works and test_iforest_performance.
    const inliers = [
      [-2, -1],
      [-1, -1],
      [-1, -2],
      [1, 1],
      [1, 2],
      [2, 1],
    ];
    const outliers = [
      [7, 4],
      [-5, 9],
    ];

    for (const kind of KINDS) {
      it(`gives the two outliers of a toy set the two highest scores (${kind})`, () => {
        const features = columns('ab');
        const rows = [...inliers, ...inliers, ...inliers, ...inliers, ...outliers];
        const table = onePod(features, rows);
        const scores = scoresOfRows(train(table, features, { baseline: kind }), rows);
        const worst = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, 2);
        expect(worst).to.have.members([rows.length - 2, rows.length - 1]);
      });
    }

    it('tells points between two blobs from the blobs: AUC above 0.98 (cluster)', () => {
      const features = columns('ab');
      const blobs = normalRows(1200, 2, 1).map((row, index) =>
        row.map((value) => 0.3 * value + (index % 2 === 0 ? 2 : -2)),
      );
      const random = createRandom(2);
      const between = Array.from({ length: 200 }, () => [2 * random() - 1, 2 * random() - 1]);
      const model = train(onePod(features, blobs.slice(0, 1000)), features, { baseline: 'cluster' });
      const tested = [...blobs.slice(1000), ...between];
      const labels = tested.map((_, index) => (index < 200 ? 0 : 1));
      expect(areaUnderRocCurve(scoresOfRows(model, tested), labels)).to.be.above(0.98);
    });

    for (const kind of ['pod', 'workload'] as const) {
      it(`tells points around a blob from the blob: AUC above 0.98 (${kind})`, () => {
        const features = columns('ab');
        const blob = normalRows(1200, 2, 3);
        const random = createRandom(4);
        const around = Array.from({ length: 200 }, () => {
          const angle = 2 * Math.PI * random();
          const distance = 5 + 10 * random();
          return [distance * Math.cos(angle), distance * Math.sin(angle)];
        });
        const model = train(onePod(features, blob.slice(0, 1000)), features, { baseline: kind });
        const tested = [...blob.slice(1000), ...around];
        const labels = tested.map((_, index) => (index < 200 ? 0 : 1));
        expect(areaUnderRocCurve(scoresOfRows(model, tested), labels)).to.be.above(0.98);
      });
    }
  });

  describe('flags nothing where there is nothing', () => {
    for (const kind of KINDS) {
      for (const [instants, estimators] of [
        [10, 100],
        [20, 101],
        [256, 50],
        [600, 100],
        [600, 300],
      ] as const) {
        it(`in ${instants} equal rows with ${estimators} trees (${kind})`, () => {
          const rows = Array.from({ length: instants }, () => [0.25, 100 * MEBIBYTE, 500]);
          const table = onePod(CATALOG, rows);
          const model = train(table, CATALOG, { baseline: kind, estimators });
          expect(scoresOf(model, table).filter((score) => score > 0)).to.have.lengthOf(0);
        });
      }

      it(`in equal rows with a contamination (${kind})`, () => {
        const table = onePod(
          CATALOG,
          Array.from({ length: 100 }, () => [0.25, 100 * MEBIBYTE, 500]),
        );
        const model = train(table, CATALOG, { baseline: kind, contamination: 0.1 });
        expect(scoresOf(model, table).filter((score) => score > 0)).to.have.lengthOf(0);
      });
    }

    describe('but a change of a constant pod', () => {
      const usual = [0.25, 100 * MEBIBYTE, 500];
      const model = train(onePod(CATALOG, new Array(60).fill(usual)), CATALOG);
      const restarting = (...counts: number[]) => counts.map((count) => usual.with(2, count));
      const rows: readonly (readonly [what: string, after: readonly (readonly number[])[], flagged: boolean])[] = [
        ['three times the CPU', [usual, usual.with(0, 0.75), usual.with(0, 0.75)], true],
        ['twice the memory', [usual, usual.with(1, 200 * MEBIBYTE)], true],
        ['a tenth more of each', [usual, [0.275, 110 * MEBIBYTE, 500]], false],
        ['one restart', restarting(500, 501, 501), false],
        ['two restarts in a minute', restarting(500, 500, 502, 502), true],
        ['two restarts within five minutes', restarting(500, 501, 501, 501, 501, 502, 502), true],
        ['two restarts, and five quiet minutes since', restarting(501, 502, 502, 502, 502, 502, 502), false],
        ['a counter that begins anew', restarting(500, 0, 0), false],
        ['a counter that is higher than ever, and rests', restarting(700, 700, 700), false],
      ];
      for (const [what, after, flagged] of rows) {
        it(`${what}: ${flagged ? 'flagged' : 'not flagged'}`, () => {
          expect(scoreAfter(model, 'p', after) > 0).to.equal(flagged);
        });
      }
    });
  });

  describe('is reproducible', () => {
    const table = featureTable(CATALOG, fleet(10, 40));

    for (const kind of KINDS) {
      it(`byte by byte for the same seed, and other trees for another (${kind})`, () => {
        const one = train(table, CATALOG, { baseline: kind });
        expect(serialize(train(table, CATALOG, { baseline: kind })).equals(serialize(one))).to.equal(true);
        const other = train(table, CATALOG, { baseline: kind, randomState: 43 });
        expect(other.forest.splitValues).not.to.deep.equal(one.forest.splitValues);
        expect(other.baseline).to.deep.equal(one.baseline);
      });
    }

    it('whatever was fitted before: fit(A) then fit(B) is fit(B)', () => {
      const other = featureTable(CATALOG, fleet(7, 30, 2));
      const first = serialize(train(other, CATALOG));
      train(table, CATALOG);
      expect(serialize(train(other, CATALOG)).equals(first)).to.equal(true);
    });

    it('and does not write into the table', () => {
      const before = structuredClone(table);
      for (const kind of KINDS) train(table, CATALOG, { baseline: kind });
      expect(table).to.deep.equal(before);
    });

    it('without one number from the global generator', () => {
      const original = Math.random;
      const forbidden = () => expect.fail('Math.random was called');
      Math.random = forbidden;
      try {
        train(table, CATALOG);
        expect(Math.random).to.equal(forbidden);
      } finally {
        Math.random = original;
      }
    });
  });

  describe('does not see the unit of a feature', () => {
    it('in the plain method: shift and scale of each column change no score', () => {
      const features = columns('abc');
      const table = onePod(features, normalRows(400, 3, 5));
      const scaled = new FeatureTable({
        ...table,
        values: table.values.map((value, cell) => value * 8 ** (cell % 3) + 100 * (cell % 3)),
      });
      const plain = scoresOf(train(table, features, { baseline: 'cluster' }), table);
      const other = scoresOf(train(scaled, features, { baseline: 'cluster' }), scaled);
      plain.forEach((score, row) => {
        expect(other[row]).to.be.closeTo(score, 1e-9);
      });
      expect(new Set(plain).size).to.be.above(300);
    });

    it('against a pod’s own past: a pod of eight times the size gets the same scores', () => {
      const features = [feature('cpu', { spreadFloor: 1e-6 }), feature('memory', { spreadFloor: 1e-6 })];
      const rows = normalRows(60, 2, 6).map(([cpu = 0, memory = 0]) => [1 + 0.2 * cpu, 100 + 20 * memory]);
      const times = (factor: number) => rows.map(([cpu = 0, memory = 0]) => [factor * cpu, memory]);
      const tableOf = (factor: number) =>
        featureTable(features, [
          { pod: 'a', rows },
          { pod: 'b', rows: times(factor) },
        ]);
      const plain = scoresOf(train(tableOf(1), features), tableOf(1));
      const large = scoresOf(train(tableOf(8), features), tableOf(8));
      expect(large).to.deep.equal(plain);
      expect(new Set(plain).size).to.be.above(50);
    });
  });

  describe('judges a pod by its own past', () => {
    const pods = fleet(20, 60);
    const model = train(featureTable(CATALOG, pods), CATALOG);
    const last = pods.length - 1;
    const cores = (index: number) => 0.02 * 1.5 ** index;
    const bytes = (index: number) => (50 + 10 * index) * MEBIBYTE;

    it('so a large but steady pod is not flagged', () => {
      expect(cores(last)).to.be.above(40);
      expect(scoreOf(model, `pod-${last}`, [cores(last), bytes(last), last % 3])).to.be.below(0);
    });

    it('and a small pod that doubles is', () => {
      for (const index of [0, 6]) {
        const pod = `pod-${index}`;
        expect(scoreOf(model, pod, [cores(index), bytes(index), 0])).to.be.below(0);
        expect(scoreOf(model, pod, [2 * cores(index), bytes(index), 0])).to.be.above(0);
        expect(scoreOf(model, pod, [cores(index), 2 * bytes(index), 0])).to.be.above(0);
      }
    });

    it('while the plain method flags the large pod, and not the small one that doubles', () => {
      const plain = train(featureTable(CATALOG, pods), CATALOG, { baseline: 'cluster' });
      expect(scoreOf(plain, `pod-${last}`, [cores(last), bytes(last), last % 3])).to.be.above(0);
      expect(scoreOf(plain, 'pod-6', [2 * cores(6), bytes(6), 0])).to.be.below(0);
    });

    it('and flags few of the usual rows', () => {
      const scores = scoresOf(model, featureTable(CATALOG, pods));
      expect(scores.filter((score) => score > 0).length / scores.length).to.be.below(0.005);
    });
  });

  describe('draws the boundary where one feature alone deviates by the sensitivity', () => {
    for (const width of [2, 3, 5]) {
      for (const sensitivity of [3, 4, 8]) {
        it(`of ${sensitivity} spreads, with ${width} features`, () => {
          const features = Array.from({ length: width }, (_, index) =>
            feature(`f${index}`, { spreadFloor: 1e-6, direction: index === width - 1 ? 'up' : 'both' }),
          );
          const rows = normalRows(60 * 20, width, 7).map((row) => row.map((value) => 1000 + 200 * value));
          const table = featureTable(
            features,
            Array.from({ length: 20 }, (_, pod) => ({
              pod: `p${pod}`,
              rows: rows.slice(60 * pod, 60 * pod + 60),
            })),
          );
          const model = train(table, features, { sensitivity, estimators: 300 });
          const { location, scale } = model.baseline.pods;
          const usual = [...location.subarray(0, width)];
          const scoresAt = (spreads: number) =>
            features.flatMap(({ direction }, column) =>
              (direction === 'both' ? [1, -1] : [1]).map((sign) =>
                // A fall counts half.
                scoreOf(
                  model,
                  'p0',
                  usual.with(column, (usual[column] ?? 0) + (sign > 0 ? 1 : -2) * spreads * (scale[column] ?? 0)),
                ),
              ),
            );
          const atBoundary = scoresAt(sensitivity);
          expect(atBoundary.reduce((sum, score) => sum + score, 0) / atBoundary.length).to.be.closeTo(0, 1e-6);
          for (const score of atBoundary) expect(score).to.be.closeTo(0, 0.05);
          for (const score of scoresAt(2 * sensitivity)) expect(score).to.be.above(0);
          for (const score of scoresAt(sensitivity / 2)) expect(score).to.be.below(0);
          expect(scoreOf(model, 'p0', usual)).to.be.below(Math.min(...scoresAt(sensitivity / 2)));
        });
      }
    }
  });

  describe('with a contamination', () => {
    const table = featureTable(CATALOG, fleet(20, 60));
    for (const kind of KINDS) {
      for (const contamination of [0.01, 0.05, 0.2, 0.5]) {
        it(`of ${contamination} flags about that share of the training rows (${kind})`, () => {
          const scores = scoresOf(train(table, CATALOG, { baseline: kind, contamination }), table);
          const share = scores.filter((score) => score > 0).length / scores.length;
          expect(share).to.be.within(0.9 * contamination, contamination);
        });
      }
    }
  });

  it('compares with an even background that reaches to where deviations end, and not below 0 upwards', () => {
    const features = [feature('a'), feature('b', { direction: 'up' })];
    const table = onePod(
      features,
      Array.from({ length: 60 }, () => [100, 100]),
    );
    const splitsOf = (kind: ModelParameters['baseline'], column: number) => {
      const { splitFeatures, splitValues } = train(table, features, { baseline: kind }).forest;
      return [...splitValues].filter((value, node) => splitFeatures[node] === column && value !== 0);
    };
    const limit = Math.asinh(50);
    for (const kind of ['pod', 'workload'] as const) {
      expect(Math.min(...splitsOf(kind, 0))).to.be.within(-limit, -0.9 * limit);
      expect(Math.max(...splitsOf(kind, 0))).to.be.within(0.9 * limit, limit);
      expect(Math.min(...splitsOf(kind, 1))).to.be.within(0, 0.1 * limit);
      expect(Math.max(...splitsOf(kind, 1))).to.be.within(0.9 * limit, limit);
    }
    expect(splitsOf('cluster', 0)).to.deep.equal([]);
  });

  it('takes 0.5 for the boundary of the plain method', () => {
    const model = train(featureTable(CATALOG, fleet(10, 30)), CATALOG, { baseline: 'cluster' });
    expect(model.threshold).to.be.closeTo(0.5, 1e-9);
  });

  it('scores in (0, 1] before the threshold is taken off, in the plain method', () => {
    const model = train(featureTable(CATALOG, fleet(10, 30)), CATALOG, { baseline: 'cluster' });
    for (const pod of ['pod-0', 'alien']) {
      for (const row of WILD) {
        expect(scoreOf(model, pod, row) + model.threshold)
          .to.be.above(0)
          .and.at.most(1);
      }
    }
  });

  for (const kind of ['pod', 'workload'] as const) {
    it(`gives the wildest values a score of a sane size (${kind})`, () => {
      const model = train(featureTable(CATALOG, fleet(10, 30)), CATALOG, { baseline: kind });
      for (const pod of ['pod-0', 'alien']) {
        for (const row of WILD) expect(scoreOf(model, pod, row)).to.be.within(-2, 2);
      }
      expect(scoreOf(model, 'pod-0', [1e6, 1e15, 1e9])).to.be.above(0.5);
    });
  }

  describe('does not flag small deviations together, however rare they are', () => {
    const features = columns('abcde');
    // With a spread of a tenth of the level, 1 is a spread.
    const rows = Array.from({ length: 60 }, () => [10, 10, 10, 10, 10]);
    const at = (spreads: number) => new Array(5).fill(10 + spreads);

    it('of less than half of the sensitivity', () => {
      const model = train(onePod(features, rows), features);
      expect(scoreOf({ ...model, minimumInput: Number.NEGATIVE_INFINITY }, 'p', at(1.9))).to.be.above(0);
      expect(scoreOf(model, 'p', at(1.9))).to.be.at.most(0);
      expect(scoreOf(model, 'p', at(2.5))).to.be.above(0);
    });

    it('whatever the sensitivity', () => {
      const model = train(onePod(features, rows), features, { sensitivity: 8 });
      expect(scoreOf(model, 'p', at(3.9))).to.be.at.most(0);
      expect(scoreOf(model, 'p', at(5))).to.be.above(0);
    });

    it('but knows no such condition in the plain method, and with a contamination', () => {
      for (const changes of [{ baseline: 'cluster' }, { contamination: 0.1 }] as const) {
        expect(train(onePod(features, rows), features, changes).minimumInput).to.equal(-Infinity);
      }
    });
  });

  describe('leaves a model', () => {
    it('that carries no training rows: ten times the rows make no larger one', () => {
      for (const kind of KINDS) {
        const [few, many] = [60, 600].map((instants) =>
          train(featureTable(CATALOG, fleet(20, instants)), CATALOG, { baseline: kind }),
        ) as [Model, Model];
        expect(typedArrayBytes(many), kind).to.equal(typedArrayBytes(few));
        expect(serialize(many).byteLength, kind).to.be.closeTo(serialize(few).byteLength, 64);
        // 100 trees of 255 splits and 256 leaves, and little beside them.
        expect(serialize(many).byteLength, kind).to.be.below(100 * (255 * 10 + 256 * 8) + 10_000);
      }
    });

    it('that survives structuredClone with equal detections', () => {
      const table = featureTable(CATALOG, fleet(10, 40));
      for (const kind of KINDS) {
        const model = train(table, CATALOG, { baseline: kind });
        const { model: _, ...before } = detect(model, recentOf(table, 39));
        const { model: __, ...after } = detect(structuredClone(model), recentOf(table, 39));
        expect(after).to.deep.equal(before);
        expect(before.scores).to.have.lengthOf(10);
      }
    });

    it('that tells what it was made of', () => {
      const blank = [Number.NaN, Number.NaN, Number.NaN];
      const [first, second] = fleet(2, 30) as [WrittenPod, WrittenPod];
      const late = { ...second, rows: second.rows.map((row, instant) => (instant < 12 ? blank : row)) };
      const model = train(featureTable(CATALOG, [first, late]), CATALOG);
      expect(model.samples).to.equal(30 + 18);
      expect(model.pods).to.equal(2);
      expect(model.windowStartSeconds).to.equal(0);
      expect(model.windowEndSeconds).to.equal(29 * 60);
      expect(workloadsOf(model)).to.deep.equal({
        'ns/pod-0': 'workload-0',
        'ns/pod-1': 'workload-1',
      });
      expect(model.features).to.deep.equal(CATALOG);
    });
  });

  it('does not let blank rows into the forest', () => {
    // The spread is the floor: bursts are looked for up to the last minutes before a blank one.
    const features = [feature('a', { spreadFloor: 3 }), feature('b', { spreadFloor: 3 })];
    const rows = normalRows(60, 2, 8);
    const blanks = Array.from({ length: 60 }, () => [Number.NaN, Number.NaN]);
    for (const kind of KINDS) {
      const plain = train(onePod(features, rows), features, { baseline: kind });
      const gaps = train(onePod(features, [...blanks, ...rows]), features, { baseline: kind });
      expect(gaps.forest).to.deep.equal(plain.forest);
      expect(gaps.threshold).to.equal(plain.threshold);
    }
  });

  describe('keeps an incident out of the forest', () => {
    const features = [feature('a'), feature('b')];
    // Median and spread are the same with the last ten minutes and without.
    const usual = Array.from({ length: 50 }, (_, instant) => [
      [9, 10, 10, 10, 11][instant % 5] ?? 0,
      [11, 10, 9, 10, 10][instant % 5] ?? 0,
    ]);
    const tableWith = (last: readonly number[]) =>
      onePod(features, [...usual, ...Array.from({ length: 10 }, () => last)]);
    const without = tableWith([Number.NaN, Number.NaN]);

    for (const [what, last] of [
      ['in one feature', [40, 10]],
      ['in the other one, downwards', [10, -40]],
      ['in both', [40, 40]],
    ] as const) {
      it(what, () => {
        const plain = train(without, features);
        const polluted = train(tableWith(last), features);
        expect(polluted.baseline.pods.location).to.deep.equal(plain.baseline.pods.location);
        expect(polluted.baseline.pods.scale).to.deep.equal(plain.baseline.pods.scale);
        expect(polluted.forest).to.deep.equal(plain.forest);
        expect(polluted.threshold).to.equal(plain.threshold);
        expect(polluted.samples).to.equal(60);
      });
    }

    it('but learns what no feature alone gives away', () => {
      expect(train(tableWith([13, 13]), features).forest).not.to.deep.equal(train(without, features).forest);
    });

    it('and learns all in the plain method', () => {
      const cluster = { baseline: 'cluster' } as const;
      const tables = [tableWith([40, 40]), without];
      const [polluted, plain] = tables.map((table) => train(table, features, cluster).forest);
      expect(polluted).not.to.deep.equal(plain);
    });

    it('and counts it among the rows of which a contamination flags its share', () => {
      const model = train(tableWith([40, 40]), features, { contamination: 10 / 60 });
      const scores = scoresOf(model, tableWith([40, 40]));
      expect(scores.filter((score) => score > 0)).to.have.lengthOf(10);
      expect(scores.slice(50).every((score) => score > 0)).to.equal(true);
    });

    it('unless hardly any row would remain', () => {
      // The sample of a tree grows with the rows that there are to draw from.
      const drawnFrom = (kept: number, unusual: number) => {
        const rows = Array.from({ length: kept + unusual }, (_, instant) => [instant < kept ? 10 : 1e6, 10]);
        return train(onePod(features, rows), features).forest.averagePathLength;
      };
      expect(drawnFrom(10, 2)).to.equal(drawnFrom(10, 0));
      expect(drawnFrom(9, 3)).to.equal(drawnFrom(12, 0));
      expect(drawnFrom(12, 0)).to.be.above(drawnFrom(10, 0));
    });
  });

  it('refuses too few complete rows, and takes just enough', () => {
    const features = columns('ab');
    const rows = normalRows(MINIMUM_TRAINING_SAMPLES, 2, 9).map((row) => row.map((value) => 100 + value));
    const short = onePod(features, [...rows.slice(1), [Number.NaN, Number.NaN]]);
    expect(() => train(short, features)).to.throw('Expected at least 10 complete training rows, got 9.');
    for (const kind of KINDS) {
      expect(train(onePod(features, rows), features, { baseline: kind }).samples).to.equal(MINIMUM_TRAINING_SAMPLES);
    }
  });

  it('gives two models the same fingerprint only if all but the data is the same', () => {
    const table = featureTable(CATALOG, fleet(5, 20));
    const [cpu, ...others] = CATALOG as [FeatureDefinition, ...FeatureDefinition[]];
    const fingerprint = (features: readonly FeatureDefinition[], changes: Partial<ModelParameters> = {}) =>
      train(table, features, { estimators: 2, ...changes }).fingerprint;
    const one = fingerprint(CATALOG);
    expect(train(featureTable(CATALOG, fleet(6, 30, 2)), CATALOG, { estimators: 2 }).fingerprint).to.equal(one);
    const different = [
      fingerprint([{ ...cpu, query: 'other' }, ...others]),
      fingerprint([{ ...cpu, spreadFloor: 1 }, ...others]),
      fingerprint([{ ...cpu, direction: 'up' }, ...others]),
      fingerprint(CATALOG, { estimators: 3 }),
      fingerprint(CATALOG, { maxSamples: 128 }),
      fingerprint(CATALOG, { contamination: 0.1 }),
      fingerprint(CATALOG, { randomState: 1 }),
      fingerprint(CATALOG, { sensitivity: 5 }),
      fingerprint(CATALOG, { baseline: 'workload' }),
    ];
    expect(new Set([one, ...different]).size).to.equal(different.length + 1);
    expect(one).to.match(/^[0-9a-f]{16}$/);
  });
});

/** Bytes of all typed arrays within a value. */
function typedArrayBytes(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.buffer.byteLength;
  if (value instanceof Map) return typedArrayBytes([...value.values()]);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + typedArrayBytes(part), 0);
}
