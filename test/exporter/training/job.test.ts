import { expect } from 'chai';
import { createRandom } from '../../../src/exporter/model/random.js';
import { encodeModel } from '../../../src/exporter/model/snapshot/codec.js';
import type { QueryResult } from '../../../src/exporter/prometheus/api.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import {
  modelParameters,
  TRAINING_REQUEST_TIMEOUT_SECONDS,
  TrainingDataError,
  type TrainingRequest,
  train,
  trainingRequest,
} from '../../../src/exporter/training/job.js';
import { type AskedQuery, type FakeApi, fakeApi, instantsOf } from '../../support/fake-api.js';
import { countOwnBaselines } from '../../support/models.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { rejection } from '../../support/rejection.js';
import { type Answer, FEATURES, namedPods, OWNER_QUERIES, SmallCluster, topicOf } from '../../support/small-cluster.js';
import { within } from '../../support/waiting.js';

/** A multiple of a minute. */
const NOON = 1_767_268_800;

const never = new AbortController().signal;

const requestWith = (overrides: Partial<TrainingRequest> = {}): TrainingRequest => ({
  features: FEATURES,
  ownerQueries: OWNER_QUERIES,
  parameters: QUICK_PARAMETERS,
  lookbackSeconds: 1800,
  stepSeconds: 60,
  nowSeconds: NOON,
  untilNextTrainingSeconds: 900,
  ...overrides,
});

/** With the plain method only the window is asked for. */
const PLAIN = { ...QUICK_PARAMETERS, baseline: 'cluster' } as const;

const HOUR = 3600;

/** What was asked of one topic by range, in the order of the requests. */
const rangesOf = (api: FakeApi, topic: string) =>
  api.asked.filter(({ kind, query }) => kind === 'range' && topicOf(query) === topic);

/** The requests for a topic that reach back behind the window, which ends at noon. */
const slicesOf = (api: FakeApi, topic: string, lookbackSeconds = 1800) =>
  rangesOf(api, topic).filter(({ startSeconds }) => startSeconds < NOON - lookbackSeconds);

/** From how long before noon to how long before noon, in seconds. */
const reachOf = ({ startSeconds, endSeconds }: AskedQuery) => [NOON - startSeconds, NOON - endSeconds];

/** Lets all deadlines of a training pass in no time, and gives those that were set, in milliseconds. */
async function withoutPatience(work: () => Promise<void>): Promise<number[]> {
  const { timeout } = AbortSignal;
  const deadlines: number[] = [];
  AbortSignal.timeout = (milliseconds) => {
    deadlines.push(milliseconds);
    return timeout.call(AbortSignal, 5);
  };
  try {
    await work();
  } finally {
    AbortSignal.timeout = timeout;
  }
  return deadlines;
}

describe('training job', () => {
  it('takes the window that ends at the last multiple of the step, both ends included', async () => {
    const api = fakeApi(new SmallCluster().answer);
    const { model } = await train(api, requestWith({ nowSeconds: NOON + 59.9 }), never);
    expect(model).to.include({ windowStartSeconds: NOON - 1800, windowEndSeconds: NOON, pods: 6 });
    expect(model.samples).to.equal(6 * 31);
  });

  it('makes equal models of all times within one step', async () => {
    const cluster = new SmallCluster();
    const [first, second, third] = await Promise.all(
      [0, 59, 60].map((later) => train(fakeApi(cluster.answer), requestWith({ nowSeconds: NOON + later }), never)),
    );
    expect(second).to.deep.equal(first);
    expect(third).not.to.deep.equal(first);
  });

  for (const baseline of ['pod', 'workload', 'cluster'] as const) {
    it(`makes the same model (${baseline}) to the last byte, in whatever order the series come`, async () => {
      const cluster = new SmallCluster([
        ...namedPods(4).map((pod) => ({ ...pod, owner: 'cart' })),
        ...namedPods(3, 'till', 'shop'),
        ...namedPods(3, 'cart', 'other'),
      ]);
      // Some pods come twice with other values, as from two kubelets, and with two owners.
      const twice: Answer = (query, timeSeconds) => {
        const samples = cluster.answer(query, timeSeconds);
        const again = samples.slice(0, 3).map(({ labels, value }) => ({
          labels: { ...labels, instance: 'other', ...(labels.owner_name && { owner_name: 'basket' }) },
          value: value * 1.5,
        }));
        return [...samples, ...again];
      };
      const trainOn = async (answer: Answer) => {
        const request = requestWith({ parameters: { ...QUICK_PARAMETERS, baseline } });
        return encodeModel((await train(fakeApi(answer), request, never)).model);
      };
      const model = await trainOn(twice);
      expect(await trainOn((query, timeSeconds) => twice(query, timeSeconds).toReversed())).to.deep.equal(model);
      for (const seed of [1, 2, 3]) {
        const shuffled = await trainOn((query, timeSeconds) => {
          const random = createRandom(seed + query.length);
          return twice(query, timeSeconds)
            .map((sample) => ({ sample, place: random() }))
            .sort((a, b) => a.place - b.place)
            .map(({ sample }) => sample);
        });
        expect(shuffled).to.deep.equal(model);
      }
    });
  }

  it('asks for every instant of every feature exactly once, in several requests', async () => {
    const api = fakeApi(new SmallCluster().answer);
    const lookbackSeconds = 4 * 3600;
    await train(api, requestWith({ lookbackSeconds, stepSeconds: 1, parameters: PLAIN }), never);
    const wanted = Array.from({ length: 14_401 }, (_, index) => NOON - lookbackSeconds + index);
    for (const { name } of FEATURES) {
      const ranges = rangesOf(api, name);
      expect(ranges.length, name).to.be.greaterThan(1);
      expect(ranges.flatMap(instantsOf), name).to.deep.equal(wanted);
    }
  });

  it('asks for the owners first, then how many series there are, then for the window, then for earlier hours', async () => {
    const api = fakeApi(new SmallCluster().answer);
    await train(api, requestWith(), never);
    const order = api.asked.map((asked) => {
      const topic = topicOf(asked.query);
      if (asked.kind === 'instant') return topic;
      return `${topic} ${asked.startSeconds < NOON - 1800 ? 'earlier' : 'window'}`;
    });
    const ranges = (part: string, times: number) =>
      FEATURES.flatMap(({ name }) => new Array<string>(times).fill(`${name} ${part}`));
    expect(order).to.deep.equal([
      'kube_pod_owner',
      'kube_replicaset_owner',
      'kube_job_owner',
      ...FEATURES.map(({ name }) => name),
      ...ranges('window', 1),
      ...ranges('earlier', 1),
      ...ranges('earlier', 1),
    ]);
  });

  it('counts no series where a question before has shown how many there are, unless the plan depends on each of them', async () => {
    const countedIn = async (series: number) => {
      const api = fakeApi(new SmallCluster().answer);
      const seriesSeen = new Map(FEATURES.map(({ query }) => [query, series]));
      await train(api, requestWith({ seriesSeen }), never);
      const instants = api.asked.filter(({ kind }) => kind === 'instant').map(({ query }) => topicOf(query));
      return instants.filter((topic) => !topic.endsWith('_owner'));
    };
    expect(await countedIn(12)).to.deep.equal([]);
    expect(await countedIn(1_000_000)).to.deep.equal(FEATURES.map(({ name }) => name));
  });

  for (const [untilNext, reach] of [
    [900, 900],
    [60, 60],
    [HOUR, HOUR],
    // At most an hour: the minutes of the hour repeat.
    [24 * HOUR, HOUR],
  ] as const) {
    it(`asks what was two and three hours before, for the next ${reach} s, if trained every ${untilNext} s`, async () => {
      const api = fakeApi(new SmallCluster().answer);
      await train(api, requestWith({ nowSeconds: NOON + 20, untilNextTrainingSeconds: untilNext }), never);
      const wanted = [2, 3].map((hours) => [hours * HOUR + 60, hours * HOUR - reach - 60]);
      for (const { name } of FEATURES) {
        const slices = slicesOf(api, name);
        expect(reachOf(slices[0] as AskedQuery)[0], name).to.equal(wanted[0]?.[0]);
        // Slices of an hour have three minutes in common, which are asked for once.
        const instants = wanted.flatMap(([first = 0]) =>
          Array.from({ length: reach / 60 + 3 }, (_, index) => NOON - first + index * 60),
        );
        expect(slices.flatMap(instantsOf), name).to.deep.equal([...new Set(instants)]);
      }
    });
  }

  for (const [windowStep, sliceStep] of [
    [300, 60],
    [60, 60],
    [15, 15],
  ] as const) {
    it(`samples earlier hours every ${sliceStep} s when the window is sampled every ${windowStep} s`, async () => {
      const api = fakeApi(new SmallCluster().answer);
      await train(api, requestWith({ stepSeconds: windowStep, lookbackSeconds: HOUR }), never);
      const slices = slicesOf(api, 'cpu', HOUR);
      expect(slices).not.to.deep.equal([]);
      for (const { stepSeconds } of slices) expect(stepSeconds).to.equal(sliceStep);
    });
  }

  it('asks for no earlier hours for the plain method', async () => {
    const api = fakeApi(new SmallCluster().answer);
    const { model } = await train(api, requestWith({ parameters: PLAIN }), never);
    for (const { name } of FEATURES) {
      expect(slicesOf(api, name)).to.deep.equal([]);
      expect(rangesOf(api, name)).not.to.deep.equal([]);
    }
    expect(model.baseline.kind).to.equal('cluster');
  });

  it('asks for no earlier hours of a feature that has no series in the window', async () => {
    const cluster = new SmallCluster();
    cluster.silent.add('restarts');
    const api = fakeApi(cluster.answer);
    await train(api, requestWith(), never);
    expect(slicesOf(api, 'restarts')).to.deep.equal([]);
    expect(slicesOf(api, 'memory')).to.have.lengthOf(2);
  });

  it('makes the model that earlier hours make: an incident as long as the window is not yet usual', async () => {
    const cluster = new SmallCluster();
    const memoryOf = async (parameters = QUICK_PARAMETERS) => {
      const { model } = await train(fakeApi(cluster.answer), requestWith({ parameters }), never);
      return model.baseline.pods.location[1] as number;
    };
    const usual = await memoryOf();
    cluster.misbehave('cart-0', NOON - 1500);
    // Four times the memory in five sixths of the window.
    expect((await memoryOf()) / usual).to.be.closeTo(1, 0.1);
  });

  it('trains where Prometheus remembers nothing before the window', async () => {
    const { answer } = new SmallCluster();
    const young: Answer = (query, timeSeconds) => (timeSeconds < NOON - 1800 ? [] : answer(query, timeSeconds));
    const { model, warnings } = await train(fakeApi(young), requestWith(), never);
    expect(model.samples).to.equal(6 * 31);
    expect(warnings).to.deep.equal([]);
    for (const statistics of [model.baseline.pods.location, model.baseline.pods.scale]) {
      for (const value of statistics) expect(value).to.be.finite;
    }
  });

  it('asks for fewer instants at once where there are many series', async () => {
    const cluster = new SmallCluster(namedPods(10));
    const api = fakeApi(cluster.answer);
    // Series without samples cost nothing here, and count all the same.
    const withMore = (answer: QueryResult): QueryResult => {
      const labels = [...answer.labels, ...Array.from({ length: 20_000 }, () => ({}))];
      const offsets = new Uint32Array(labels.length + 1).fill(answer.values.length);
      offsets.set(answer.offsets);
      return { ...answer, labels, offsets };
    };
    const manySeries: FakeApi = {
      ...api,
      query: async (request) => withMore(await api.query(request)),
      queryRange: async (request) => withMore(await api.queryRange(request)),
    };
    const { model } = await train(manySeries, requestWith({ lookbackSeconds: 7200, parameters: PLAIN }), never);
    const sizes = rangesOf(api, 'cpu').map((range) => instantsOf(range).length);
    expect(sizes).to.deep.equal([29, 29, 29, 29, 5]);
    expect(model.samples).to.equal(10 * 121);
  });

  it('never asks for more than 11,000 instants at once, however few series there are', async () => {
    const api = fakeApi(new SmallCluster(namedPods(1)).answer);
    const { model } = await train(
      api,
      requestWith({ lookbackSeconds: 12_000, stepSeconds: 1, parameters: PLAIN }),
      never,
    );
    expect(rangesOf(api, 'cpu').map((range) => instantsOf(range).length)).to.deep.equal([11_000, 1001]);
    expect(model.samples).to.equal(12_001);
  });

  it('trains on a single instant when the step is longer than the window', async () => {
    const api = fakeApi(new SmallCluster(namedPods(12)).answer);
    const { model } = await train(
      api,
      requestWith({ lookbackSeconds: 300, stepSeconds: 3600, nowSeconds: NOON + 10, parameters: PLAIN }),
      never,
    );
    expect(model).to.include({ samples: 12, windowStartSeconds: NOON, windowEndSeconds: NOON });
    for (const { stepSeconds } of rangesOf(api, 'cpu')) expect(stepSeconds).to.equal(3600);
  });

  it('says what each query found when that is too little for a model', async () => {
    const cluster = new SmallCluster(namedPods(3));
    cluster.silent.add('memory');
    const error = await rejection(train(fakeApi(cluster.answer), requestWith(), never), TrainingDataError);
    expect(error.message)
      .to.include('Expected at least 10 samples that have every required feature, found 0')
      .and.to.include('cpu: 3 series with 93 samples')
      .and.to.include('memory: 0 series with 0 samples')
      .and.to.include('restarts: 3 series with 93 samples')
      .and.to.include('pods left out: 3 missing_memory')
      .and.to.include('NAMESPACE_REGEX')
      .and.not.to.include('CPU_RATE_WINDOW');
  });

  it('names CPU_RATE_WINDOW when memory has data and cpu has none', async () => {
    const cluster = new SmallCluster();
    cluster.silent.add('cpu');
    const error = await rejection(train(fakeApi(cluster.answer), requestWith(), never), TrainingDataError);
    expect(error.message).to.include('cpu: 0 series with 0 samples').and.to.include('CPU_RATE_WINDOW');
  });

  it('says how much it asked for, and why', async () => {
    const { plan } = await train(fakeApi(new SmallCluster().answer), requestWith(), never);
    // 6 pods × 3 features × (31 + 2 × 18) instants.
    expect(plan).to.equal('All 1,206 samples are used.');
  });

  it('leaves out the pods that are too many, always the same, and says so', async () => {
    const cluster = new SmallCluster(namedPods(20));
    const trainOn = (maximumPods: number) => train(fakeApi(cluster.answer), requestWith({ maximumPods }), never);
    const { model, warnings, plan } = await trainOn(7);
    expect(model.baseline.pods.keys).to.have.lengthOf(7);
    expect(countOwnBaselines(model)).to.equal(7);
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.include('13 pods are left out').and.to.include('MAX_PODS');
    expect(plan).to.include('All 1,407 samples');
    expect((await trainOn(8)).model.baseline.pods.keys).to.include.members([...model.baseline.pods.keys]);
    expect((await trainOn(20)).warnings).to.deep.equal([]);
  });

  it('needs ten samples and no more', async () => {
    const trainOn = (instants: number) =>
      train(
        fakeApi(new SmallCluster(namedPods(1)).answer),
        requestWith({ lookbackSeconds: (instants - 1) * 60 }),
        never,
      );
    expect((await trainOn(10)).model.samples).to.equal(10);
    const error = await rejection(trainOn(9), TrainingDataError);
    expect(error.message).to.include('found 9');
  });

  it('says so when no pod has enough samples for a past of its own', async () => {
    const { model, warnings } = await train(
      fakeApi(new SmallCluster().answer),
      { ...requestWith(), stepSeconds: 300 },
      never,
    );
    expect(countOwnBaselines(model)).to.equal(0);
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.include('TRAINING_LOOKBACK_MINUTES').and.to.include('QUERY_STEP_SECONDS');
  });

  it('leaves out an optional feature without series, and says so', async () => {
    const cluster = new SmallCluster();
    const complete = await train(fakeApi(cluster.answer), requestWith(), never);
    cluster.silent.add('restarts');
    const { model, warnings } = await train(fakeApi(cluster.answer), requestWith(), never);
    expect(model.features.map(({ name }) => name)).to.deep.equal(['cpu', 'memory']);
    expect(model.forest.features).to.equal(2);
    expect(model.fingerprint).not.to.equal(complete.model.fingerprint);
    expect(complete.warnings).to.deep.equal([]);
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.include('restarts').and.to.include('training without it');
    // The columns that stay keep their values: the first pod's usual memory is that of the complete model.
    expect(model.baseline.pods.location[1]).to.equal(complete.model.baseline.pods.location[1]);
  });

  it('goes on with a feature of which all samples are no numbers: it has not disappeared', async () => {
    const { answer } = new SmallCluster();
    const { model } = await train(fakeApi(answer), requestWith(), never);
    const night: Answer = (query, time) =>
      answer(query, time).map((sample) => (topicOf(query) === 'restarts' ? { ...sample, value: Number.NaN } : sample));
    const later = await train(fakeApi(night), requestWith(), never, model);
    expect(later.model.features.map(({ name }) => name)).to.deep.equal(['cpu', 'memory', 'restarts']);
    expect(later.warnings).to.deep.equal([]);
  });

  it('groups pods by the owners that kube-state-metrics names, asked for at the end of the window', async () => {
    const pods = namedPods(4).map((pod) => ({ ...pod, owner: 'till' }));
    const api = fakeApi(new SmallCluster(pods).answer);
    const { model, warnings } = await train(api, requestWith({ nowSeconds: NOON + 30 }), never);
    expect(model.baseline.workloads.names).to.deep.equal(['till']);
    expect(warnings).to.deep.equal([]);
    const instants = api.asked.filter(({ kind, query }) => kind === 'instant' && topicOf(query).startsWith('kube_'));
    expect(instants.map(({ startSeconds }) => startSeconds)).to.deep.equal([NOON, NOON, NOON]);
  });

  it('takes the workloads from the names when the owners cannot be asked for, and says so', async () => {
    const pods = namedPods(4).map((pod) => ({ ...pod, owner: 'till' }));
    const api = fakeApi(new SmallCluster(pods).answer);
    api.before = ({ query }) => {
      if (topicOf(query) === 'kube_pod_owner') throw new PrometheusError('forbidden', 'Owners are secret.');
    };
    const { model, warnings } = await train(api, requestWith(), never);
    expect(model.baseline.workloads.names).to.deep.equal(['cart']);
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.include('Workloads are taken from pod names').and.to.include('Owners are secret.');
  });

  it('passes on what Prometheus warns of, each sentence once', async () => {
    const api = fakeApi(new SmallCluster().answer);
    api.warnings = ['a store is down'];
    const { warnings } = await train(api, requestWith({ lookbackSeconds: 7200 }), never);
    expect(warnings).to.deep.equal(
      ['cpu', 'memory', 'restarts'].map((name) => `Prometheus warns of ${name}: a store is down`),
    );
  });

  it('bounds what Prometheus warns of, of however many answers', async () => {
    const api = fakeApi(new SmallCluster().answer);
    let asked = 0;
    api.before = async () => {
      asked++;
      api.warnings = Array.from({ length: 10 }, (_, index) => `store ${asked}-${index} is down`);
    };
    const { warnings } = await train(api, requestWith({ lookbackSeconds: 7200 }), never);
    expect(asked).to.be.above(3);
    expect(warnings).to.have.lengthOf(21);
    expect(warnings.at(-1)).to.equal('There were more remarks, which are not listed.');
  });

  it('rejects with the error of a query that fails', async () => {
    const api = fakeApi(new SmallCluster().answer);
    const broken = new PrometheusError('unavailable', 'The disk is full.');
    api.before = ({ query }) => {
      if (topicOf(query) === 'memory') throw broken;
    };
    expect(await rejection(train(api, requestWith(), never), PrometheusError)).to.equal(broken);
  });

  it('waits a minute for an answer about a feature, and fails', async () => {
    const api = fakeApi(new SmallCluster().answer);
    api.before = ({ query }) => (topicOf(query) === 'memory' ? new Promise(() => {}) : undefined);
    const deadlines = await withoutPatience(async () => {
      const training = within(60_000, 'the training', train(api, requestWith(), never));
      expect((await rejection(training, PrometheusError)).kind).to.equal('timeout');
    });
    for (const deadline of deadlines) expect(deadline).to.equal(TRAINING_REQUEST_TIMEOUT_SECONDS * 1000);
  });

  it('waits a minute for the owners, and takes the workloads from the names', async () => {
    const api = fakeApi(new SmallCluster(namedPods(4).map((pod) => ({ ...pod, owner: 'till' }))).answer);
    api.before = ({ query }) => (topicOf(query) === 'kube_job_owner' ? new Promise(() => {}) : undefined);
    const deadlines = await withoutPatience(async () => {
      const training = within(60_000, 'the training', train(api, requestWith(), never));
      const { model, warnings } = await training;
      expect(model.baseline.workloads.names).to.deep.equal(['cart']);
      expect(warnings).to.have.lengthOf(1);
    });
    for (const deadline of deadlines) expect(deadline).to.equal(TRAINING_REQUEST_TIMEOUT_SECONDS * 1000);
  });

  for (const topic of ['memory', 'kube_pod_owner'] as const) {
    it(`ends at once when it is aborted while it asks for ${topic}`, async () => {
      const api = fakeApi(new SmallCluster().answer);
      const controller = new AbortController();
      api.before = ({ query }) => {
        if (topicOf(query) !== topic) return undefined;
        controller.abort();
        return new Promise(() => {});
      };
      const error = await rejection(train(api, requestWith(), controller.signal), PrometheusError);
      expect(error.kind).to.equal('aborted');
    });
  }
});

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
