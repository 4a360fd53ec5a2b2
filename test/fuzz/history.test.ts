import { expect } from 'chai';
import fc from 'fast-check';
import { WorkloadHistory } from '../../src/exporter/history/workload-history.js';
import { decodeHistory, encodeHistory, featureNames } from '../../src/exporter/model/snapshot/history-codec.js';
import { withChecksum } from '../../src/exporter/model/snapshot/seal.js';
import { SnapshotError } from '../../src/exporter/model/snapshot/snapshot-error.js';
import { anyDamage, holds } from '../support/fuzz.js';
import { summaryOf } from '../support/hour-summaries.js';
import { FEATURES } from '../support/small-cluster.js';

const CONFIGURATION = { features: FEATURES, source: ['http://prometheus:9090'] };
const NEWEST = 490_908;

describe('fuzzing the reader of histories', () => {
  let encoded: Uint8Array;

  before(async () => {
    const history = new WorkloadHistory({ days: 1, ...featureNames(CONFIGURATION) });
    history.add(summaryOf(NEWEST, { 'shop/cart': 1, 'shop/web': 2 }));
    encoded = await encodeHistory(history.state(), CONFIGURATION, async () => undefined);
  });

  /** The history, or a `SnapshotError`; everything else fails. */
  function read(bytes: Uint8Array): WorkloadHistory | undefined {
    try {
      return new WorkloadHistory(decodeHistory(bytes, CONFIGURATION));
    } catch (error) {
      expect(error).to.be.an.instanceOf(SnapshotError);
      return undefined;
    }
  }

  it('refuses any bytes', () => {
    holds(fc.uint8Array({ maxLength: 300 }), (bytes) => expect(read(bytes)).to.equal(undefined));
  });

  it('refuses a damaged history even under a right checksum, or goes on with it', () => {
    let accepted = 0;
    holds(anyDamage, (damage) => {
      const found = read(withChecksum(damage(encoded)));
      if (found === undefined) return;
      accepted++;
      found.forgetAllBut(NEWEST);
      found.add(summaryOf(NEWEST + 1, { 'shop/cart': 3, 'shop/new': 4 }));
      expect(found.knows(NEWEST + 1)).to.equal(true);
      expect(new WorkloadHistory(found.state()).rowOf('shop/new')).to.be.at.least(0);
    });
    expect(accepted, 'else only the refusals were tried').to.be.above(0);
  });
});
