import { expect } from 'chai';
import fc from 'fast-check';
import type { Model } from '../../src/exporter/model/model.js';
import { marginsOf } from '../../src/exporter/model/score.js';
import { withChecksum } from '../../src/exporter/model/snapshot/seal.js';
import { encodeSnapshot, readSnapshot } from '../../src/exporter/model/snapshot/snapshot.js';
import { SnapshotError } from '../../src/exporter/model/snapshot/snapshot-error.js';
import { anyDamage, holds } from '../support/fuzz.js';
import { configurationOf, smallModel, TRAINED_AT } from '../support/models.js';

const CONFIGURATION = configurationOf('pod');
const EXPECTED = { configuration: CONFIGURATION, nowSeconds: TRAINED_AT + 60, maximumAgeSeconds: 3600 };

describe('fuzzing the snapshot reader', () => {
  let model: Model;
  let encoded: Uint8Array;

  before(async () => {
    model = await smallModel();
    encoded = encodeSnapshot(model, TRAINED_AT, CONFIGURATION);
  });

  /** The model, or a `SnapshotError`; everything else fails. */
  function read(bytes: Uint8Array): Model | undefined {
    try {
      return readSnapshot(bytes, EXPECTED).model;
    } catch (error) {
      expect(error).to.be.an.instanceOf(SnapshotError);
      return undefined;
    }
  }

  it('refuses any bytes', () => {
    holds(fc.uint8Array({ maxLength: 300 }), (bytes) => expect(read(bytes)).to.equal(undefined));
  });

  it('refuses a damaged model even under a right checksum, or scores with it', () => {
    let accepted = 0;
    holds(anyDamage, (damage) => {
      const found = read(withChecksum(damage(encoded)));
      if (found === undefined) return;
      accepted++;
      // No walk through the trees may go astray or in circles.
      const inputs = new Float64Array(found.features.length * 3).fill(2);
      expect(marginsOf(found, inputs)).to.have.lengthOf(3);
    });
    expect(accepted, 'else only the refusals were tried').to.be.above(0);
  });
});
