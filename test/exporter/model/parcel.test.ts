import { expect } from 'chai';
import { fitModel } from '../../../src/exporter/model/fit.js';
import { packModel, unpackModel } from '../../../src/exporter/model/parcel.js';
import { encodeModel } from '../../../src/exporter/model/snapshot/codec.js';
import { DEFAULT_FEATURES, DEFAULT_PARAMETERS, madeUpTables } from '../../support/made-up-cluster.js';

const never = () => Promise.resolve();

describe('A model on its way to another thread', () => {
  for (const baseline of ['pod', 'workload', 'cluster'] as const) {
    it(`arrives as it was (${baseline})`, async () => {
      const fitAgain = () =>
        fitModel(madeUpTables(60), DEFAULT_FEATURES, { ...DEFAULT_PARAMETERS, baseline });
      const { parcel, buffers } = packModel(fitAgain());
      const sent = structuredClone(parcel, { transfer: buffers });
      expect(await unpackModel(sent, never)).to.deep.equal(fitAgain());
      // It reads every array, and throws on one that was taken.
      expect(encodeModel(fitAgain()), 'what another model needs').to.not.be.empty;
      expect(
        buffers.every(({ byteLength }) => byteLength === 0),
        'nothing was copied',
      ).to.equal(true);
    });
  }

  it('keeps timetables, and lets other work have its turn between the parts', async () => {
    const tables = madeUpTables(40);
    for (const { values, timestampsSeconds, features } of [tables.window, ...tables.history]) {
      timestampsSeconds.forEach((seconds, instant) => {
        if (Math.round(seconds / 60) % 60 === 8) values[instant * features.length] = 30;
      });
    }
    const model = fitModel(tables, DEFAULT_FEATURES, DEFAULT_PARAMETERS);
    expect(model.baseline.schedules.size).to.be.above(0);
    let pauses = 0;
    const { parcel } = packModel(model);
    const unpacked = await unpackModel(structuredClone(parcel), async () => void pauses++);
    expect(unpacked).to.deep.equal(model);
    expect(pauses).to.be.above(3);
  });
});
