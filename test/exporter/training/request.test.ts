import { expect } from 'chai';
import { modelParameters, trainingRequest } from '../../../src/exporter/training/request.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { FEATURES, OWNER_QUERIES } from '../../support/small-cluster.js';

const SCOPE = {
  features: FEATURES,
  ownerQueries: OWNER_QUERIES,
  parameters: QUICK_PARAMETERS,
  lookbackSeconds: 3600,
  stepSeconds: 60,
  maximumPods: 100,
};
const OCCASION = { dueSeconds: 1_000_000, untilNextTrainingSeconds: 900 };

describe('trainingRequest', () => {
  it('leaves out samples that may still come, and adds their age to the time until the next training', () => {
    expect(trainingRequest(SCOPE, OCCASION)).to.deep.equal({
      ...SCOPE,
      nowSeconds: 1_000_000 - 15,
      untilNextTrainingSeconds: 915,
    });
  });

  it('goes further back where the backend hides its latest samples', () => {
    const request = trainingRequest({ ...SCOPE, queryOffsetSeconds: 90 }, OCCASION);
    expect(request).to.include({ nowSeconds: 1_000_000 - 90, untilNextTrainingSeconds: 990 });
    expect(request).not.to.have.property('queryOffsetSeconds');
    expect(trainingRequest({ ...SCOPE, queryOffsetSeconds: 5 }, OCCASION).nowSeconds).to.equal(999_985);
  });
});

describe('modelParameters', () => {
  it('takes from the settings what a model is made with, and nothing else', () => {
    expect(modelParameters({ ...QUICK_PARAMETERS, ...{ port: 8000 } })).to.deep.equal(QUICK_PARAMETERS);
  });
});
