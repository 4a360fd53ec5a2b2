import { expect } from 'chai';
import {
  comparePods,
  FeatureTable,
  isObjectName,
  podKey,
  podOfKey,
  rowOfPod,
} from '../../../src/exporter/features/table.js';

const NONE = Number.NaN;

/** Two pods, three instants, two features. Cell: 100 × pod + 10 × instant + feature; `q` lacks the first instant. */
const TABLE = new FeatureTable({
  features: ['a', 'b'],
  pods: [
    { namespace: 'ns', pod: 'p', workload: 'w' },
    { namespace: 'ns', pod: 'q', workload: 'w' },
  ],
  timestampsSeconds: Float64Array.of(600, 630, 660),
  values: Float64Array.of(0, 1, 10, 11, 20, 21, NONE, NONE, 110, 111, 120, 121),
});

describe('FeatureTable', () => {
  it('expects one value for each cell', () => {
    expect(() => new FeatureTable({ ...TABLE, values: new Float64Array(11) })).to.throw('Expected 12 values, got 11.');
  });

  it('reads cells, rows and the cells of a pod', () => {
    expect(TABLE.at(1, 2, 0)).to.equal(120);
    expect([...TABLE.row(0, 1)]).to.deep.equal([10, 11]);
    expect([...TABLE.cellsOf(1)]).to.deep.equal([NONE, NONE, 110, 111, 120, 121]);
  });

  it('knows which instants of a pod have values', () => {
    expect([0, 1, 2].map((instant) => TABLE.isPresent(1, instant))).to.deep.equal([false, true, true]);
    expect(TABLE.countPresent()).to.equal(5);
  });

  it('copies a column with its gaps, or without them', () => {
    const into = new Float64Array(4).fill(7);
    TABLE.copyColumn(1, 1, into);
    expect([...into]).to.deep.equal([NONE, 111, 121, 7]);
    expect(TABLE.copyPresent(1, 0, into)).to.equal(2);
    expect([...into.subarray(0, 2)]).to.deep.equal([110, 120]);
  });

  it('finds the value at the nearest instant, and none beyond the ends', () => {
    const at = (timeSeconds: number) => TABLE.valueAt(0, timeSeconds, 1);
    expect([600, 614, 616, 660, 674].map(at)).to.deep.equal([1, 1, 11, 21, 21]);
    expect([584, 676].map(at)).to.deep.equal([NONE, NONE]);
  });

  it('takes a minute for the distance of the instants where there is only one', () => {
    expect(TABLE.stepSeconds).to.equal(30);
    expect(TABLE.selectInstants(1, 2).stepSeconds).to.equal(60);
  });

  it('selects instants and features as copies', () => {
    const instants = TABLE.selectInstants(1, 3);
    expect([...instants.timestampsSeconds]).to.deep.equal([630, 660]);
    expect([...instants.values]).to.deep.equal([10, 11, 20, 21, 110, 111, 120, 121]);
    const features = TABLE.selectFeatures(['b']);
    expect(features.features).to.deep.equal(['b']);
    expect([...features.values]).to.deep.equal([1, 11, 21, NONE, 111, 121]);
    expect(TABLE.selectFeatures(['a', 'b'])).to.equal(TABLE);
  });

  it('is filled pod by pod, and is absent where nothing was filled in', () => {
    const filled = FeatureTable.fill(TABLE, (pod, cells) => {
      if (pod === 1) cells.set([5, 6], 2);
    });
    expect(filled.countPresent()).to.equal(1);
    expect([...filled.row(1, 1)]).to.deep.equal([5, 6]);
  });
});

describe('isObjectName', () => {
  for (const name of ['cart-0', 'a', 'x'.repeat(253), 'node-1:9100', 'quo"ted', 'back\\slash', '🐢', '__proto__']) {
    it(`takes ${JSON.stringify(name).slice(0, 20)}`, () => {
      expect(isObjectName(name)).to.equal(true);
    });
  }

  for (const [name, why] of [
    ['', 'nothing'],
    ['x'.repeat(254), '254 characters'],
    ['x'.repeat(65_536), '64 KiB'],
    ['a/b', 'the separator of keys'],
    ['a,pod:b', 'the separator of prom-client'],
    ['two\nlines', 'a line feed'],
    ['n\u0000ul', 'NUL'],
    ['\u007f', 'delete'],
    ['\ud800', 'half a character'],
  ] as const) {
    it(`does not take ${why}`, () => {
      expect(isObjectName(name)).to.equal(false);
    });
  }
});

describe('rowOfPod', () => {
  it('finds each pod by its key, and no other', () => {
    const pods = ['b/a', 'a/z', 'a/a', 'a/ab', 'c/x'].map(podOfKey).sort(comparePods);
    for (const [row, pod] of pods.entries()) {
      expect(rowOfPod(pods, pod)).to.equal(row);
      expect(podOfKey(podKey(pod.namespace, pod.pod))).to.deep.equal(pod);
    }
    for (const key of ['a/', 'a/b', 'b/b', 'd/a']) expect(rowOfPod(pods, podOfKey(key)), key).to.equal(undefined);
    expect(rowOfPod([], podOfKey('a/a'))).to.equal(undefined);
  });
});
