import { expect } from 'chai';
import { detect } from '../../../../src/exporter/detection/detect.js';
import { type BuiltTable, FeatureTableBuilder } from '../../../../src/exporter/features/table-builder.js';
import type { Model } from '../../../../src/exporter/model/model.js';
import { ESTABLISHED } from '../../../../src/exporter/model/rows.js';
import { decodeModel, decodeModelInTurns, encodeModel } from '../../../../src/exporter/model/snapshot/codec.js';
import { readTensors, type Tensor, writeTensors } from '../../../../src/exporter/model/snapshot/safetensors.js';
import { SnapshotError } from '../../../../src/exporter/model/snapshot/snapshot-error.js';
import { countOwnBaselines, smallModel } from '../../../support/models.js';
import { namedPods, SmallCluster } from '../../../support/small-cluster.js';
import { seriesSet } from '../../../support/tables.js';

const KINDS = ['pod', 'workload', 'cluster'] as const;

const tables = new Map<string, BuiltTable>();

/** The pods that a model knows and one that it does not; the same for models that differ in nothing of that. */
function tableFor({ features, baseline }: Model): BuiltTable {
  const key = JSON.stringify([features, baseline.pods.keys]);
  const table = tables.get(key) ?? buildTable(features, [...baseline.pods.keys, 'shop/new-0']);
  tables.set(key, table);
  return table;
}

function buildTable(features: Model['features'], keys: readonly string[]): BuiltTable {
  const instants = Float64Array.from({ length: 11 }, (_, index) => 1_767_268_800 + 60 * index);
  const builder = new FeatureTableBuilder(features, instants);
  const pods = keys.map((key) => key.split('/'));
  features.forEach((feature, column) => {
    builder.add(
      feature,
      seriesSet(
        ...pods.map(
          ([namespace = '', pod = ''], row) =>
            [{ namespace, pod }, ...Array.from(instants, (at) => [at, 1 + column + row * 5] as const)] as const,
        ),
      ),
    );
  });
  return builder.build((_, pod) => pod);
}

/** Makes a model score. */
const scoresOf = (model: Model): Float64Array => detect(model, tableFor(model)).scores;

describe('model codec', () => {
  for (const kind of KINDS) {
    it(`brings back a model of the kind ${kind}, to the last bit`, async () => {
      const model = await smallModel(kind);
      const bytes = encodeModel(model);
      const back = decodeModel(bytes);
      expect(back).to.deep.equal(model);
      expect([...back.baseline.pods.rows.keys()]).to.deep.equal(model.baseline.pods.keys);
      expect(encodeModel(back)).to.deep.equal(bytes);
      expect(scoresOf(back)).to.deep.equal(scoresOf(model));
    });
  }

  it('has something in every part of the models that it is tried with', async () => {
    const model = await smallModel('pod');
    const { pods, workloads, patterns } = model.baseline;
    const established = pods.flags.filter((flags) => (flags & ESTABLISHED) !== 0).length;
    expect(countOwnBaselines(model))
      .to.be.above(established - 1)
      .and.below(pods.keys.length);
    expect(workloads.keys).to.have.lengthOf.above(1);
    expect([...workloads.members]).to.deep.equal([1, 2, 1]);
    expect(patterns.cell).to.have.lengthOf(2);
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

  it('takes about 160 bytes for a pod, besides the forest', async () => {
    const size = async (pods: number) => encodeModel(await smallModel('pod', new SmallCluster(namedPods(pods)))).length;
    expect(((await size(300)) - (await size(100))) / 200).to.be.below(170);
  });

  it('reads nothing beyond its bytes, wherever they lie in memory', async () => {
    const model = await smallModel();
    const bytes = encodeModel(model);
    const around = new Uint8Array(bytes.length + 20).fill(0xff);
    around.set(bytes, 3);
    expect(decodeModel(around.subarray(3, 3 + bytes.length))).to.deep.equal(model);
  });

  it('lets other work have its turn between the parts, and comes to the same model', async () => {
    const bytes = encodeModel(await smallModel());
    let pauses = 0;
    expect(await decodeModelInTurns(bytes, async () => void pauses++)).to.deep.equal(decodeModel(bytes));
    expect(pauses).to.be.above(10);
  });

  it('refuses bytes that end anywhere, or go on', async () => {
    const bytes = encodeModel(await smallModel());
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeModel(bytes.subarray(0, length)), `${length} bytes`).to.throw(SnapshotError);
    }
    expect(() => decodeModel(Buffer.concat([bytes, Buffer.of(0)]))).to.throw(
      SnapshotError,
      `it has ${bytes.length + 1} bytes where ${bytes.length} are expected`,
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
  });

  describe('refuses a model', () => {
    let model: Model;
    before(async () => {
      model = await smallModel();
    });

    const withLast = <Numbers extends Tensor['data']>(numbers: Numbers, value: number): Numbers => {
      const changed = numbers.slice() as Numbers;
      changed[changed.length - 1] = value;
      return changed;
    };
    /** A baseline with other columns of one of its tables. */
    const withColumns =
      <Table extends 'pods' | 'workloads' | 'patterns' | 'global'>(
        table: Table,
        change: (columns: Model['baseline'][Table]) => Partial<Model['baseline'][Table]>,
      ) =>
      ({ baseline }: Model): Partial<Model> => ({
        baseline: { ...baseline, [table]: { ...baseline[table], ...change(baseline[table]) } },
      });
    const withForest =
      (change: (forest: Model['forest']) => Partial<Model['forest']>) =>
      ({ forest }: Model): Partial<Model> => ({ forest: { ...forest, ...change(forest) } });
    const rows: readonly [what: string, change: (model: Model) => Partial<Model>, reason: string][] = [
      ['with a threshold that is not a number', () => ({ threshold: Number.NaN }), '"threshold"'],
      [
        'with a smallest input that is not a number',
        () => ({ minimumInput: '1' as unknown as number }),
        '"minimumInput"',
      ],
      ['with a window that has no end', () => ({ windowEndSeconds: Infinity }), '"windowEndSeconds"'],
      ['with a window from its end to its beginning', () => ({ windowEndSeconds: 0 }), 'before it begins'],
      ['of too few samples', () => ({ samples: 9 }), '"samples"'],
      ['with a fingerprint of another form', () => ({ fingerprint: 'x' }), '"fingerprint"'],
      ['without features', () => ({ features: [] }), 'bytes where 0 are expected'],
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
        'bytes where',
      ],
      [
        'whose forest compares a feature that is not there',
        withForest(({ splitFeatures }) => ({ splitFeatures: withLast(splitFeatures, 3) })),
        'its forest.splitFeatures[',
      ],
      [
        'whose forest splits at something that is not a number',
        withForest(({ splitValues }) => ({ splitValues: withLast(splitValues, Number.NaN) })),
        'its forest.splitValues[',
      ],
      [
        'whose forest has an endless path',
        withForest(({ pathLengths }) => ({ pathLengths: withLast(pathLengths, Infinity) })),
        'its forest.pathLengths[',
      ],
      ['whose forest divides by 0', withForest(() => ({ averagePathLength: 0 })), '"averagePathLength"'],
      ['whose forest has no trees', withForest(() => ({ estimators: 0 })), 'bytes where 0 are expected'],
      ['whose forest has more trees than it holds', withForest(() => ({ estimators: 4e9 })), 'bytes where'],
      ['whose forest is deeper than it holds', withForest(() => ({ depth: 16 })), 'bytes where'],
      ['whose forest is less deep than it holds', withForest(() => ({ depth: 1 })), 'bytes where'],
      ['with a spread of 0', withColumns('pods', ({ scale }) => ({ scale: withLast(scale, 0) })), 'its pods.scale['],
      [
        'with an endless spread of a workload',
        withColumns('workloads', ({ scale }) => ({ scale: withLast(scale, Infinity) })),
        'its workloads.scale[',
      ],
      [
        'with a usual value that is not a number',
        withColumns('pods', ({ location }) => ({ location: withLast(location, Number.NaN) })),
        'its pods.location[',
      ],
      [
        'whose pods together do not vary',
        withColumns('global', ({ scale }) => ({ scale: scale.map(() => 0) })),
        'its global.scale[0] is 0',
      ],
      [
        'with an established pod that has no baseline',
        withColumns('pods', ({ flags }) => ({ flags: withLast(flags, ESTABLISHED) })),
        'its pods.flags[',
      ],
      [
        'with a pod that was seen for less than no time',
        withColumns('pods', ({ seenSeconds }) => ({ seenSeconds: withLast(seenSeconds, -1) })),
        'its pods.seenSeconds[',
      ],
      [
        'without the time for which pods were seen',
        withColumns('pods', () => ({ seenSeconds: new Float64Array(0) })),
        'bytes where',
      ],
      [
        'with a pod of a workload that is not there',
        withColumns('pods', ({ workload }) => ({ workload: withLast(workload, 99) })),
        'its pods.workload[',
      ],
      [
        'with an hourly pattern that expects everything',
        withColumns('patterns', ({ spreads }) => ({ spreads: withLast(spreads, 13) })),
        'its patterns.spreads[1] is 13',
      ],
      [
        'with an hourly pattern of other features',
        withColumns('patterns', ({ cell }) => ({ cell: withLast(cell, 500) })),
        'its patterns.cell[1] is 500',
      ],
      [
        'with an hourly pattern that ends before it begins',
        withColumns('pods', ({ patternEnd }) => ({ patternEnd: withLast(patternEnd, 1) })),
        'which is before 2',
      ],
      [
        'with an hourly pattern of no pod',
        withColumns('pods', ({ patternEnd }) => ({ patternEnd: patternEnd.map(() => 0) })),
        'end at 0 of 2',
      ],
      [
        'with an hourly pattern of a pod that has no baseline',
        withColumns('pods', ({ flags }) => ({ flags: flags.map(() => 0) })),
        'without a baseline',
      ],
      [
        'of the plain method with baselines of pods',
        ({ baseline }) => ({ baseline: { ...baseline, kind: 'cluster' } }),
        'baselines of pods',
      ],
      [
        'with a pod twice',
        withColumns('pods', ({ keys }) => ({ keys: keys.map(() => keys[0] as string) })),
        'its pods.keys have a line twice',
      ],
      ['with fewer names than pods', withColumns('pods', ({ keys }) => ({ keys: keys.slice(1) })), ''],
      [
        'with more names than workloads',
        withColumns('workloads', ({ keys }) => ({ keys: [...keys.slice(1), 'a/b\nc/d'] })),
        'its workloads.keys are not',
      ],
    ];
    for (const [what, change, reason] of rows) {
      it(what, () => {
        expect(() => decodeModel(encodeModel({ ...model, ...change(model) }))).to.throw(SnapshotError, reason);
      });
    }
  });

  /** A model's bytes with other arrays or another description. */
  const changed = (
    bytes: Uint8Array,
    change: (parts: { tensors: Map<string, Tensor>; model: string }) => string | undefined,
  ): Uint8Array => {
    const { metadata, tensors } = readTensors(bytes);
    const copies = new Map(tensors);
    const model = change({ tensors: copies, model: metadata.model as string });
    return writeTensors({
      metadata: model === undefined ? {} : { ...metadata, model },
      tensors: copies,
    });
  };
  const descriptions: readonly [what: string, change: (text: string) => string | undefined, reason: string][] = [
    ['that is missing', () => undefined, 'not JSON'],
    ['that is not JSON', (text) => text.slice(1), 'not JSON'],
    ['that is not an object', () => '[]', 'description is wrong'],
    [
      'without features',
      (text) => text.replace(/"features":\[.*\],"remembers"/, '"features":[],"remembers"'),
      '"features"',
    ],
    ['that is nested without end', () => '['.repeat(100_000), 'not JSON'],
    ['that changes prototypes', (text) => `{"__proto__":{"samples":1},${text.slice(1)}`, 'description is wrong'],
    ['of a part of a sample', (text) => text.replace(/"samples":\d+/, '"samples":100.5'), '"samples"'],
    ['that is too long', (text) => text + ' '.repeat(9 * 2 ** 20), 'a header of'],
  ];
  for (const [what, change, reason] of descriptions) {
    it(`refuses a description ${what}`, async () => {
      const bytes = encodeModel(await smallModel());
      expect(changed(bytes, ({ model }) => model)).to.deep.equal(bytes);
      expect(() => decodeModel(changed(bytes, ({ model }) => change(model)))).to.throw(SnapshotError, reason);
      expect(({} as { samples?: number }).samples).to.equal(undefined);
    });
  }

  const tables: readonly [what: string, change: (tensors: Map<string, Tensor>) => void, reason: string][] = [
    ['without a column', (tensors) => tensors.delete('pods.location'), 'it has no pods.location'],
    ['without names', (tensors) => tensors.delete('pods.keys'), 'it has '],
    [
      'with a column that nobody knows',
      (tensors) => tensors.set('pods.other', { dtype: 'U8', shape: [1], data: Uint8Array.of(1) }),
      'arrays where',
    ],
    [
      'with a column of another type',
      (tensors) => tensors.set('pods.seenSeconds', { dtype: 'F32', shape: [5], data: new Float32Array(5) }),
      'F32 [5] where F64 [5] is expected',
    ],
    [
      'with a column of another length',
      (tensors) => tensors.set('pods.seenSeconds', { dtype: 'F64', shape: [4], data: new Float64Array(4) }),
      'F64 [4] where F64 [5] is expected',
    ],
    [
      'with a forest of trees that are not whole',
      (tensors) => {
        tensors.set('forest.splitFeatures', { dtype: 'U16', shape: [3, 6], data: new Uint16Array(18) });
        tensors.set('forest.splitValues', { dtype: 'F64', shape: [3, 6], data: new Float64Array(18) });
      },
      'no whole trees',
    ],
    [
      'with a forest that is too deep',
      (tensors) => {
        const leaves = 2 ** 17;
        tensors.set('forest.splitFeatures', {
          dtype: 'U16',
          shape: [1, leaves - 1],
          data: new Uint16Array(leaves - 1),
        });
        tensors.set('forest.splitValues', {
          dtype: 'F64',
          shape: [1, leaves - 1],
          data: new Float64Array(leaves - 1),
        });
        tensors.set('forest.pathLengths', {
          dtype: 'F64',
          shape: [1, leaves],
          data: new Float64Array(leaves),
        });
      },
      'a wrong depth',
    ],
    [
      'with names that are not UTF-8',
      (tensors) => tensors.set('pods.keys', { dtype: 'U8', shape: [1], data: Uint8Array.of(0xff) }),
      'not UTF-8',
    ],
  ];
  for (const [what, change, reason] of tables) {
    it(`refuses tables ${what}`, async () => {
      const bytes = changed(encodeModel(await smallModel()), ({ tensors, model }) => {
        change(tensors);
        return model;
      });
      expect(() => decodeModel(bytes)).to.throw(SnapshotError, reason);
    });
  }
});
