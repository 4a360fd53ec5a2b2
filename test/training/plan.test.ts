import { expect } from 'chai';
import { train } from '../../src/training/job.js';
import {
  fetchingCost,
  instantsPerRequest,
  planTraining,
  trainingSlices,
  trainingWindow,
} from '../../src/training/plan.js';
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

  it('keeps answers small, by the number of series', () => {
    expect(instantsPerRequest(0), 'not known').to.equal(30);
    expect(instantsPerRequest(10_000)).to.equal(60);
    expect(instantsPerRequest(100_000)).to.equal(6);
    expect(instantsPerRequest(1)).to.equal(11_000);
    expect(instantsPerRequest(10_000_000)).to.equal(1);
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

  describe('takes', () => {
    const cases: readonly (readonly [
      what: string,
      series: number,
      changes: Partial<typeof TIMES>,
      window: readonly [instants: number, stepSeconds: number],
      slices: number,
      reason: RegExp,
    ])[] = [
      [
        'all of a small cluster',
        30,
        {},
        [61, 60],
        2,
        /^Trained on every sample: 2,910 are within the 32,000,000 that fit\.$/,
      ],
      ['all of 10,000 pods', 30_000, {}, [61, 60], 2, /^Trained on every sample: 2,910,000/],
      ['all of 100,000 pods', 300_000, {}, [61, 60], 2, /^Trained on every sample: 29,100,000/],
      [
        'every other minute of 150,000 pods',
        450_000,
        {},
        [31, 120],
        2,
        /^Trained on a sample every 120 s: all 43,650,000 samples would not fit \(32,000,000\), 30,150,000 remain\.$/,
      ],
      [
        'every third minute of three hours of 100,000 pods',
        300_000,
        { lookbackSeconds: 3 * 3600 },
        [61, 180],
        2,
        /^Trained on a sample every 180 s: all 65,100,000/,
      ],
      [
        'fewer earlier hours where trainings are rare, as they are long then',
        300_000,
        { untilNextTrainingSeconds: 3600 },
        [31, 120],
        1,
        /^Trained on a sample every 120 s, and one earlier hour of two:/,
      ],
      ['no earlier hours of 300,000 pods', 900_000, {}, [31, 120], 0, /, and without earlier hours:/],
      ['never less than half an hour', 9_000_000, {}, [31, 120], 0, /That is still too many\.$/],
      [
        'a window that is short as it is',
        2_000_000,
        { lookbackSeconds: 300 },
        [6, 60],
        0,
        /^Trained on a sample every 60 s, and without earlier hours: all 84,000,000/,
      ],
    ];
    for (const [what, series, changes, [instants, stepSeconds], slices, reason] of cases) {
      it(what, () => {
        const times = { ...TIMES, ...changes };
        const plan = planTraining(times, 'pod', series);
        expect([plan.window.grid.length, plan.window.stepSeconds]).to.deep.equal([instants, stepSeconds]);
        expect(plan.slices).to.have.length(slices);
        expect(plan.reason).to.match(reason);
        const all = trainingWindow(times).grid;
        expect(plan.window.grid.at(-1), 'the newest sample').to.equal(all.at(-1));
        expect([...all]).to.include.members([...plan.window.grid]);
      });
    }

    it('more where more fits', () => {
      expect(planTraining(TIMES, 'pod', 450_000, 50_000_000).stride).to.equal(1);
      expect(planTraining(TIMES, 'cluster', 450_000).stride, 'without slices').to.equal(1);
    });
  });
});
