import { expect } from 'chai';
import { detect } from '../../../../src/exporter/detection/detect.js';
import { FeatureTableBuilder } from '../../../../src/exporter/features/table-builder.js';
import type { Model } from '../../../../src/exporter/model/model.js';
import { decodeModel, encodeModel } from '../../../../src/exporter/model/snapshot/codec.js';
import { SnapshotError } from '../../../../src/exporter/model/snapshot/snapshot-error.js';
import { smallModel } from '../../../support/models.js';
import { namedPods, SmallCluster } from '../../../support/small-cluster.js';
import { seriesSet } from '../../../support/tables.js';

const KINDS = ['pod', 'workload', 'cluster'] as const;

/** Makes a model score pods that it knows and one that it does not. */
function scoresOf(model: Model): Float64Array {
  const instants = Float64Array.from({ length: 11 }, (_, index) => 1_767_268_800 + 60 * index);
  const builder = new FeatureTableBuilder(model.features, instants);
  const pods = [...model.workloads.keys(), 'shop/new-0'].map((key) => key.split('/'));
  model.features.forEach((feature, column) => {
    builder.add(
      feature,
      seriesSet(
        ...pods.map(
          ([namespace = '', pod = ''], row) =>
            [
              { namespace, pod },
              ...Array.from(instants, (at) => [at, 1 + column + row * 5] as const),
            ] as const,
        ),
      ),
    );
  });
  return detect(
    model,
    builder.build((_, pod) => pod),
  ).scores;
}

describe('model codec', () => {
  for (const kind of KINDS) {
    it(`brings back a model of the kind ${kind}, to the last bit`, async () => {
      const model = await smallModel(kind);
      const bytes = encodeModel(model);
      const back = decodeModel(bytes);
      expect(back).to.deep.equal(model);
      expect([...back.workloads.keys()]).to.deep.equal([...model.workloads.keys()]);
      expect(encodeModel(back)).to.deep.equal(bytes);
      expect(scoresOf(back)).to.deep.equal(scoresOf(model));
    });
  }

  it('has something in every part of the models that it is tried with', async () => {
    const { baseline, workloads } = await smallModel('pod');
    expect(baseline.pods.rows.size)
      .to.be.above(baseline.established.size - 1)
      .and.below(workloads.size);
    expect(baseline.workloads.rows.size).to.be.above(1);
    expect(baseline.schedules.size).to.equal(1);
  });

  for (const pods of [1, 2, 300]) {
    it(`brings back a model of ${pods} pods`, async () => {
      const model = await smallModel('pod', new SmallCluster(namedPods(pods)));
      expect(decodeModel(encodeModel(model))).to.deep.equal(model);
    });
  }

  it('brings back a model without one of the features', async () => {
    const cluster = new SmallCluster();
    cluster.silent.add('restarts');
    const model = await smallModel('pod', cluster);
    expect(model.features.map(({ name }) => name)).to.deep.equal(['cpu', 'memory']);
    expect(decodeModel(encodeModel(model))).to.deep.equal(model);
  });

  it('takes about a hundred bytes for a pod, besides its name and the forest', async () => {
    const size = async (pods: number) =>
      encodeModel(await smallModel('pod', new SmallCluster(namedPods(pods)))).length;
    expect(((await size(300)) - (await size(100))) / 200).to.be.below(110);
  });

  it('reads nothing beyond its bytes, wherever they lie in memory', async () => {
    const model = await smallModel();
    const bytes = encodeModel(model);
    const around = new Uint8Array(bytes.length + 20).fill(0xff);
    around.set(bytes, 3);
    expect(decodeModel(around.subarray(3, 3 + bytes.length))).to.deep.equal(model);
  });

  it('refuses bytes that end anywhere, or go on', async () => {
    const bytes = encodeModel(await smallModel());
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeModel(bytes.subarray(0, length)), `${length} bytes`).to.throw(SnapshotError);
    }
    expect(() => decodeModel(Buffer.concat([bytes, Buffer.of(0)]))).to.throw(
      SnapshotError,
      'goes on for 1 bytes',
    );
  });

  it('refuses, or makes a model that scores, whichever byte is changed', async () => {
    for (const kind of ['pod', 'cluster'] as const) {
      const bytes = encodeModel(await smallModel(kind));
      let refused = 0;
      for (let position = 0; position < bytes.length; position++) {
        for (const change of [0x01, 0xff]) {
          const changed = bytes.slice();
          changed[position] = (changed[position] as number) ^ change;
          let model: Model;
          try {
            model = decodeModel(changed);
          } catch (error) {
            expect(error, `byte ${position}`).to.be.instanceOf(SnapshotError);
            refused++;
            continue;
          }
          for (const score of scoresOf(model)) expect(score, `byte ${position}`).to.not.be.NaN;
        }
      }
      expect(refused).to.be.above(bytes.length / 2);
    }
  }).timeout(60_000);

  describe('refuses a model', () => {
    let model: Model;
    before(async () => {
      model = await smallModel();
    });

    const withArray = <Numbers extends Float64Array | Uint16Array>(
      numbers: Numbers,
      value: number,
    ): Numbers => {
      const changed = numbers.slice() as Numbers;
      changed[changed.length - 1] = value;
      return changed;
    };
    const rows: readonly [what: string, change: (model: Model) => Partial<Model>, reason: string][] = [
      ['with a threshold that is no number', () => ({ threshold: Number.NaN }), 'its threshold'],
      [
        'with a smallest input that nothing reaches',
        () => ({ minimumInput: Infinity }),
        'its smallest input',
      ],
      ['with a window that has no end', () => ({ windowEndSeconds: Infinity }), 'no ends'],
      ['with a window from its end to its beginning', () => ({ windowEndSeconds: 0 }), 'before it begins'],
      ['of too few samples', () => ({ samples: 9 }), '"samples"'],
      ['with a fingerprint of another form', () => ({ fingerprint: 'x' }), '"fingerprint"'],
      ['without features', () => ({ features: [] }), '"features"'],
      [
        'with a feature twice',
        ({ features }) => ({ features: features.map((feature) => ({ ...feature, name: 'cpu' })) }),
        'a feature twice',
      ],
      [
        'with a feature of an unknown type',
        ({ features }) => ({ features: features.map((feature) => ({ ...feature, type: 'sum' as 'gauge' })) }),
        '"features.0.type"',
      ],
      [
        'with a feature that has unknown keys',
        ({ features }) => ({
          features: features.map((feature) => ({ ...feature, toString: 'evil' as never })),
        }),
        '"features.0"',
      ],
      [
        'with another number of features than its arrays have columns',
        ({ features }) => ({ features: features.slice(1) }),
        '',
      ],
      [
        'whose forest compares a feature that is not there',
        ({ forest }) => ({ forest: { ...forest, splitFeatures: withArray(forest.splitFeatures, 3) } }),
        'features of its forest',
      ],
      [
        'whose forest splits at no number',
        ({ forest }) => ({ forest: { ...forest, splitValues: withArray(forest.splitValues, Number.NaN) } }),
        'splits of its forest',
      ],
      [
        'whose forest has an endless path',
        ({ forest }) => ({ forest: { ...forest, pathLengths: withArray(forest.pathLengths, Infinity) } }),
        'path lengths of its forest',
      ],
      [
        'whose forest divides by 0',
        ({ forest }) => ({ forest: { ...forest, averagePathLength: 0 } }),
        'average path length',
      ],
      [
        'whose forest has no trees',
        ({ forest }) => ({ forest: { ...forest, estimators: 0 } }),
        '"estimators"',
      ],
      [
        'whose forest has more trees than it holds',
        ({ forest }) => ({ forest: { ...forest, estimators: 4e9 } }),
        'it ends after',
      ],
      ['whose forest is too deep', ({ forest }) => ({ forest: { ...forest, depth: 17 } }), '"depth"'],
      [
        'whose forest is deeper than it holds',
        ({ forest }) => ({ forest: { ...forest, depth: 16 } }),
        'it ends after',
      ],
      [
        'whose forest is less deep than it holds',
        ({ forest }) => ({ forest: { ...forest, depth: 1 } }),
        'path lengths of its forest',
      ],
      [
        'with a spread of 0',
        ({ baseline }) => ({
          baseline: { ...baseline, pods: { ...baseline.pods, scale: withArray(baseline.pods.scale, 0) } },
        }),
        'spreads',
      ],
      [
        'with an endless spread of a workload',
        ({ baseline }) => ({
          baseline: {
            ...baseline,
            workloads: { ...baseline.workloads, scale: withArray(baseline.workloads.scale, Infinity) },
          },
        }),
        'spreads',
      ],
      [
        'with a usual value that is no number',
        ({ baseline }) => ({
          baseline: {
            ...baseline,
            pods: { ...baseline.pods, location: withArray(baseline.pods.location, Number.NaN) },
          },
        }),
        'usual values',
      ],
      [
        'with a fleet that does not vary',
        ({ baseline }) => ({
          baseline: { ...baseline, fleet: baseline.fleet.map(({ location }) => ({ location, scale: 0 })) },
        }),
        'spreads',
      ],
      [
        'with an established pod that has no baseline',
        ({ baseline, workloads }) => ({
          baseline: {
            ...baseline,
            established: new Set([...workloads.keys()].filter((key) => !baseline.pods.rows.has(key))),
          },
        }),
        'pods with a baseline',
      ],
      [
        'with a pod that was seen for less than no time',
        ({ baseline, workloads }) => ({
          baseline: { ...baseline, seenSeconds: new Map([...workloads.keys()].map((key) => [key, -1])) },
        }),
        'times for which pods were seen',
      ],
      [
        'with a pod of which it is not known how long it was seen',
        ({ baseline }) => ({ baseline: { ...baseline, seenSeconds: new Map() } }),
        'times for which pods were seen',
      ],
      [
        'with a timetable that expects everything',
        ({ baseline }) => ({
          baseline: {
            ...baseline,
            schedules: new Map(
              [...baseline.schedules].map(([key, { expected }]) => [
                key,
                { expected: expected.map(() => 13) },
              ]),
            ),
          },
        }),
        'expectations of timetables',
      ],
      [
        'with a timetable of other features',
        ({ baseline }) => ({
          baseline: {
            ...baseline,
            schedules: new Map(
              [...baseline.schedules.keys()].map((key) => [key, { expected: new Float32Array(500).fill(1) }]),
            ),
          },
        }),
        'minutes of timetables',
      ],
      [
        'of the plain method with baselines of pods',
        ({ baseline }) => ({ baseline: { ...baseline, kind: 'cluster' } }),
        'baselines of pods',
      ],
    ];
    for (const [what, change, reason] of rows) {
      it(what, () => {
        expect(() => decodeModel(encodeModel({ ...model, ...change(model) }))).to.throw(
          SnapshotError,
          reason,
        );
      });
    }

    it('that has baselines of pods which its window does not have, before it is written', () => {
      expect(() => encodeModel({ ...model, workloads: new Map() })).to.throw(
        SnapshotError,
        'training window',
      );
    });
  });

  /** A model's bytes with another description. */
  const described = (bytes: Uint8Array, change: (text: string) => string): Uint8Array => {
    const length = new DataView(bytes.buffer).getUint32(0, true);
    const text = Buffer.from(change(Buffer.from(bytes.subarray(4, 4 + length)).toString()));
    const head = Buffer.alloc(4);
    head.writeUInt32LE(text.length);
    return Buffer.concat([head, text, bytes.subarray(4 + length)]);
  };
  const descriptions: readonly [what: string, change: (text: string) => string, reason: string][] = [
    ['that is no JSON', (text) => text.slice(1), 'not JSON'],
    ['that is no object', () => '[]', 'description is wrong'],
    ['that is nested without end', () => '['.repeat(100_000), 'not JSON'],
    ['that changes prototypes', (text) => `{"__proto__":{"pods":1},${text.slice(1)}`, 'description is wrong'],
    ['of more pods than memory', (text) => text.replace(/"pods":\d+/, '"pods":4294967295'), 'texts'],
    ['of a part of a pod', (text) => text.replace(/"pods":\d+/, '"pods":1.5'), '"pods"'],
    [
      'of more baselines than pods',
      (text) => text.replace(/"ownPods":\d+/, '"ownPods":4294967295'),
      'more baselines',
    ],
    [
      'of more established pods than baselines',
      (text) => text.replace(/"establishedPods":\d+/, '"establishedPods":5'),
      'without a baseline',
    ],
    [
      'of more excuses than timetables have',
      (text) => text.replace(/"excuses":\d+/, '"excuses":4294967295'),
      'do not add up',
    ],
    [
      'of more workloads than there are',
      (text) => text.replace(/"workloads":\d+/, '"workloads":4294967295'),
      'texts',
    ],
    ['that is too long', (text) => text + ' '.repeat(9 * 2 ** 20), 'a text of'],
  ];
  for (const [what, change, reason] of descriptions) {
    it(`refuses a description ${what}`, async () => {
      const bytes = encodeModel(await smallModel());
      expect(decodeModel(described(bytes, (text) => text))).to.deep.equal(decodeModel(bytes));
      expect(() => decodeModel(described(bytes, change))).to.throw(SnapshotError, reason);
      expect(({} as { pods?: number }).pods).to.equal(undefined);
    });
  }
});
