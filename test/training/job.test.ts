import { expect } from 'chai';
import { PrometheusError } from '../../src/prometheus/errors.js';
import { TrainingDataError, type TrainingRequest, train } from '../../src/training/job.js';
import { type FakeApi, fakeApi, instantsOf } from '../support/fake-api.js';
import { rejection } from '../support/rejection.js';
import { FEATURES, namedPods, PARAMETERS, SmallCluster, topicOf } from '../support/small-cluster.js';

/** A multiple of a minute. */
const NOON = 1_767_268_800;

const never = new AbortController().signal;

const requestWith = (overrides: Partial<TrainingRequest> = {}): TrainingRequest => ({
  features: FEATURES,
  parameters: PARAMETERS,
  lookbackSeconds: 1800,
  stepSeconds: 60,
  nowSeconds: NOON,
  ...overrides,
});

/** What was asked of one topic by range, in the order of the requests. */
const rangesOf = (api: FakeApi, topic: string) =>
  api.asked.filter(({ kind, query }) => kind === 'range' && topicOf(query) === topic);

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
      [0, 59, 60].map((later) =>
        train(fakeApi(cluster.answer), requestWith({ nowSeconds: NOON + later }), never),
      ),
    );
    expect(second).to.deep.equal(first);
    expect(third).not.to.deep.equal(first);
  });

  it('asks for every instant of every feature exactly once, in several requests', async () => {
    const api = fakeApi(new SmallCluster().answer);
    const lookbackSeconds = 6 * 3600;
    await train(api, requestWith({ lookbackSeconds }), never);
    const wanted = Array.from({ length: 361 }, (_, index) => NOON - lookbackSeconds + index * 60);
    for (const { name } of FEATURES) {
      const ranges = rangesOf(api, name);
      expect(ranges.length, name).to.be.greaterThan(1);
      expect(ranges.flatMap(instantsOf), name).to.deep.equal(wanted);
    }
  });

  it('cuts the slices smaller where there are many series', async () => {
    const cluster = new SmallCluster(namedPods(10));
    const api = fakeApi(cluster.answer);
    const manySeries: FakeApi = {
      ...api,
      async queryRange(request) {
        const answer = await api.queryRange(request);
        // Series without samples cost nothing here, and count all the same.
        const labels = [...answer.labels, ...Array.from({ length: 20_000 }, () => ({}))];
        const offsets = new Uint32Array(labels.length + 1).fill(answer.values.length);
        offsets.set(answer.offsets);
        return { ...answer, labels, offsets };
      },
    };
    const { model } = await train(manySeries, requestWith({ lookbackSeconds: 7200 }), never);
    const sizes = rangesOf(api, 'cpu').map((range) => instantsOf(range).length);
    expect(sizes).to.deep.equal([30, 29, 29, 29, 4]);
    expect(model.samples).to.equal(10 * 121);
  });

  it('never asks for more than 11,000 instants at once, however few series there are', async () => {
    const api = fakeApi(new SmallCluster(namedPods(1)).answer);
    const { model } = await train(api, requestWith({ lookbackSeconds: 12_000, stepSeconds: 1 }), never);
    expect(rangesOf(api, 'cpu').map((range) => instantsOf(range).length)).to.deep.equal([30, 11_000, 971]);
    expect(model.samples).to.equal(12_001);
  });

  it('trains on a single instant when the step is longer than the window', async () => {
    const api = fakeApi(new SmallCluster(namedPods(12)).answer);
    const { model } = await train(
      api,
      requestWith({ lookbackSeconds: 300, stepSeconds: 3600, nowSeconds: NOON + 10 }),
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
    expect(warnings[0]).to.include('restarts').and.to.include('without this feature');
    // The columns that stay keep their values: the first pod's usual memory is that of the complete model.
    expect(model.baseline.pods.location[1]).to.equal(complete.model.baseline.pods.location[1]);
  });

  it('groups pods by the owners that kube-state-metrics names, asked for at the end of the window', async () => {
    const pods = namedPods(4).map((pod) => ({ ...pod, owner: 'till' }));
    const api = fakeApi(new SmallCluster(pods).answer);
    const { model, warnings } = await train(api, requestWith({ nowSeconds: NOON + 30 }), never);
    expect([...new Set(model.workloads.values())]).to.deep.equal(['till']);
    expect(warnings).to.deep.equal([]);
    const instants = api.asked.filter(({ kind }) => kind === 'instant');
    expect(instants.map(({ startSeconds }) => startSeconds)).to.deep.equal([NOON, NOON, NOON]);
  });

  it('takes the workloads from the names when the owners cannot be asked for, and says so', async () => {
    const pods = namedPods(4).map((pod) => ({ ...pod, owner: 'till' }));
    const api = fakeApi(new SmallCluster(pods).answer);
    api.before = ({ query }) => {
      if (query === 'kube_pod_owner') throw new PrometheusError('forbidden', 'Owners are secret.');
    };
    const { model, warnings } = await train(api, requestWith(), never);
    expect([...new Set(model.workloads.values())]).to.deep.equal(['cart']);
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

  it('rejects with the error of a query that fails', async () => {
    const api = fakeApi(new SmallCluster().answer);
    const broken = new PrometheusError('unavailable', 'The disk is full.');
    api.before = ({ query }) => {
      if (topicOf(query) === 'memory') throw broken;
    };
    expect(await rejection(train(api, requestWith(), never), PrometheusError)).to.equal(broken);
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
