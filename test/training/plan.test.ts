import { expect } from 'chai';
import { train } from '../../src/training/job.js';
import { fetchingCost, instantsPerRequest, trainingSlices, trainingWindow } from '../../src/training/plan.js';
import { fakeApi } from '../support/fake-api.js';
import { FEATURES, namedPods, OWNER_QUERIES, PARAMETERS, SmallCluster } from '../support/small-cluster.js';

const TIMES = {
  nowSeconds: 1_767_268_830,
  lookbackSeconds: 3600,
  stepSeconds: 60,
  untilNextTrainingSeconds: 900,
};

describe('the plan of a training', () => {
  it('asks for the window at multiples of the step', () => {
    const { grid } = trainingWindow(TIMES);
    expect([grid[0], grid.at(-1), grid.length]).to.deep.equal([1_767_265_200, 1_767_268_800, 61]);
  });

  it('asks for slices of two earlier hours, but not for the plain method', () => {
    expect(trainingSlices(TIMES, 'pod').map(({ grid }) => grid.length)).to.deep.equal([18, 18]);
    expect(trainingSlices(TIMES, 'cluster')).to.deep.equal([]);
  });

  it('keeps answers small: few instants at first, then by the number of series', () => {
    expect(instantsPerRequest(0, 0)).to.equal(30);
    expect(instantsPerRequest(30, 10_000)).to.equal(60);
    expect(instantsPerRequest(30, 0)).to.equal(11_000);
    expect(instantsPerRequest(30, 10_000_000)).to.equal(1);
  });

  it('costs what a training then asks for', async () => {
    const pods = 40;
    const cluster = new SmallCluster(namedPods(pods));
    const api = fakeApi(cluster.answer);
    const request = { ...TIMES, features: FEATURES, ownerQueries: OWNER_QUERIES, parameters: PARAMETERS };
    await train(api, request, new AbortController().signal);
    const ranges = api.asked.filter(({ kind }) => kind === 'range');
    const grids = [trainingWindow(TIMES), ...trainingSlices(TIMES, 'pod')];
    const costs = FEATURES.flatMap(() => grids.map((grid) => fetchingCost(grid, pods)));
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    expect(ranges.length).to.equal(sum(costs.map(({ requests }) => requests)));
    const instants = ranges.map(({ startSeconds, endSeconds, stepSeconds }) =>
      Math.round((endSeconds - startSeconds) / stepSeconds + 1),
    );
    expect(pods * sum(instants)).to.equal(sum(costs.map(({ points }) => points)));
  });
});
