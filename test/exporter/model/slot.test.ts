import { expect } from 'chai';
import { fitModel } from '../../../src/exporter/model/fit.js';
import { ModelSlot } from '../../../src/exporter/model/slot.js';
import { normalRows } from '../../support/random-data.js';
import { feature, featureTable } from '../../support/tables.js';

describe('ModelSlot', () => {
  it('is empty at first, then holds the last model', () => {
    const features = [feature('a')];
    const window = featureTable(features, [{ pod: 'p', rows: normalRows(20, 1, 1) }]);
    const models = [1, 2].map((randomState) =>
      fitModel({ window, history: [] }, features, {
        baseline: 'pod',
        estimators: 1,
        maxSamples: 8,
        contamination: 'auto',
        randomState,
        sensitivity: 4,
      }),
    );
    const slot = new ModelSlot();
    expect(slot.get()).to.equal(undefined);
    for (const model of models) {
      slot.set(model);
      expect(slot.get()).to.equal(model);
    }
  });
});
