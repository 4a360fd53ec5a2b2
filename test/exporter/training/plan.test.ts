import { expect } from 'chai';
import { train } from '../../../src/exporter/training/job.js';
import { fetchingCost, planTraining, trainingSlices, trainingWindow } from '../../../src/exporter/training/plan.js';
import { fakeApi } from '../../support/fake-api.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { FEATURES, namedPods, OWNER_QUERIES, SmallCluster } from '../../support/small-cluster.js';

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
    const requests = (series: number) => fetchingCost(trainingWindow(TIMES), series).requests;
    expect([1, 10_000, 100_000, 10_000_000].map(requests)).to.deep.equal([1, 2, 11, 61]);
  });

  it('costs what a training then asks for', async () => {
    const pods = 40;
    const cluster = new SmallCluster(namedPods(pods));
    const api = fakeApi(cluster.answer);
    const request = {
      ...TIMES,
      features: FEATURES,
      ownerQueries: OWNER_QUERIES,
      parameters: QUICK_PARAMETERS,
    };
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
      ['all of a small cluster', 30, {}, [61, 60], 2, /^All 2,910 samples are used\.$/],
      ['all of 10,000 pods', 30_000, {}, [61, 60], 2, /^All 2,910,000 samples are used/],
      ['all of 100,000 pods', 300_000, {}, [61, 60], 2, /^All 29,100,000 samples are used/],
      [
        'all of an hour at 15 seconds of 20,000 pods',
        60_000,
        { stepSeconds: 15 },
        [241, 15],
        2,
        /^All [\d,]+ samples are used/,
      ],
      [
        'a sample a minute where there are more of 100,000 pods',
        300_000,
        { stepSeconds: 15 },
        [61, 60],
        2,
        /of 113,700,000 samples are used, .* the last 60 minutes, a sample every 60 s, and 2 of 2 earlier hours/,
      ],
      [
        'no finer multiple of an odd step than a minute holds',
        300_000,
        { stepSeconds: 25 },
        [73, 50],
        1,
        /a sample every 50 s, and 1 of 2 earlier hours/,
      ],
      [
        'one earlier hour of 120,000 pods',
        360_000,
        {},
        [61, 60],
        1,
        /^28,440,000 of 34,920,000 samples are used, as at most 32,000,000 fit into memory: the last 60 minutes, a sample every 60 s, and 1 of 2 earlier hours\.$/,
      ],
      [
        'as much of three hours of 100,000 pods as fits',
        300_000,
        { lookbackSeconds: 3 * 3600 },
        [88, 60],
        1,
        /the last 87 minutes,/,
      ],
      ['no earlier hours of 150,000 pods', 450_000, {}, [61, 60], 0, /the last 60 minutes, .* 0 of 2/],
      ['less than an hour of 200,000 pods', 600_000, {}, [53, 60], 0, /the last 52 minutes,/],
      ['about half an hour of 300,000 pods', 900_000, {}, [35, 60], 0, /0 of 2 earlier hours/],
      ['never less than half an hour', 9_000_000, {}, [31, 60], 0, /That is still too many\.$/],
      ['a short window as it is', 2_000_000, { lookbackSeconds: 300 }, [6, 60], 0, /the last 5 minutes,/],
    ];
    for (const [what, series, changes, [instants, stepSeconds], slices, reason] of cases) {
      it(what, () => {
        const times = { ...TIMES, ...changes };
        const plan = planTraining(times, 'pod', series);
        expect([plan.window.grid.length, plan.window.stepSeconds]).to.deep.equal([instants, stepSeconds]);
        expect(plan.slices).to.have.length(slices);
        expect(plan.reason).to.match(reason);
        expect(plan.points).to.equal(
          series * [plan.window, ...plan.slices].reduce((sum, { grid }) => sum + grid.length, 0),
        );
        const age = times.nowSeconds - (plan.window.grid.at(-1) as number);
        expect(age, 'the newest sample').to.be.within(0, stepSeconds);
      });
    }

    it('more where more fits', () => {
      expect(planTraining(TIMES, 'pod', 450_000, 50_000_000).slices).to.have.length(2);
      expect(planTraining(TIMES, 'cluster', 450_000).window.grid, 'without slices').to.have.length(61);
    });
  });

  describe('needs about the memory that trainings took (docs/performance.md)', () => {
    for (const [pods, minutes, megabytes] of [
      [1_000, 60, 58],
      [10_000, 60, 132],
      [30_000, 60, 306],
      [100_000, 60, 821],
      [10_000, 360, 312],
      [100_000, 10, 621],
    ] as const) {
      it(`of ${pods} pods over ${minutes} minutes`, () => {
        const times = { ...TIMES, lookbackSeconds: minutes * 60, stepSeconds: 60 };
        const { memoryBytes } = planTraining(times, 'pod', 3 * pods);
        expect(memoryBytes / 1e6).to.be.within(0.85 * megabytes, 1.15 * megabytes);
      });
    }
  });
});
