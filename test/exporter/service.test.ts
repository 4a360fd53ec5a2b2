import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { describeSource, type OpenPrometheus } from '../../src/exporter/connect.js';
import type { PassOutcome } from '../../src/exporter/detection/detection.js';
import { loadFeatures } from '../../src/exporter/features/queries/feature-file.js';
import { fetchHours, type HoursRequest } from '../../src/exporter/history/fetch-hours.js';
import { encodeSnapshot } from '../../src/exporter/model/snapshot/snapshot.js';
import { PrometheusError } from '../../src/exporter/prometheus/errors.js';
import { Service, type ServiceOptions } from '../../src/exporter/service.js';
import { ShardNamespaces } from '../../src/exporter/sharding/shard-namespaces.js';
import { type TrainingResult, train } from '../../src/exporter/training/job.js';
import { KnownSamples } from '../../src/exporter/training/known-samples.js';
import type { trainInWorker } from '../../src/exporter/training/run-in-worker.js';
import { connectionTo } from '../support/connection-to.js';
import { exposedValue, samplesOf } from '../support/exposition.js';
import { type FakeApi, fakeApi } from '../support/fake-api.js';
import { recordingLogger } from '../support/recording-logger.js';
import { SmallCluster } from '../support/small-cluster.js';
import { eventually, gate } from '../support/waiting.js';

const NOON = 1_767_268_800_000;
const AWAY = new PrometheusError('refused', 'Got no answer from http://h.', { advice: 'Is it running?' });

/** A service with its clock, Prometheus and trainings in the hands of the test. */
class Workshop {
  readonly logger = recordingLogger();
  readonly cluster = new SmallCluster();
  readonly api: FakeApi = fakeApi(this.cluster.answer);
  readonly trainings: Parameters<typeof trainInWorker>[0][] = [];
  readonly readings: HoursRequest[] = [];
  /** Each reading waits for it. */
  reading = (): Promise<void> => Promise.resolve();
  nowMilliseconds = NOON;
  /** Replace it at will. */
  training = (): Promise<TrainingResult> => train(this.api, this.trainings.at(-1)?.request ?? expect.fail());
  callbacks: Parameters<ServiceOptions['open']>[0] | undefined;
  /** Namespaces of the cluster; read where the service is a shard. */
  namespaces: readonly string[] = [];
  readonly service: Service;

  private constructor(options: Pick<ServiceOptions, 'settings' | 'featureSet'>, shards: number) {
    const now = () => this.nowMilliseconds;
    this.service = new Service({
      ...options,
      logger: this.logger,
      now,
      open: (callbacks) => {
        this.callbacks = callbacks;
        return this.#open(shards, now, callbacks.onNamespaces);
      },
      train: async (input, _signal, onRequest) => {
        this.trainings.push(input);
        onRequest('200');
        const samples = new KnownSamples().keep(undefined);
        return { ...(await this.training()), trainedSeconds: now() / 1000, snapshot: new Uint8Array(0), samples };
      },
      readHours: async (input) => {
        this.readings.push(input.request);
        await this.reading();
        return { summaries: await fetchHours(this.api, input.request), seconds: 0, warning: undefined };
      },
      droppedLogLines: () => 0,
      webConfigReload: () => undefined,
      tuning: undefined,
      checkInstallation: false,
    });
  }

  static async with(environment: Record<string, string> = {}): Promise<Workshop> {
    const { settings } = parseSettings({
      IFOREST_N_ESTIMATORS: '25',
      RETRAIN_SCHEDULE: '0 4 29 2 *',
      HISTORY_DAYS: '0',
      ...environment,
    });
    const featureSet = await loadFeatures('', settings);
    return new Workshop({ settings, featureSet }, settings.totalShards);
  }

  #open(shards: number, now: () => number, onChange: (namespaces: readonly string[]) => void): OpenPrometheus {
    const server = { buildInfo: async () => undefined, currentTimeSeconds: async () => now() / 1000 };
    const api = Object.assign(this.api, server);
    const connection = connectionTo('http://h');
    if (shards === 1) return { source: { connection, sharding: undefined }, api, wholeApi: api, namespaces: undefined };
    const sharding = { shard: { ordinal: 0, total: shards }, selectors: [], windowSeconds: 60 };
    const labels = { labelValues: async () => ({ values: this.namespaces, warnings: [] }) };
    const namespaces = new ShardNamespaces(labels, { plan: sharding, now, onChange });
    return { source: { connection, sharding }, api, wholeApi: api, namespaces };
  }

  /** Waits for the end of the first training. */
  async trained(): Promise<this> {
    this.service.start();
    await eventually(() => expect(this.service.health().training.runs).to.be.above(0));
    return this;
  }

  later(seconds: number): void {
    this.nowMilliseconds += seconds * 1000;
  }
}

const messageOf = (outcome: PassOutcome) => (outcome.kind === 'detection' ? undefined : outcome.message);

describe('Service', () => {
  let open: Workshop[] = [];
  const workshopWith = async (environment?: Record<string, string>) => {
    const workshop = await Workshop.with(environment);
    open.push(workshop);
    return workshop;
  };

  afterEach(async () => {
    await Promise.all(open.map(({ service }) => service.close(Promise.resolve())));
    open = [];
  });

  it('says why there is no model, and scores once there is one', async () => {
    const workshop = await workshopWith();
    const { service } = workshop;
    expect(messageOf(await service.detect(undefined))).to.equal('The first training has not finished yet.');
    workshop.training = () => Promise.reject(AWAY);
    await workshop.trained();
    expect(messageOf(await service.detect(undefined))).to.equal(`There is no model yet: ${AWAY.message}`);
    const fine = await (await workshopWith()).trained();
    expect((await fine.service.detect(undefined)).kind).to.equal('detection');
    expect(fine.service.health()).to.include({ status: 'ok' });
  });

  it('trains as the settings say, and checks the queries before the first training', async () => {
    const workshop = await workshopWith({
      PROMETHEUS_QUERY_OFFSET_SECONDS: '60',
      MAX_PODS: '77',
      MODEL_PATH: '',
    });
    const held = gate();
    workshop.training = () => held.opened.then(() => Promise.reject(AWAY));
    workshop.service.start();
    await eventually(() => expect(workshop.trainings).to.have.lengthOf(1));
    expect(workshop.api.asked.map(({ startSeconds }) => startSeconds)).to.deep.equal(
      new Array(3).fill(NOON / 1000 - 60),
    );
    const [input] = workshop.trainings;
    expect(input?.request).to.include({ maximumPods: 77, lookbackSeconds: 3600, stepSeconds: 60 });
    expect(input?.request.nowSeconds).to.equal(NOON / 1000 - 60);
    expect(input?.request.parameters).to.include({ estimators: 25 });
    held.open();
  });

  it('does not train with a query that Prometheus rejects', async () => {
    const workshop = await workshopWith();
    workshop.api.before = () => {
      throw new PrometheusError('bad_query', 'Parse error.');
    };
    await workshop.trained();
    expect(workshop.trainings).to.deep.equal([]);
    expect(workshop.service.health().training.last_error?.message).to.include('Feature cpu (built in): Parse');
  });

  it('reads the past after the first training, never during one, and trains again with what it knows', async () => {
    const workshop = await workshopWith({ HISTORY_DAYS: '2', HISTORY_LOAD_PERCENT: '100' });
    const held = gate();
    const { training } = workshop;
    workshop.training = () => held.opened.then(training);
    workshop.service.start();
    await eventually(() => expect(workshop.trainings).to.have.lengthOf(1));
    expect(workshop.readings).to.deep.equal([]);
    expect(workshop.trainings[0]?.request.history?.workloads).to.deep.equal([]);
    held.open();
    // With the first day, and with all.
    await eventually(() => expect(workshop.service.health().training.runs).to.equal(3));
    expect(workshop.service.health().history).to.include({ days: 2, known_days: 2, missing_hours: 0 });
    const known = workshop.trainings.map(({ request }) => request.history?.hours.filter((hour) => hour !== -1).length);
    expect(known).to.deep.equal([0, 25, 48]);
    // Each training knows the model that it replaces.
    const snapshots = workshop.trainings.map(({ previous }) => previous?.length);
    expect(snapshots).to.deep.equal([undefined, 0, 0]);
    // And what was read for it.
    expect(workshop.trainings.map(({ samples }) => samples !== undefined)).to.deep.equal([false, true, true]);
    expect(workshop.readings[0]).to.include({ maximumPods: 100_000, expectedPods: 6 });
  });

  it('makes a training wait for the reading that is under way', async () => {
    const workshop = await workshopWith({
      HISTORY_DAYS: '1',
      HISTORY_LOAD_PERCENT: '100',
      RETRAIN_SCHEDULE: '* * * * * *',
    });
    const held = gate();
    workshop.reading = () => held.opened;
    await workshop.trained();
    await eventually(() => expect(workshop.readings).to.have.lengthOf(1));
    const trainings = workshop.trainings.length;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(workshop.trainings).to.have.lengthOf(trainings);
    held.open();
    await eventually(() => expect(workshop.trainings.length).to.be.above(trainings));
  });

  /** The model of a service with the default settings, in a file of its own. */
  const savedModel = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'service-'));
    const environment = { MODEL_PATH: join(folder, 'model') };
    const earlier = await (await workshopWith()).trained();
    const { request } = earlier.trainings[0] ?? expect.fail();
    const { model } = await train(earlier.api, request);
    const source = describeSource({ connection: connectionTo('http://h'), sharding: undefined });
    await writeFile(environment.MODEL_PATH, encodeSnapshot(model, NOON / 1000, { ...request, source }));
    return { folder, environment };
  };

  it('does not use a model of another metric of memory', async () => {
    const { folder, environment } = await savedModel();
    const workshop = await workshopWith({ ...environment, MEMORY_METRIC: 'working_set' });
    await workshop.service.restore();
    expect(workshop.service.health().model.trained).to.equal(false);
    expect(workshop.logger.lines.map(({ message }) => message).join()).to.include('other settings');
    await rm(folder, { recursive: true });
  });

  it('scores by the model of an earlier run before it trains', async () => {
    const { folder, environment } = await savedModel();
    const workshop = await workshopWith(environment);
    await workshop.service.restore();
    expect(workshop.service.health().model.origin).to.equal('snapshot');
    const held = gate();
    workshop.api.before = () => held.opened;
    workshop.service.start();
    await eventually(() => expect(workshop.api.asked.length).to.be.above(0));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(workshop.trainings, 'trainings during the first pass').to.deep.equal([]);
    held.open();
    await eventually(() => expect(workshop.service.health().training.runs).to.equal(1));
    expect(workshop.service.health().last_pass).to.include({ pods_scored: 6, error: null });
    await rm(folder, { recursive: true });
  });

  it('remembers nothing with HISTORY_DAYS=0', async () => {
    const workshop = await (await workshopWith({ HISTORY_DAYS: '0' })).trained();
    expect(workshop.trainings[0]?.request).not.to.have.property('history');
    expect(workshop.service.health().history).to.equal(null);
  });

  it('counts its requests and those of trainings, by their status', async () => {
    const workshop = await workshopWith();
    workshop.callbacks?.onRequest('200');
    workshop.callbacks?.onRequest('error');
    await workshop.trained();
    const { body } = await workshop.service.renderMetrics(undefined);
    const requests = (code: string) => exposedValue(body, 'k8s_anomaly_detector_prometheus_requests_total', { code });
    expect([requests('200'), requests('error')]).to.deep.equal([2, 1]);
  });

  it('shows the pass of the minute, a failure for some seconds, and never that there was no model', async () => {
    const workshop = await workshopWith();
    const { service } = workshop;
    expect((await service.recentPass()).kind).to.equal('no_model');
    await workshop.trained();
    const first = await service.recentPass();
    expect(first.kind).to.equal('detection');
    workshop.later(59);
    expect(await service.recentPass()).to.equal(first);
    workshop.later(1);
    workshop.api.before = () => {
      throw AWAY;
    };
    const failed = await service.recentPass();
    expect(failed.kind).to.equal('upstream_error');
    workshop.api.before = () => undefined;
    workshop.later(14);
    expect(await service.recentPass()).to.equal(failed);
    workshop.later(1);
    expect((await service.recentPass()).kind).to.equal('detection');
    workshop.later(60);
    workshop.api.before = () => {
      throw AWAY;
    };
    expect((await service.recentPass()).kind).to.equal('upstream_error');
    workshop.api.before = () => undefined;
    workshop.later(-3600);
    expect((await service.recentPass()).kind, 'after the clock was set back').to.equal('detection');
  });

  it('remembers the last failure of Prometheus, and logs each state once', async () => {
    const workshop = await (await workshopWith()).trained();
    const { service, api, logger } = workshop;
    api.before = () => {
      throw AWAY;
    };
    await service.detect(undefined);
    await service.detect(undefined);
    expect(service.health().prometheus).to.include({ up: false });
    api.before = () => undefined;
    await service.detect(undefined);
    const { up, last_error } = service.health().prometheus;
    expect([up, last_error?.message]).to.deep.equal([true, AWAY.message]);
    const lines = logger.lines.map(({ message }) => message).filter((message) => !message.startsWith('Trained'));
    expect(lines).to.deep.equal([`No pod was scored. ${AWAY.message}`, 'Prometheus answers again.']);
  });

  it('asks for the context of flagged pods after a pass, and lets no scrape wait for it', async () => {
    const workshop = await workshopWith();
    workshop.cluster.misbehave('cart-1', NOON / 1000 - 60, 100);
    const { service, api } = await workshop.trained();
    workshop.later(60);
    const held = gate();
    api.before = ({ query }) => (query.startsWith('label_replace(') ? held.opened : undefined);
    const infoIn = async () => {
      const { body } = await service.renderMetrics(undefined);
      return samplesOf(body, 'anomaly_pod_info').map(({ labels }) => labels);
    };
    expect(await infoIn()).to.deep.equal([]);
    const asked = api.asked.map(({ query }) => query).filter((query) => query.startsWith('label_replace('));
    expect(asked).to.have.lengthOf(1);
    expect(asked[0]).to.include('kube_pod_info{namespace=~"shop",pod=~"cart-1"}');
    held.open();
    const labels = { namespace: 'shop', pod: 'cart-1', workload: 'cart', node: 'node-1', image: '' };
    await eventually(async () => expect(await infoIn()).to.deep.equal([labels]));
    expect(service.context().pods.get('shop/cart-1')?.node).to.equal('node-1');
    expect(service.health().context).to.include({ pods: 1, last_error: null });
  });

  it('is well without namespaces as a shard, does not train, and says when that changes', async () => {
    const workshop = await workshopWith({ SHARD: '0', TOTAL_SHARDS: '2' });
    const { service, logger } = workshop;
    const logged = () => logger.lines.map(({ level, message }) => `${level} ${message}`);
    service.start();
    await eventually(() => expect(logged()).to.have.lengthOf(1));
    expect(logged()[0]).to.match(/^warn Shard 0 of 2 .* has no namespaces/);
    expect(messageOf(await service.detect(undefined))).to.match(/^Shard 0 of 2 .* has no namespaces/);
    expect(service.health()).to.include({ status: 'ok' });
    expect(service.health().training).to.include({ runs: 0, failures: 0 });
    workshop.namespaces = Array.from({ length: 20 }, (_, index) => `team-${index}`);
    workshop.later(120);
    await service.detect(undefined);
    await workshop.callbacks?.onNamespaces(workshop.namespaces);
    await workshop.callbacks?.onNamespaces(workshop.namespaces.slice(1));
    expect(logged().slice(1)).to.deep.equal(['info Shard 0 of 2 (counted from 0) watches its namespaces.']);
    expect(workshop.trainings).to.deep.equal([]);
  });

  it('ends a training and the pass under way when it closes', async () => {
    const workshop = await (await workshopWith()).trained();
    workshop.api.before = () => new Promise(() => {});
    const outcome = workshop.service.detect(undefined);
    await eventually(() => expect(workshop.api.asked.at(-1)?.kind).to.equal('range'));
    open = [];
    await workshop.service.close(Promise.resolve());
    expect((await outcome).kind).to.equal('timeout');
  });
});
