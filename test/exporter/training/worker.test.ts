import { expect } from 'chai';
import { describeSource, type PrometheusSource } from '../../../src/exporter/connect.js';
import { fetchHours, type HoursRequest } from '../../../src/exporter/history/fetch-hours.js';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { readSnapshot } from '../../../src/exporter/model/snapshot/snapshot.js';
import { PrometheusClient } from '../../../src/exporter/prometheus/client.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { shardOf } from '../../../src/exporter/sharding/shard.js';
import { TrainingDataError, train } from '../../../src/exporter/training/job.js';
import { buffersOfSamples, type KeptSamples } from '../../../src/exporter/training/known-samples.js';
import {
  readHoursInWorker,
  trainInWorker,
  trainingLimitSeconds,
} from '../../../src/exporter/training/run-in-worker.js';
import { ThreadError } from '../../../src/exporter/training/thread.js';
import { connectionTo } from '../../support/connection-to.js';
import { instantsOf } from '../../support/fake-api.js';
import { type FakePrometheus, startFakePrometheus } from '../../support/fake-prometheus.js';
import { summaryOf } from '../../support/hour-summaries.js';
import { closeServers, startServer } from '../../support/http-server.js';
import { rejection } from '../../support/rejection.js';
import { FEATURES, namedPods, OWNER_QUERIES, SmallCluster, topicOf } from '../../support/small-cluster.js';
import { hourRequest } from '../../support/training-request.js';
import { eventually, within } from '../../support/waiting.js';

const REQUEST = hourRequest(1_767_268_800);

const sourceAt = (...parameters: Parameters<typeof connectionTo>): PrometheusSource => ({
  connection: connectionTo(...parameters),
  sharding: undefined,
});

const never = new AbortController().signal;
const ignore = () => {};
type Report = (code: string) => void;

/** The arrays of a model as bytes, so that not even a -0 differs. */
function bytesOf({ forest, baseline }: Model): Record<string, string> {
  const arrays = {
    splitFeatures: forest.splitFeatures,
    splitValues: forest.splitValues,
    pathLengths: forest.pathLengths,
    podLocation: baseline.pods.location,
    podScale: baseline.pods.scale,
    workloadLocation: baseline.workloads.location,
    workloadScale: baseline.workloads.scale,
  };
  return Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [
      name,
      Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64'),
    ]),
  );
}

describe('training in a worker thread', () => {
  let cluster: SmallCluster;
  let prometheus: FakePrometheus;

  beforeEach(async () => {
    cluster = new SmallCluster();
    prometheus = await startFakePrometheus(cluster.answer);
  });

  afterEach(async () => {
    await prometheus.close();
    await closeServers();
  });

  const trainThere = (signal: AbortSignal = never, onRequest: (code: string) => void = ignore, limitSeconds = 60) =>
    within(
      60_000,
      'the worker',
      trainInWorker({ source: sourceAt(prometheus.url), request: REQUEST }, signal, onRequest, limitSeconds),
    );
  const trainHere = () => train(new PrometheusClient(connectionTo(prometheus.url)), REQUEST, never);

  it('makes the same model as a training in this thread, to the last byte', async () => {
    cluster.silent.add('restarts');
    const [there, here] = await Promise.all([trainThere(), trainHere()]);
    expect(bytesOf(there.model)).to.deep.equal(bytesOf(here.model));
    expect(bytesOf(there.model).splitValues).to.have.length.greaterThan(1000);
    const { snapshot: _, trainedSeconds: __, samples: ___, ...result } = there;
    expect(result).to.deep.equal(here);
    expect(there.warnings).to.have.lengthOf(1);
  });

  it('brings the model as a snapshot too, with the time and the configuration of the training', async () => {
    const { model, snapshot, trainedSeconds } = await trainThere();
    const expected = {
      configuration: { ...REQUEST, source: describeSource(sourceAt(prometheus.url)) },
      nowSeconds: trainedSeconds,
      maximumAgeSeconds: 60,
    };
    expect(readSnapshot(snapshot, expected)).to.deep.equal({ model, trainedSeconds, bytes: snapshot });
    expect(trainedSeconds).to.be.closeTo(Date.now() / 1000, 30);
  });

  it('knows the model that it replaces from its snapshot, which stays whole', async () => {
    const { snapshot } = await trainThere();
    const before = snapshot.slice();
    cluster.silent.add('restarts');
    const input = { source: sourceAt(prometheus.url), request: REQUEST, previous: snapshot };
    const { message } = await rejection(trainInWorker(input, never, ignore, 60), ThreadError);
    expect(message).to.include('the model of before knows them: restarts');
    expect(snapshot).to.deep.equal(before);
  });

  it('copies no numbers on the way: the model is made of the bytes that came', async () => {
    const { model, snapshot } = await trainThere();
    for (const { buffer } of [model.baseline.pods.location, model.forest.splitValues]) {
      expect(buffer).to.equal(snapshot.buffer);
    }
  });

  it('fails when the model could not be loaded from its snapshot, and says why', async () => {
    const request = { ...REQUEST, features: FEATURES.map((feature) => ({ ...feature, podLabel: '' })) };
    cluster.pods.splice(0, cluster.pods.length, ...['a', 'b'].map((pod) => ({ namespace: 'shop', pod })));
    const unlabelled = await startFakePrometheus((query, timeSeconds) =>
      cluster
        .answer(query, timeSeconds)
        .map(({ labels, value }) => ({ labels: { ...labels, '': `${labels.pod}` }, value })),
    );
    try {
      const input = { source: sourceAt(unlabelled.url), request };
      const training = within(60_000, 'the worker', trainInWorker(input, never, ignore, 60));
      const error = await rejection(training, ThreadError);
      expect(error.message).to.include('The trained model is not valid').and.include('"features.0.podLabel"');
    } finally {
      await unlabelled.close();
    }
  });

  it('reports each request with its status', async () => {
    const codes: string[] = [];
    await trainThere(never, (code) => codes.push(code));
    expect(codes).to.deep.equal(prometheus.requests.map(() => '200'));
    // Three questions for owners; three features, the window in two requests and two slices of earlier hours in one each.
    expect(codes).to.have.lengthOf(3 + 3 * 4);
  });

  it('fails with the message of the error in the thread', async () => {
    cluster.silent.add('cpu');
    const here = await rejection(trainHere(), TrainingDataError);
    const there = await rejection(trainThere(), ThreadError);
    expect(there.message).to.equal(here.message).and.to.include('CPU_RATE_WINDOW');
  });

  it('fails with what Prometheus said, and reports that request too', async () => {
    prometheus.fault = { kind: 'error_500', only: ({ kind }) => kind === 'range' };
    const codes: string[] = [];
    const error = await rejection(
      trainThere(never, (code) => codes.push(code)),
      PrometheusError,
    );
    expect(error.kind).to.equal('unavailable');
    expect(error.message).to.include('the disk is full').and.to.include(prometheus.url);
    // The owners and the series first; without the first feature it does not go on.
    expect(codes).to.deep.equal([...new Array(6).fill('200'), '500']);
  });

  it('fails with the error of the thread, and the time that Prometheus asks to wait', async () => {
    const url = await startServer((_request, response) => {
      response.writeHead(429, { 'retry-after': '7' }).end('slow down');
    });
    const input = { source: sourceAt(url), request: REQUEST };
    const here = await rejection(train(new PrometheusClient(input.source.connection), REQUEST, never), PrometheusError);
    const there = await rejection(trainInWorker(input, never, ignore, 60), PrometheusError);
    expect(there).to.deep.include({ kind: 'rate_limited', message: here.message, details: here.details });
    expect(there.retryAfterSeconds).to.equal(7);
  });

  it('logs in there as it does here', async () => {
    let authorization: string | undefined;
    const url = await startServer((request, response) => {
      ({ authorization } = request.headers);
      response.writeHead(401).end();
    });
    const source = sourceAt(url, {
      authentication: { kind: 'bearer', token: { text: 'abc', file: undefined } },
    });
    await rejection(trainInWorker({ source, request: REQUEST }, never, ignore, 60), PrometheusError);
    expect(authorization).to.equal('Bearer abc');
  });

  it('ends the thread and its request when it is aborted', async () => {
    prometheus.fault = { kind: 'hang' };
    const controller = new AbortController();
    const failed = rejection(trainThere(controller.signal), ThreadError);
    await eventually(() => expect(prometheus.open).to.equal(1));
    controller.abort();
    expect((await failed).message).to.include('without an outcome');
    await eventually(() => expect(prometheus.open).to.equal(0));
  });

  it('ends the thread when the training as a whole takes too long, and says what to do', async () => {
    prometheus.fault = { kind: 'hang' };
    const error = await rejection(trainThere(never, ignore, 1), ThreadError);
    expect(error.message).to.include('within 1 s').and.to.include('NAMESPACE_REGEX');
    await eventually(() => expect(prometheus.open).to.equal(0));
  });

  it('has the time until the next training, and neither seconds nor days', () => {
    expect([1, 900, 86_400].map(trainingLimitSeconds)).to.deep.equal([300, 900, 3600]);
  });

  it('starts no thread when it was aborted before', async () => {
    const error = await rejection(trainThere(AbortSignal.abort()), ThreadError);
    expect(error.message).to.include('before it began');
    expect(prometheus.requests).to.deep.equal([]);
  });

  it('turns a crash of the thread into an error', async () => {
    const crash = trainInWorker({ source: sourceAt('not a URL'), request: REQUEST }, never, ignore, 60);
    const error = await rejection(within(60_000, 'the crash', crash), ThreadError);
    expect(error.message).to.include('The thread of the training failed').and.to.include('base URL');
  });

  it('ends the thread, and only that, when the training needs too much memory', async () => {
    const input = { source: sourceAt(prometheus.url), request: REQUEST };
    const tooMuch = trainInWorker(input, never, ignore, 60, 8);
    const error = await rejection(within(60_000, 'the end', tooMuch), ThreadError);
    expect(error.message).to.include('at most 8 MiB of heap').and.to.include('MAX_PODS');
  });

  it('leaves this thread free meanwhile', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    try {
      await trainThere();
    } finally {
      clearInterval(timer);
    }
    expect(turns).to.be.greaterThan(3);
  });
});

describe('reading past hours in a worker thread', () => {
  let cluster: SmallCluster;
  let prometheus: FakePrometheus;
  const hour = 490_900;
  const hours: HoursRequest = { features: FEATURES, ownerQueries: OWNER_QUERIES, firstHour: hour, lastHour: hour + 2 };

  beforeEach(async () => {
    cluster = new SmallCluster();
    prometheus = await startFakePrometheus(cluster.answer);
  });

  afterEach(() => prometheus.close());

  const readThere = (source = sourceAt(prometheus.url), signal: AbortSignal = never, onRequest = ignore as Report) =>
    within(60_000, 'the worker', readHoursInWorker({ source, request: hours }, signal, onRequest));

  it('gives the same summaries as in this thread, and how long it took', async () => {
    const codes: string[] = [];
    const { summaries, seconds } = await readThere(undefined, never, (code) => codes.push(code));
    const here = await fetchHours(new PrometheusClient(connectionTo(prometheus.url)), hours);
    expect(summaries).to.deep.equal(here);
    expect(seconds).to.be.above(0);
    expect(codes).to.deep.equal(new Array(3 + 3).fill('200'));
  });

  it('looks, as a shard, for the namespaces that were there at that time', async () => {
    const sharding = {
      shard: { ordinal: 0, total: 2 },
      selectors: ['container_memory_usage_bytes'],
      windowSeconds: 60,
    };
    const namespaces = Array.from({ length: 9 }, (_, index) => `team-${index}`);
    cluster.pods.splice(0, cluster.pods.length, ...namespaces.flatMap((name) => namedPods(2, 'app', name)));
    const { summaries } = await readThere({ ...sourceAt(prometheus.url), sharding });
    const own = namespaces.filter((namespace) => shardOf(namespace, 2) === 0).map((namespace) => `${namespace}/app`);
    for (const { workloads } of summaries) expect([...workloads]).to.deep.equal(own);
    const [asked] = prometheus.labelRequests;
    expect([asked?.get('start'), asked?.get('end')].map(Number)).to.deep.equal([(hour - 1) * 3600, (hour + 3) * 3600]);
  });

  it('fails with what Prometheus said', async () => {
    prometheus.fault = { kind: 'rate_limited' };
    expect(await rejection(readThere(), PrometheusError)).to.include({ kind: 'rate_limited', retryAfterSeconds: 1 });
  });

  it('ends with its signal, and says which thread it was', async () => {
    prometheus.fault = { kind: 'hang' };
    const controller = new AbortController();
    const failed = rejection(readThere(undefined, controller.signal), ThreadError);
    await eventually(() => expect(prometheus.open).to.equal(1));
    controller.abort();
    expect((await failed).message).to.include('The thread of the reading of past hours ended');
  });
});

describe('the history of a training', () => {
  it('is handed over to the thread, not copied', async () => {
    const prometheus = await startFakePrometheus(new SmallCluster().answer);
    try {
      const shape = { days: 1, gauges: ['cpu', 'memory'], counters: ['restarts'] };
      const history = new WorkloadHistory(shape);
      history.add(summaryOf(490_000, { 'shop/cart': 1 }));
      const state = history.state();
      await trainInWorker(
        { source: sourceAt(prometheus.url), request: { ...REQUEST, history: state } },
        never,
        ignore,
        60,
      );
      expect(state.columns.levels).to.have.lengthOf(0);
      expect(history.state().columns.levels).to.have.lengthOf(2 * 24 * 2);
    } finally {
      await prometheus.close();
    }
  });
});

describe('the samples of a training', () => {
  const NAMESPACES = Array.from({ length: 9 }, (_, index) => `team-${index}`);
  let cluster: SmallCluster;
  let prometheus: FakePrometheus;

  beforeEach(async () => {
    cluster = new SmallCluster(NAMESPACES.flatMap((namespace) => namedPods(2, 'app', namespace)));
    prometheus = await startFakePrometheus(cluster.answer);
  });

  afterEach(() => prometheus.close());

  /** @returns how many instants of CPU were asked for. */
  async function trainAfter(samples: KeptSamples | undefined, sharding: PrometheusSource['sharding'] = undefined) {
    prometheus.requests.length = 0;
    const request = { ...REQUEST, nowSeconds: REQUEST.nowSeconds + (samples === undefined ? 0 : 900) };
    const source = { ...sourceAt(prometheus.url), sharding };
    const trained = await trainInWorker({ source, request, samples }, never, ignore, 60);
    const ofCpu = prometheus.requests.filter(({ kind, query }) => kind === 'range' && topicOf(query) === 'cpu');
    return { ...trained, instants: ofCpu.flatMap(instantsOf).length };
  }

  it('are handed over from thread to thread, and not asked for again', async () => {
    const first = await trainAfter(undefined);
    const buffers = buffersOfSamples(first.samples);
    expect(buffers.some(({ byteLength }) => byteLength > 0)).to.equal(true);
    const second = await trainAfter(first.samples);
    expect(buffers.map(({ byteLength }) => byteLength)).to.deep.equal(buffers.map(() => 0));
    expect(first.instants).to.equal(61 + 18 + 18);
    // The window has 15 new ones and 3 that were too young; of earlier hours, 3 of 18 minutes were asked for before.
    expect(second.instants).to.equal(18 + 15 + 15);
  });

  it('come back from a training that fails, with what it was given', async () => {
    const first = await trainAfter(undefined);
    let left: KeptSamples | undefined;
    prometheus.fault = { kind: 'error_500' };
    const request = { ...REQUEST, nowSeconds: REQUEST.nowSeconds + 900 };
    const input = { source: sourceAt(prometheus.url), request, samples: first.samples };
    const onSamples = (samples: KeptSamples) => {
      left = samples;
    };
    await rejection(trainInWorker({ ...input, onSamples }, never, ignore, 60), PrometheusError);
    prometheus.fault = undefined;
    expect((await trainAfter(left)).instants).to.equal(18 + 15 + 15);
  });

  it('are asked for again when a shard has other namespaces', async () => {
    const shard = { ordinal: 0, total: 2 };
    const sharding = { shard, selectors: ['container_memory_usage_bytes'], windowSeconds: 3600 };
    const own = NAMESPACES.filter((namespace) => shardOf(namespace, 2) === 0);
    const first = await trainAfter(undefined, sharding);
    expect(first.samples.namespaces).to.deep.equal(own);
    const second = await trainAfter(first.samples, sharding);
    expect(second.instants).to.be.below(first.instants);
    cluster.pods.splice(0, cluster.pods.length, ...cluster.pods.filter(({ namespace }) => namespace !== own[0]));
    expect((await trainAfter(second.samples, sharding)).instants).to.equal(first.instants);
  });
});
