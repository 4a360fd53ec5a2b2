import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { Model } from '../../../../src/exporter/model/model.js';
import { readTensors, writeTensors } from '../../../../src/exporter/model/snapshot/safetensors.js';
import { withChecksum } from '../../../../src/exporter/model/snapshot/seal.js';
import {
  encodeSnapshot,
  readSnapshot,
  type SnapshotExpectation,
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

const bytesOf = (model: Model, configuration = CONFIGURATION, trainedSeconds = TRAINED_AT + 0.25) =>
  Buffer.from(encodeSnapshot(model, trainedSeconds, configuration));

/** The same bytes with another header under a right checksum, as only somebody who means it would write them. */
const withHeader = (bytes: Uint8Array, change: (header: string) => string): Uint8Array => {
  const { metadata, tensors } = readTensors(bytes);
  const changed = JSON.parse(change(JSON.stringify(metadata))) as Record<string, string>;
  return withChecksum(writeTensors({ metadata: changed, tensors }));
};

describe('snapshot', () => {
  let model: Model;
  let bytes: Buffer;

  before(async () => {
    model = await smallModel();
    bytes = bytesOf(model);
  });

  it('brings back the model and the time of its training', () => {
    expect(readSnapshot(bytes, EXPECTED)).to.deep.equal({ model, bytes, trainedSeconds: TRAINED_AT + 0.25 });
  });

  it('says nothing of the source that could be read from it', () => {
    const source = ['http://user:secret@prometheus:9090'];
    expect(bytesOf(model, { ...CONFIGURATION, source }).toString('latin1')).not.to.include('secret');
  });

  it('is refused when it ends anywhere', () => {
    for (let length = 0; length < bytes.length; length++) {
      const torn = bytes.subarray(0, length);
      expect(() => readSnapshot(torn, EXPECTED), `${length} bytes`).to.throw(SnapshotError, /its end was not written/);
    }
    expect(bytes.length).to.be.above(2_000);
  });

  it('is refused when it goes on', () => {
    expect(() => readSnapshot(Buffer.concat([bytes, Buffer.of(0)]), EXPECTED)).to.throw(SnapshotError, 'bytes where');
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
    for (const text of ['x'.padEnd(9), '{"model": 1}', '\x89PNG\r\n\x1a\n'.padEnd(200), '\u0000'.repeat(4096)]) {
      expect(() => readSnapshot(Buffer.from(text, 'latin1'), EXPECTED)).to.throw(SnapshotError, 'not a snapshot file');
    }
  });

  for (const [version, age] of [
    [4, 'an older'],
    [6, 'a newer'],
    [4_294_967_295, 'a newer'],
  ] as const) {
    it(`is refused when its format is ${version}`, () => {
      const other = withHeader(bytes, (header) => header.replace('"version":"5"', `"version":"${version}"`));
      expect(() => readSnapshot(other, EXPECTED)).to.throw(
        SnapshotError,
        `it is of ${age} version of this program (format ${version}, and this one reads 5)`,
      );
    });
  }

  it('is refused when its model is not a model, checksum or not', () => {
    const empty = withHeader(bytes, (header) => header.replace(/"model":".*"/, '"model":"none"'));
    expect(() => readSnapshot(empty, EXPECTED)).to.throw(SnapshotError, 'its description is not JSON');
  });

  it('is one file of safetensors, with the checksum, version, time and configuration as metadata', () => {
    const { metadata, tensors } = readTensors(bytes);
    expect(metadata.version).to.equal('5');
    expect(metadata.trainedSeconds).to.equal(String(TRAINED_AT + 0.25));
    expect(metadata.configuration).to.match(/^[0-9a-f]{64}$/);
    const at = bytes.indexOf(metadata.sha256 as string);
    const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 64)]);
    expect(createHash('sha256').update(rest).digest('hex')).to.equal(metadata.sha256);
    expect(tensors.get('pods.location')?.shape).to.deep.equal([5, 3]);
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
      expect(() => readSnapshot(bytesOf(model, configuration), { ...EXPECTED, configuration })).to.throw(
        SnapshotError,
        'other features or parameters',
      );
    });
  }

  it('may do without features that had no data', () => {
    const configuration = { ...CONFIGURATION, features: [feature('network'), ...CONFIGURATION.features] };
    const expected = { ...EXPECTED, configuration };
    expect(readSnapshot(bytesOf(model, configuration), expected).model).to.deep.equal(model);
  });

  for (const [ageSeconds, reason] of [
    [-301, 'in the future'],
    [-299, undefined],
    [3600, undefined],
    [3601, 'it was trained 60 minutes ago, and counts for 60 minutes'],
    [3 * 86400, 'it was trained 4320 minutes ago'],
  ] as const) {
    it(`is ${reason === undefined ? 'used' : 'refused'} when it was trained ${ageSeconds} s ago`, () => {
      const read = () => readSnapshot(bytesOf(model, CONFIGURATION, EXPECTED.nowSeconds - ageSeconds), EXPECTED);
      if (reason === undefined) expect(read().model).to.deep.equal(model);
      else expect(read).to.throw(SnapshotError, reason);
    });
  }

  for (const trainedSeconds of [Number.NaN, Infinity, -Infinity]) {
    it(`is refused when it was trained at ${trainedSeconds}`, () => {
      expect(() => readSnapshot(bytesOf(model, CONFIGURATION, trainedSeconds), EXPECTED)).to.throw(SnapshotError);
    });
  }
});
