import { expect } from 'chai';
import type { Model } from '../../../../src/exporter/model/model.js';
import { encodeModel } from '../../../../src/exporter/model/snapshot/codec.js';
import {
  HEADER_BYTES,
  readSnapshot,
  type SnapshotExpectation,
  snapshotHeader,
  type TrainingConfiguration,
} from '../../../../src/exporter/model/snapshot/snapshot.js';
import { SnapshotError } from '../../../../src/exporter/model/snapshot/snapshot-error.js';
import { configurationOf, smallModel, TRAINED_AT } from '../../../support/models.js';
import { feature } from '../../../support/tables.js';

const CONFIGURATION = configurationOf('pod');

const EXPECTED: SnapshotExpectation = {
  configuration: CONFIGURATION,
  nowSeconds: TRAINED_AT + 60,
  maximumAgeSeconds: 3600,
};

const bytesOf = (model: Uint8Array, configuration = CONFIGURATION, trainedSeconds = TRAINED_AT + 0.25) =>
  Buffer.concat([snapshotHeader(model, { trainedSeconds, configuration }), model]);

describe('snapshot', () => {
  let model: Model;
  let encoded: Uint8Array;
  let bytes: Buffer;

  before(async () => {
    model = await smallModel();
    encoded = encodeModel(model);
    bytes = bytesOf(encoded);
  });

  it('brings back the model and the time of its training', () => {
    expect(readSnapshot(bytes, EXPECTED)).to.deep.equal({ model, trainedSeconds: TRAINED_AT + 0.25 });
  });

  it('says nothing of the source that could be read from it', () => {
    const source = ['http://user:secret@prometheus:9090'];
    expect(bytesOf(encoded, { ...CONFIGURATION, source }).toString('latin1')).not.to.include('secret');
  });

  it('is refused when it ends anywhere', () => {
    for (let length = 0; length < bytes.length; length++) {
      const torn = bytes.subarray(0, length);
      expect(() => readSnapshot(torn, EXPECTED), `${length} bytes`).to.throw(
        SnapshotError,
        /its end was not written/,
      );
    }
    expect(bytes.length).to.be.above(2_000);
  });

  it('is refused when it goes on', () => {
    expect(() => readSnapshot(Buffer.concat([bytes, Buffer.of(0)]), EXPECTED)).to.throw(
      SnapshotError,
      'bytes where',
    );
  });

  it('is refused whichever byte is changed', () => {
    for (let position = 0; position < bytes.length; position++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(bytes);
        changed[position] = (changed[position] as number) ^ change;
        expect(() => readSnapshot(changed, EXPECTED), `byte ${position}`).to.throw(SnapshotError);
      }
    }
  });

  it('is refused when it is another file', () => {
    for (const text of ['x', '{"model": 1}', '\x89PNG\r\n\x1a\n'.padEnd(200), '\u0000'.repeat(4096)]) {
      expect(() => readSnapshot(Buffer.from(text, 'latin1'), EXPECTED)).to.throw(
        SnapshotError,
        'no snapshot',
      );
    }
  });

  for (const [version, age] of [
    [0, 'an older'],
    [2, 'a newer'],
    [4_294_967_295, 'a newer'],
  ] as const) {
    it(`is refused when its format is ${version}`, () => {
      const other = Buffer.from(bytes);
      other.writeUInt32LE(version, 8);
      expect(() => readSnapshot(other, EXPECTED)).to.throw(
        SnapshotError,
        `it is of ${age} version of this program (format ${version}, and this one reads 1)`,
      );
    });
  }

  it('is refused when its model is no model, checksum or not', () => {
    expect(() => readSnapshot(bytesOf(Buffer.from('none')), EXPECTED)).to.throw(SnapshotError);
    expect(bytesOf(Buffer.alloc(0))).to.have.lengthOf(HEADER_BYTES);
    expect(() => readSnapshot(bytesOf(Buffer.alloc(0)), EXPECTED)).to.throw(SnapshotError);
  });

  const { parameters } = CONFIGURATION;
  const others: readonly [what: string, change: Partial<TrainingConfiguration>][] = [
    ['features', { features: [...CONFIGURATION.features, feature('network')] }],
    ['queries', { features: CONFIGURATION.features.map((one) => ({ ...one, query: `${one.query} * 2` })) }],
    ['sensitivity', { parameters: { ...parameters, sensitivity: 5 } }],
    ['seed', { parameters: { ...parameters, randomState: 1 } }],
    ['baseline', { parameters: { ...parameters, baseline: 'cluster' } }],
    ['training window', { lookbackSeconds: 3600 }],
    ['step', { stepSeconds: 30 }],
    ['Prometheus', { source: ['http://other:9090'] }],
  ];
  for (const [what, change] of others) {
    it(`is refused when it was trained with another ${what}`, () => {
      const expected = { ...EXPECTED, configuration: { ...CONFIGURATION, ...change } };
      expect(() => readSnapshot(bytes, expected)).to.throw(SnapshotError, 'other settings');
    });
  }

  for (const [what, change] of others.slice(1, 5)) {
    it(`is refused when its model is of another ${what} than it says`, () => {
      const configuration = { ...CONFIGURATION, ...change };
      expect(() => readSnapshot(bytesOf(encoded, configuration), { ...EXPECTED, configuration })).to.throw(
        SnapshotError,
        'other features or parameters',
      );
    });
  }

  it('may do without features that had no data', () => {
    const configuration = { ...CONFIGURATION, features: [feature('network'), ...CONFIGURATION.features] };
    const expected = { ...EXPECTED, configuration };
    expect(readSnapshot(bytesOf(encoded, configuration), expected).model).to.deep.equal(model);
  });

  for (const [ageSeconds, reason] of [
    [-301, 'in the future'],
    [-299, undefined],
    [3600, undefined],
    [3601, 'it was trained 60 minutes ago, and counts for 60 minutes'],
    [3 * 86400, 'it was trained 4320 minutes ago'],
  ] as const) {
    it(`is ${reason === undefined ? 'used' : 'refused'} when it was trained ${ageSeconds} s ago`, () => {
      const read = () =>
        readSnapshot(bytesOf(encoded, CONFIGURATION, EXPECTED.nowSeconds - ageSeconds), EXPECTED);
      if (reason === undefined) expect(read().model).to.deep.equal(model);
      else expect(read).to.throw(SnapshotError, reason);
    });
  }

  for (const trainedSeconds of [Number.NaN, Infinity, -Infinity]) {
    it(`is refused when it was trained at ${trainedSeconds}`, () => {
      expect(() => readSnapshot(bytesOf(encoded, CONFIGURATION, trainedSeconds), EXPECTED)).to.throw(
        SnapshotError,
      );
    });
  }
});
