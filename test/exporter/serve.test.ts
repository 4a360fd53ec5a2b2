import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { recentSecondsOf } from '../../src/exporter/detection/detect.js';
import { HISTORY_STEP_SECONDS } from '../../src/exporter/history/grid.js';
import { DetectResponse, ErrorResponse, HealthReport } from '../../src/exporter/http/schemas.js';
import { type RunningService, startService } from '../../src/exporter/serve.js';
import { shardOf } from '../../src/exporter/sharding/shard.js';
import { buildAnnotationQuery } from '../../src/exporter/tuning/annotation-query.js';
import { exposedValue, samplesOf } from '../support/exposition.js';
import { FAULT_KINDS, type FakePrometheus, isOfTraining, startFakePrometheus } from '../support/fake-prometheus.js';
import { get } from '../support/http-client.js';
import { type RecordingLogger, recordingLogger } from '../support/recording-logger.js';
import { rejection } from '../support/rejection.js';
import { namedPods, SmallCluster, topicOf } from '../support/small-cluster.js';
import { eventually, within } from '../support/waiting.js';

/** The pod that misbehaves when a test wants one to. */
const CULPRIT = 'cart-3';

const HOUR_MILLISECONDS = 3_600_000;

describe('serve', () => {
  let cluster: SmallCluster;
  let prometheus: FakePrometheus;
  let service: RunningService | undefined;
  let directory: string;
  let logger: RecordingLogger;

  const { now: realNow } = Date;
  /** By how much the clock of the program is ahead of that of the machine. */
  let aheadMilliseconds: number;

  beforeEach(async () => {
    aheadMilliseconds = 0;
    Date.now = () => realNow() + aheadMilliseconds;
    cluster = new SmallCluster();
    prometheus = await startFakePrometheus(cluster.answer);
    logger = recordingLogger();
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-serve-'));
  });

  afterEach(async () => {
    Date.now = realNow;
    // First what hangs, so that nothing waits for it.
    await prometheus.close();
    await service?.close();
    service = undefined;
    rmSync(directory, { recursive: true });
  });

  const settingsWith = (environment: Record<string, string> = {}) =>
    parseSettings({
      PROMETHEUS_URL: prometheus.url,
      HOST: '127.0.0.1',
      PORT: '0',
      IFOREST_N_ESTIMATORS: '25',
      REQUEST_TIMEOUT_SECONDS: '5',
      // Not while the tests run.
      RETRAIN_SCHEDULE: '0 4 29 2 *',
      HISTORY_DAYS: '0',
      ...environment,
    }).settings;

  async function start(environment: Record<string, string> = {}): Promise<RunningService> {
    service = await startService(settingsWith(environment), logger);
    return service;
  }

  /** Goes to twenty minutes after an hour has ended, so that no other hour ends while a test looks at what is known. */
  function awayFromTheHour(): void {
    aheadMilliseconds = HOUR_MILLISECONDS - (realNow() % HOUR_MILLISECONDS) + 20 * 60_000;
  }

  const ask = (path: string, headers?: Record<string, string>) => get(`${service?.url}${path}`, headers);
  /** A scrape in the minute after. */
  const scrape = async () => {
    aheadMilliseconds += 60_000;
    const { status, contentType, text } = await ask('/metrics');
    expect({ status, contentType }).to.deep.equal({
      status: 200,
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    });
    return text;
  };
  const health = async () => HealthReport.parse(JSON.parse((await ask('/healthz')).text));
  const flaggedIn = (text: string) =>
    samplesOf(text, 'anomaly_flag')
      .filter(({ value }) => value === 1)
      .map(({ labels }) => labels.pod);
  /** The check that follows is over as well: it asks Prometheus too. */
  const trained = () =>
    eventually(async () => {
      const { model, check } = await health();
      expect(model.trained).to.equal(true);
      expect(check.last_success ?? check.last_error).to.not.equal(null);
    });

  function expectNoPods(text: string): void {
    expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(0);
    expect(exposedValue(text, 'k8s_anomaly_detector_pods_scored')).to.equal(0);
    expect(samplesOf(text, 'anomaly_flag')).to.deep.equal([]);
    expect(samplesOf(text, 'anomaly_score')).to.deep.equal([]);
    expect(exposedValue(text, 'process_resident_memory_bytes')).to.be.above(0);
    expect(exposedValue(text, 'k8s_anomaly_detector_build_info')).to.equal(1);
  }

  async function expectFailure(path: string, status: number, code: string): Promise<string> {
    const answer = await ask(path);
    const { error } = ErrorResponse.parse(JSON.parse(answer.text));
    expect({ status: answer.status, code: error.code }).to.deep.equal({ status, code });
    return error.message;
  }

  describe('as one of several shards', () => {
    const NAMESPACES = Array.from({ length: 9 }, (_, index) => `team-${index}`);
    beforeEach(() => {
      cluster.pods.splice(0, cluster.pods.length, ...NAMESPACES.flatMap((name) => namedPods(2, 'app', name)));
    });

    const namespacesIn = (text: string) => [
      ...new Set(samplesOf(text, 'anomaly_flag').map(({ labels }) => labels.namespace ?? '')),
    ];

    it('watches every pod with exactly one of three, each asking for its part only', async () => {
      const seen: string[] = [];
      for (const ordinal of [0, 1, 2]) {
        prometheus.requests.length = 0;
        await start({ SHARD: String(ordinal), TOTAL_SHARDS: '3' });
        await trained();
        const text = await scrape();
        const own = NAMESPACES.filter((namespace) => shardOf(namespace, 3) === ordinal);
        expect(namespacesIn(text).sort()).to.deep.equal(own);
        seen.push(...samplesOf(text, 'anomaly_flag').map(({ labels }) => `${labels.namespace}/${labels.pod}`));
        expect(exposedValue(text, 'k8s_anomaly_detector_total_shards')).to.equal(3);
        expect(exposedValue(text, 'k8s_anomaly_detector_shard_namespaces')).to.equal(own.length);
        const [{ labels, value } = expect.fail('no ordinal')] = samplesOf(text, 'k8s_anomaly_detector_shard_ordinal');
        expect({ labels, value }).to.deep.equal({
          labels: { shard_ordinal: String(ordinal) },
          value: ordinal,
        });
        expect((await health()).shard).to.deep.equal({
          ordinal,
          total: 3,
          namespaces: own.length,
          message: null,
        });
        const foreign = prometheus.requests.filter(
          ({ query }) =>
            // Others name their pods, and the namespaces of these.
            query.includes('{') && !query.includes('pod=~') && !query.includes(`namespace=~"${own.join('|')}"`),
        );
        // Few objects have annotations; those of other shards are discarded.
        const aboutAll = buildAnnotationQuery({ namespaceRegex: '.*' });
        expect([...new Set(foreign.map(({ query }) => query))]).to.deep.equal([aboutAll]);
        expect(prometheus.requests.some(isOfTraining)).to.equal(true);
        await service?.close();
      }
      expect(seen.sort()).to.deep.equal(cluster.pods.map(({ namespace, pod }) => `${namespace}/${pod}`).sort());
    });

    it('remembers the workloads of its own namespaces, and asks for no others', async () => {
      awayFromTheHour();
      await start({ SHARD: '0', TOTAL_SHARDS: '3', HISTORY_DAYS: '1', HISTORY_LOAD_PERCENT: '100' });
      await eventually(async () => expect((await health()).history?.known_days).to.equal(1));
      const own = NAMESPACES.filter((namespace) => shardOf(namespace, 3) === 0);
      expect((await health()).history).to.include({ workloads: own.length, failing: false });
      const ranges = prometheus.requests.filter(({ stepSeconds }) => stepSeconds === HISTORY_STEP_SECONDS);
      expect(ranges).to.not.be.empty;
      for (const { query } of ranges) expect(query).to.include(`namespace=~"${own.join('|')}"`);
    });

    it('serves without a namespace, says so, and counts no failed training', async () => {
      const taken = new Set(NAMESPACES.map((namespace) => shardOf(namespace, 40)));
      const empty = Array.from({ length: 40 }, (_, ordinal) => ordinal).find((ordinal) => !taken.has(ordinal));
      await start({ SHARD: String(empty), TOTAL_SHARDS: '40' });
      await eventually(async () => expect((await health()).shard?.namespaces).to.equal(0));
      const { status, shard, training, check } = await health();
      expect(status).to.equal('ok');
      expect(shard?.message).to.match(/^Shard \d+ of 40 .* has no namespaces/);
      expect(training).to.deep.include({ runs: 0, failures: 0, last_error: null });
      expect(check.findings).to.deep.equal([]);
      expect(exposedValue(await scrape(), 'k8s_anomaly_detector_shard_namespaces')).to.equal(0);
      expect(await expectFailure('/detect', 503, 'no_model')).to.equal(shard?.message);
      const said = logger.lines.filter(({ message }) => message === shard?.message);
      expect(said.map(({ level }) => level)).to.deep.equal(['warn']);
      expect(logger.lines.filter(({ level }) => level === 'error')).to.deep.equal([]);
      expect(prometheus.requests).to.deep.equal([]);
    });

    it('does not take the model of another shard', async () => {
      const model = join(directory, 'model');
      await start({ SHARD: '0', TOTAL_SHARDS: '3', MODEL_PATH: model });
      await trained();
      await service?.close();
      prometheus.fault = { kind: 'error_500' };
      await start({ SHARD: '0', TOTAL_SHARDS: '2', MODEL_PATH: model });
      expect((await health()).model.trained).to.equal(false);
      await service?.close();
      await start({ SHARD: '0', TOTAL_SHARDS: '3', MODEL_PATH: model });
      expect((await health()).model.trained).to.equal(true);
    });

    it('scores nothing while the namespaces are unknown, and says why', async () => {
      prometheus.fault = { kind: 'error_500' };
      await start({ SHARD: '0', TOTAL_SHARDS: '3' });
      await eventually(async () => expect((await health()).training.failures).to.be.above(0));
      expect((await health()).training.last_error?.message).to.include('/api/v1/label/namespace/values');
      expect((await health()).shard?.namespaces).to.equal(null);
      prometheus.fault = undefined;
      await trained();
    });
  });

  describe('before the first training has ended', () => {
    it('serves, without a score, and says why', async () => {
      prometheus.fault = { kind: 'hang', only: ({ kind }) => kind === 'range' };
      await start();
      await eventually(() => expect(prometheus.open).to.equal(1));
      const instants = () => prometheus.requests.filter(({ kind }) => kind === 'instant');
      const atStart = instants().length;
      const text = await scrape();
      expectNoPods(text);
      expect(exposedValue(text, 'k8s_anomaly_detector_model_trained')).to.equal(0);
      expect(samplesOf(text, 'k8s_anomaly_detector_query_success')).to.deep.equal([]);
      const message = await expectFailure('/detect', 503, 'no_model');
      expect(message).to.equal('The first training has not finished yet.');
      expect(await health()).to.deep.include({ status: 'degraded' });
      expect((await health()).training).to.include({ running: true, runs: 0 });
      expect((await ask('/-/healthy')).status).to.equal(200);
      expect((await ask('/-/ready')).status).to.equal(200);
      expect(instants()).to.have.lengthOf(atStart);
    });

    it('tries the queries of the feature file, and names the feature and its place in /healthz', async () => {
      const file = join(directory, 'features.yaml');
      const query = 'max by (namespace, instance) (container_memory_usage_bytes{namespace=~"{{namespace_regex}}"})';
      writeFileSync(
        file,
        `builtin: [cpu]\nfeatures:\n  - {name: own, help: Own, query: '${query}', pod_label: instance, unit: b, ` +
          'direction: up, spread_floor: 1}\n',
      );
      await start({ FEATURES_FILE: file });
      const message = await expectFailure('/detect', 503, 'no_model').then(() =>
        eventually(async () => {
          const { last_error: error } = (await health()).training;
          return error?.message ?? expect.fail('no error yet');
        }),
      );
      expect(message).to.match(/^Feature own \(.*features\.yaml:3:5\): Expected the answer to /);
      expect(message).to.include('to have the labels namespace and instance');
      expect(prometheus.requests.filter(({ kind }) => kind === 'range')).to.deep.equal([]);
    });

    it('trains on the features of the file, without the built-in ones', async () => {
      const file = join(directory, 'features.yaml');
      writeFileSync(file, 'builtin: [memory]');
      await start({ FEATURES_FILE: file });
      await trained();
      expect((await health()).model.features).to.deep.equal(['memory']);
    });

    it('tells what the training failed for, and trains again until it succeeds', async () => {
      prometheus.fault = { kind: 'error_500' };
      await start();
      const message = await eventually(async () => {
        const found = await expectFailure('/detect', 503, 'no_model');
        expect(found).to.include('There is no model yet').and.to.include('the disk is full');
        return found;
      });
      expect(message).to.include(prometheus.url);
      const text = await scrape();
      expectNoPods(text);
      expect(exposedValue(text, 'k8s_anomaly_detector_last_training_success')).to.equal(0);
      expect(exposedValue(text, 'k8s_anomaly_detector_training_failures_total')).to.be.at.least(1);
      expect(exposedValue(text, 'k8s_anomaly_detector_prometheus_requests_total', { code: '500' })).to.be.at.least(1);
      prometheus.fault = undefined;
      await trained();
      expect(exposedValue(await scrape(), 'k8s_anomaly_detector_up')).to.equal(1);
    });
  });

  describe('with a model', () => {
    it('scores every pod and flags none while all is as usual', async () => {
      await start({ RETRAIN_SCHEDULE: '*/15 * * * *' });
      await trained();
      const text = await scrape();
      expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
      expect(samplesOf(text, 'anomaly_flag').map(({ labels }) => labels)).to.deep.equal(
        cluster.pods.map(({ namespace, pod }) => ({ namespace, pod })),
      );
      expect(flaggedIn(text)).to.deep.equal([]);
      expect(exposedValue(text, 'k8s_anomaly_detector_model_trained')).to.equal(1);
      expect(exposedValue(text, 'k8s_anomaly_detector_training_samples')).to.equal(6 * 61);
      expect(exposedValue(text, 'k8s_anomaly_detector_model_trained_timestamp_seconds')).to.be.closeTo(
        Date.now() / 1000,
        120,
      );
      const report = await health();
      expect(report).to.include({ status: 'ok' });
      expect(report.prometheus).to.deep.equal({ url: prometheus.url, up: true, last_error: null });
      expect(report.model).to.deep.include({ features: ['cpu', 'memory', 'restarts'], pods: 6 });
      expect(report.last_pass).to.include({ pods_scored: 6 });
      expect(report.training.next_run).to.match(/T\d\d:(00|15|30|45):00/);
    });

    it('flags the pod that misbehaves in the next scrape, and no longer when it is itself again', async () => {
      await start();
      await trained();
      cluster.misbehave(CULPRIT, Date.now() / 1000 - 1);
      expect(flaggedIn(await scrape())).to.deep.equal([CULPRIT]);
      const flagged = await ask('/detect?flagged=true');
      expect(flagged.status).to.equal(200);
      const { pods } = DetectResponse.parse(JSON.parse(flagged.text));
      expect(pods).to.have.lengthOf(1);
      expect(pods[0]).to.include({ namespace: 'shop', pod: CULPRIT, workload: 'cart', anomaly_flag: 1 });
      expect(pods[0]?.anomaly_score).to.be.above(0);
      expect(pods[0]?.features.find(({ feature }) => feature === 'cpu')?.deviation).to.be.above(30);
      // Both are far off; restarts are as usual, and stand last.
      expect(pods[0]?.features.map(({ direction }) => direction)).to.deep.equal(['above', 'above', 'usual']);
      const all = DetectResponse.parse(JSON.parse((await ask('/detect')).text));
      expect(all.pods).to.have.lengthOf(6);
      expect(all.pods[0]?.pod).to.equal(CULPRIT);
      cluster.behave(CULPRIT);
      expect(flaggedIn(await scrape())).to.deep.equal([]);
    });

    for (const [explain, explained] of [
      ['flagged', 1],
      ['all', 6],
      ['off', 0],
    ] as const) {
      it(`says why in gauges for ${explained} of 6 pods with EXPLAIN=${explain}`, async () => {
        await start({ EXPLAIN: explain });
        await trained();
        cluster.misbehave(CULPRIT, Date.now() / 1000 - 1);
        const text = await scrape();
        expect(flaggedIn(text)).to.deep.equal([CULPRIT]);
        expect(samplesOf(text, 'anomaly_feature_deviation')).to.have.lengthOf(3 * explained);
        expect(exposedValue(text, 'anomaly_workload_pods_flagged', { workload: 'cart' })).to.equal(1);
        expect(exposedValue(text, 'anomaly_workload_pods_scored', { workload: 'cart' })).to.equal(6);
      });
    }

    it('no longer names a pod that has gone', async () => {
      await start();
      await trained();
      cluster.misbehave(CULPRIT, Date.now() / 1000 - 1);
      expect(flaggedIn(await scrape())).to.deep.equal([CULPRIT]);
      cluster.pods.splice(3, 1);
      const text = await scrape();
      expect(flaggedIn(text)).to.deep.equal([]);
      expect(text).not.to.include(CULPRIT);
    });

    it('counts a pod that just came as warming up, and scores it once it has been there for some minutes', async () => {
      await start();
      await trained();
      cluster.pods.push({ namespace: 'shop', pod: 'cart-8', sinceSeconds: Date.now() / 1000 - 1 });
      const text = await scrape();
      expect(exposedValue(text, 'k8s_anomaly_detector_pods_unscored', { reason: 'warmup' })).to.equal(1);
      expect(exposedValue(text, 'k8s_anomaly_detector_pods_scored')).to.equal(6);
      expect(text).not.to.include('cart-8');
      cluster.pods[6] = { namespace: 'shop', pod: 'cart-8', sinceSeconds: Date.now() / 1000 - 400 };
      const later = await scrape();
      expect(samplesOf(later, 'k8s_anomaly_detector_pods_unscored')).to.deep.equal([]);
      expect(samplesOf(later, 'anomaly_score').map(({ labels }) => labels.pod)).to.include('cart-8');
    });

    it('flags a crash loop that began before the exporter was started, as one that ran on does', async () => {
      const now = Date.now() / 1000;
      await start();
      await trained();
      expect(flaggedIn(await scrape())).to.deep.equal([]);
      cluster.pods[3] = { namespace: 'shop', pod: CULPRIT, restartsAt: [now - 400, now - 250, now - 100] };
      const ranOn = flaggedIn(await scrape());
      await service?.close();
      await start();
      await trained();
      expect(flaggedIn(await scrape())).to.deep.equal(ranOn);
      expect(ranOn).to.deep.equal([CULPRIT]);
    });

    for (const [expression, seconds] of [
      ['*/5 * * * *', 300],
      ['*/15 * * * *', 900],
    ] as const) {
      it(`asks earlier hours for ${seconds} s of time, as ${expression} trains so often`, async () => {
        await start({ RETRAIN_SCHEDULE: expression });
        await trained();
        // All but the window itself; there is a minute of tolerance at each end.
        const windowEnd = Math.max(...prometheus.requests.map(({ endSeconds }) => endSeconds));
        const slices = prometheus.requests.filter(
          (request) =>
            isOfTraining(request) && request.endSeconds <= windowEnd - 3600 && topicOf(request.query) === 'cpu',
        );
        expect(slices).to.have.lengthOf(2);
        for (const { startSeconds, endSeconds } of slices) {
          // The window ended 15 s before the training, or up to a minute earlier.
          expect(endSeconds - startSeconds).to.be.within(seconds + 120, seconds + 120 + 75);
        }
      });
    }

    it('trains on nothing that Prometheus may still be storing: replicas would not find the same', async () => {
      const before = Date.now() / 1000;
      await start({ QUERY_STEP_SECONDS: '1', TRAINING_LOOKBACK_MINUTES: '5' });
      const after = Date.now() / 1000;
      await trained();
      const windowEnd = Date.parse((await health()).model.window_end ?? '') / 1000;
      expect(windowEnd).to.be.within(before - 16, after - 15);
      const ends = prometheus.requests.filter(isOfTraining).map(({ endSeconds }) => endSeconds);
      expect(Math.max(...ends)).to.equal(windowEnd);
    });

    it('asks for no earlier hours with BASELINE=cluster', async () => {
      await start({ BASELINE: 'cluster' });
      await trained();
      const starts = prometheus.requests.filter(isOfTraining).map(({ startSeconds }) => startSeconds);
      // The window is an hour, and ends at the last whole minute.
      expect(Math.min(...starts)).to.be.above(Date.now() / 1000 - 3600 - 120);
    });

    it('asks for nothing newer than PROMETHEUS_QUERY_OFFSET_SECONDS ago', async () => {
      await start({ PROMETHEUS_QUERY_OFFSET_SECONDS: '600' });
      await trained();
      await scrape();
      // A check after the training compares the clocks, as they are.
      const asked = prometheus.requests.filter(({ query }) => query !== 'vector(time())');
      const newest = Math.max(...asked.map(({ endSeconds }) => endSeconds));
      expect(newest).to.be.within(Date.now() / 1000 - 660, Date.now() / 1000 - 600);
      expect(prometheus.requests.some(isOfTraining)).to.equal(true);
    });

    it('puts PROMETHEUS_MATCHERS into every query', async () => {
      await start({ PROMETHEUS_MATCHERS: 'cluster="berlin"', NAMESPACE_REGEX: 'shop' });
      await trained();
      await scrape();
      // A check after the training also counts what there would be without matchers.
      const judging = prometheus.requests.filter(({ query }) => /^(?:sum|kube_)/.test(query));
      expect(judging.filter(isOfTraining)).to.not.be.empty;
      expect(judging.filter((request) => !isOfTraining(request))).to.not.be.empty;
      for (const { query } of judging) {
        expect(query).to.include('{cluster="berlin",').and.to.include('namespace=~"shop"');
      }
    });

    it('trains again on schedule', async () => {
      await start({ RETRAIN_SCHEDULE: '* * * * * *' });
      await eventually(async () => expect((await health()).training.runs).to.be.at.least(3));
      expect((await health()).training.failures).to.equal(0);
    });

    it('keeps the old model when a later training fails', async () => {
      // No scrape asks for samples at this distance; a check asks for counts of them.
      await start({ RETRAIN_SCHEDULE: '* * * * * *', QUERY_STEP_SECONDS: '30' });
      await trained();
      prometheus.fault = {
        kind: 'html',
        only: ({ kind, stepSeconds, query }) => kind === 'range' && stepSeconds === 30 && !query.startsWith('count'),
      };
      await eventually(async () => expect((await health()).training.failures).to.be.at.least(1));
      const text = await scrape();
      expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
      expect(exposedValue(text, 'k8s_anomaly_detector_last_training_success')).to.equal(0);
      expect(samplesOf(text, 'anomaly_flag')).to.have.lengthOf(6);
      expect((await health()).training.last_error?.message).to.include('not JSON');
    });
  });

  describe('with a history of days', () => {
    beforeEach(awayFromTheHour);

    const DAY: Readonly<Record<string, string>> = { HISTORY_DAYS: '1', HISTORY_LOAD_PERCENT: '100' };
    const isOfHistory = ({ kind, stepSeconds }: { kind: string; stepSeconds: number }) =>
      kind === 'range' && stepSeconds === HISTORY_STEP_SECONDS;
    const filled = () =>
      eventually(() => expect(logger.lines.map(({ message }) => message).join()).to.include('Read the past of'));

    it('reads the past after the first training, and trains once more with it', async () => {
      prometheus.fault = { kind: 'error_500', only: ({ kind }) => kind === 'range' };
      await start(DAY);
      await eventually(async () => expect((await health()).training.failures).to.equal(1));
      expect(prometheus.requests.filter(isOfHistory)).to.deep.equal([]);
      prometheus.fault = undefined;
      await filled();
      await eventually(async () => expect((await health()).training).to.include({ runs: 3, failures: 1 }));
      expect((await health()).history).to.deep.include({ days: 1, known_days: 1, missing_hours: 0, workloads: 1 });
      const text = await scrape();
      expect(exposedValue(text, 'k8s_anomaly_detector_history_known_seconds')).to.equal(86_400);
      expect(exposedValue(text, 'k8s_anomaly_detector_history_missing_seconds')).to.equal(0);
      const asked = prometheus.requests.filter(isOfHistory);
      // Three features: an hour, and four stretches of at most six.
      expect(asked).to.have.lengthOf(3 * (1 + 4));
      expect(Math.max(...asked.map(({ endSeconds }) => endSeconds)) % 3600).to.equal(0);
    });

    it('goes on from its file after a restart', async () => {
      await start({ ...DAY, MODEL_PATH: join(directory, 'model') });
      await filled();
      await service?.close();
      expect(readdirSync(directory).sort()).to.deep.equal(['model', 'model.history']);
      prometheus.requests.length = 0;
      logger.lines.length = 0;
      await start({ ...DAY, MODEL_PATH: join(directory, 'model') });
      await trained();
      await eventually(async () => expect((await health()).training.runs).to.equal(1));
      expect(logger.lines.map(({ message }) => message)).to.include('Loaded the history of workloads.');
      expect(prometheus.requests.filter(isOfHistory)).to.deep.equal([]);
    });

    it('ends a reading at once when it closes', async () => {
      await start(DAY);
      prometheus.fault = { kind: 'hang', only: isOfHistory };
      await eventually(() => expect(prometheus.open).to.equal(1));
      await within(5_000, 'the service to close', (service as RunningService).close());
      service = undefined;
      await eventually(() => expect(prometheus.open).to.equal(0));
    });

    it('has none with BASELINE=cluster', async () => {
      await start({ ...DAY, BASELINE: 'cluster' });
      await trained();
      await sleep(300);
      expect(prometheus.requests.filter(isOfHistory)).to.deep.equal([]);
    });
  });

  describe('with MODEL_PATH', () => {
    const path = () => join(directory, 'model');
    /** Starts, trains, saves, ends; the time of the training in milliseconds. */
    async function earlierRun(environment: Record<string, string> = {}): Promise<number> {
      await start({ MODEL_PATH: path(), ...environment });
      await eventually(async () => expect((await health()).snapshot?.last_save_succeeded).to.equal(true));
      const { trained_at: trainedAt, origin } = (await health()).model;
      expect(origin).to.equal('training');
      await service?.close();
      return Date.parse(trainedAt ?? '');
    }

    it('scores at once after a restart, with the true time of the training, and trains meanwhile', async () => {
      const trainedAt = await earlierRun();
      prometheus.fault = { kind: 'hang', only: isOfTraining };
      // The whole minute that is scored began less than a minute ago.
      cluster.misbehave(CULPRIT, Date.now() / 1000 - 60);
      await start({ MODEL_PATH: path() });
      // Without waiting for anything.
      const text = await scrape();
      expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
      expect(flaggedIn(text)).to.deep.equal([CULPRIT]);
      expect(exposedValue(text, 'k8s_anomaly_detector_model_trained_timestamp_seconds')).to.equal(trainedAt / 1000);
      expect(exposedValue(text, 'k8s_anomaly_detector_model_snapshot_trained_timestamp_seconds')).to.equal(
        trainedAt / 1000,
      );
      expect(samplesOf(text, 'k8s_anomaly_detector_model_snapshot_last_save_success')).to.deep.equal([]);
      const report = await health();
      expect(report.model).to.include({
        origin: 'snapshot',
        trained_at: new Date(trainedAt).toISOString(),
        pods: 6,
      });
      expect(report.training).to.include({ running: true, runs: 0, last_success: null });
      prometheus.fault = undefined;
      await service?.close();
      await start({ MODEL_PATH: path() });
      await eventually(async () => expect((await health()).snapshot?.last_save_succeeded).to.equal(true));
      expect((await health()).model.origin).to.equal('training');
      const later = exposedValue(await scrape(), 'k8s_anomaly_detector_model_snapshot_trained_timestamp_seconds');
      expect(later).to.be.above(trainedAt / 1000);
    });

    it('publishes with a loaded model what the one published that trained it, to the last byte', async () => {
      const { now } = Date;
      const at = now() - 5_000;
      cluster.misbehave(CULPRIT, at / 1000 - 120);
      let frozen = false;
      // The parts are given the clock when they start.
      Date.now = () => (frozen ? at : now());
      const publish = async () => {
        frozen = true;
        const text = await scrape();
        frozen = false;
        return text.split('\n').filter((line) => /^anomaly_/.test(line));
      };
      try {
        await start({ MODEL_PATH: path(), EXPLAIN: 'all' });
        await eventually(async () => expect((await health()).snapshot?.last_save_succeeded).to.equal(true));
        const trainedLines = await publish();
        await service?.close();
        prometheus.fault = { kind: 'hang', only: isOfTraining };
        // It scores as soon as it has started.
        frozen = true;
        await start({ MODEL_PATH: path(), EXPLAIN: 'all' });
        expect((await health()).model.origin).to.equal('snapshot');
        expect((await publish()).join('\n')).to.equal(trainedLines.join('\n'));
        expect(trainedLines).to.include(`anomaly_flag{namespace="shop",pod="${CULPRIT}"} 1`);
      } finally {
        Date.now = now;
      }
    });

    it('refuses a model of other settings, says so, and trains', async () => {
      await earlierRun();
      prometheus.fault = { kind: 'hang', only: isOfTraining };
      await start({ MODEL_PATH: path(), ANOMALY_SENSITIVITY: '7' });
      await expectFailure('/detect', 503, 'no_model');
      const warning = logger.lines.find(
        ({ level, message }) => level === 'warn' && message.startsWith('The snapshot'),
      )?.message;
      expect(warning).to.include(`The snapshot ${path()} is not used: it was trained with other settings`);
      expect((await health()).snapshot?.last_error?.message).to.equal(warning);
    });

    it('trains where the file is torn, and puts a whole one in its place', async () => {
      await earlierRun();
      const whole = readFileSync(path());
      writeFileSync(path(), whole.subarray(0, whole.length / 2));
      await start({ MODEL_PATH: path() });
      await eventually(async () => expect((await health()).snapshot?.last_save_succeeded).to.equal(true));
      expect(logger.lines.map(({ message }) => message).join()).to.include('its end was not written');
      // Numbers of the header have more or fewer digits from one training to the next.
      expect(readFileSync(path()).length).to.be.closeTo(whole.length, 64);
      expect(exposedValue(await scrape(), 'k8s_anomaly_detector_up')).to.equal(1);
    });

    it('scores with the new model where it cannot be saved, and says so', async () => {
      await start({ MODEL_PATH: join(directory, 'missing', 'model') });
      await eventually(async () => expect((await health()).snapshot?.last_save_succeeded).to.equal(false));
      const text = await scrape();
      expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
      expect(exposedValue(text, 'k8s_anomaly_detector_model_snapshot_last_save_success')).to.equal(0);
      expect((await health()).snapshot?.last_error?.message).to.include('its folder is not there');
    });
  });

  describe('when Prometheus fails', () => {
    for (const kind of FAULT_KINDS) {
      for (const part of ['all queries', 'one query'] as const) {
        it(`goes without pods while ${part} fail by ${kind}, and recovers in one scrape`, async () => {
          const slow = kind === 'hang' || kind === 'slow_body';
          await start({ REQUEST_TIMEOUT_SECONDS: slow ? '1' : '5' });
          await trained();
          cluster.misbehave(CULPRIT, Date.now() / 1000 - 1);
          expect(flaggedIn(await scrape())).to.deep.equal([CULPRIT]);

          prometheus.fault = {
            kind,
            only: ({ query }) => part === 'all queries' || topicOf(query) === 'memory',
          };
          for (let round = 0; round < 2; round++) {
            const text = await scrape();
            expectNoPods(text);
            expect(exposedValue(text, 'k8s_anomaly_detector_query_success', { query: 'memory' })).to.equal(0);
            if (!slow) {
              expect(exposedValue(text, 'k8s_anomaly_detector_query_success', { query: 'cpu' })).to.equal(
                part === 'all queries' ? 0 : 1,
              );
            }
            expect(exposedValue(text, 'k8s_anomaly_detector_model_trained')).to.equal(1);
          }
          await expectFailure('/detect', slow ? 504 : 502, slow ? 'timeout' : 'upstream_error');
          const report = await health();
          expect(report).to.include({ status: 'degraded' });
          expect(report.prometheus.up).to.equal(false);
          expect(report.prometheus.last_error?.message).to.be.a('string').and.not.to.equal('');

          prometheus.fault = undefined;
          const healed = await scrape();
          expect(exposedValue(healed, 'k8s_anomaly_detector_up')).to.equal(1);
          expect(flaggedIn(healed)).to.deep.equal([CULPRIT]);
          expect(await health()).to.include({ status: 'ok' });
        });
      }
    }

    it('recovers in one scrape from a Prometheus that was away as a whole', async () => {
      await start();
      await trained();
      const { port } = new URL(prometheus.url);
      await prometheus.close();
      expectNoPods(await scrape());
      expect(await expectFailure('/detect', 502, 'upstream_error')).to.include(port);
      prometheus = await startFakePrometheus(cluster.answer, Number(port));
      expect(exposedValue(await scrape(), 'k8s_anomaly_detector_up')).to.equal(1);
    });

    it('answers before the scrape times out, half a second sooner', async () => {
      await start({ REQUEST_TIMEOUT_SECONDS: '300' });
      await trained();
      prometheus.fault = { kind: 'hang' };
      const { status, text } = await within(
        60_000,
        'the scrape',
        ask('/metrics', { 'X-Prometheus-Scrape-Timeout-Seconds': '1' }),
      );
      expect(status).to.equal(200);
      expectNoPods(text);
      await eventually(() => expect(prometheus.open, 'requests to Prometheus').to.equal(0));
    });

    it('logs a failure once, not at every scrape, and the recovery', async () => {
      await start();
      await trained();
      await scrape();
      const linesBefore = logger.lines.length;
      prometheus.fault = { kind: 'error_500' };
      for (let round = 0; round < 3; round++) await scrape();
      prometheus.fault = undefined;
      for (let round = 0; round < 2; round++) await scrape();
      // What is asked beside the passes, every few minutes, has lines of its own.
      const beside = /^(?:It is not known when memory runs full|Forecasts of memory are made again)/;
      const lines = logger.lines.slice(linesBefore).filter(({ message }) => !beside.test(message));
      expect(lines.map(({ level, message }) => [level, message.slice(0, 24)])).to.deep.equal([
        ['warn', 'No pod was scored. Expec'],
        ['info', 'Prometheus answers again'],
      ]);
    });

    it('asks Prometheus once for scrapes that come together', async () => {
      // Time for all of them to come before the first gives up, on a busy machine as well.
      await start({ REQUEST_TIMEOUT_SECONDS: '3' });
      await trained();
      const before = prometheus.requests.length;
      prometheus.fault = { kind: 'hang', only: ({ query }) => topicOf(query) === 'cpu' };
      const first = scrape();
      await eventually(() => expect(prometheus.requests.length).to.equal(before + 3));
      const others = Array.from({ length: 10 }, () => scrape());
      await sleep(100);
      expect(prometheus.requests.length).to.equal(before + 3);
      for (const text of await Promise.all([first, ...others])) expectNoPods(text);
    });
  });

  describe('the check of the installation', () => {
    it('follows the training, and is in the metrics and in the report', async () => {
      cluster.silent.add('restarts');
      await start();
      const report = await eventually(async () => {
        const { check } = await health();
        expect(check.last_success).to.not.equal(null);
        return check;
      });
      expect(report.findings.map(({ check, severity }) => [check, severity])).to.deep.equal([
        ['kube_state_metrics', 'warning'],
      ]);
      const text = await scrape();
      const severity = (check: string) => exposedValue(text, 'k8s_anomaly_detector_finding_severity', { check });
      expect(severity('kube_state_metrics')).to.equal(1);
      expect(severity('rate_window')).to.equal(0);
      expect(exposedValue(text, 'k8s_anomaly_detector_findings_timestamp_seconds')).to.be.above(1.7e9);
      const warnings = logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
      expect(warnings.join()).to.include('Crash loops are not detected');
    });

    it('comes after a training that failed as well, and says why', async () => {
      cluster.silent.add('cpu');
      await start();
      await eventually(async () => {
        const { check } = await health();
        expect(check.findings.map(({ check: name }) => name)).to.include('series');
      });
    });
  });

  describe('close', () => {
    it('is prompt with idle keep-alive connections and a training under way, and lets go of all', async () => {
      prometheus.fault = { kind: 'hang', only: ({ kind }) => kind === 'range' };
      const { url } = await start();
      const agent = new Agent({ keepAlive: true });
      try {
        for (const path of ['/healthz', '/metrics', '/-/healthy']) {
          const request = httpGet(`${url}${path}`, { agent });
          const [response] = (await once(request, 'response')) as [IncomingMessage];
          response.resume();
          await once(response, 'end');
        }
        await eventually(() => expect(prometheus.open).to.equal(1));
        await within(5_000, 'the service to close', (service as RunningService).close());
        service = undefined;
        await rejection(get(`${url}/healthz`), TypeError);
        await eventually(() => expect(prometheus.open, 'requests to Prometheus').to.equal(0));
      } finally {
        agent.destroy();
      }
      expect(logger.lines.filter(({ level }) => level === 'error')).to.deep.equal([]);
    });

    it('answers a scrape that is under way', async () => {
      await start({ REQUEST_TIMEOUT_SECONDS: '3' });
      await trained();
      prometheus.fault = { kind: 'hang' };
      const waiting = scrape();
      await eventually(() => expect(prometheus.open).to.equal(3));
      await within(60_000, 'the service to close', (service as RunningService).close());
      service = undefined;
      expectNoPods(await waiting);
    });

    it('ends the schedule', async () => {
      await start({ RETRAIN_SCHEDULE: '* * * * * *' });
      await trained();
      await within(5_000, 'the service to close', (service as RunningService).close());
      service = undefined;
      const requests = prometheus.requests.length;
      await sleep(2_100);
      expect(prometheus.requests.length).to.equal(requests);
    });
  });

  describe('the status page', () => {
    /** Seconds from the first to the last instant of the last hour, with the minutes that its first instant needs. */
    const HISTORY_SPANS = (['gauge', 'counter'] as const).map((type) => 3600 + recentSecondsOf({ type }));
    const ofPage = ({ startSeconds, endSeconds }: { startSeconds: number; endSeconds: number }) =>
      HISTORY_SPANS.includes(endSeconds - startSeconds);

    it('shows what the last scrape saw, and asks for the last hour once, whoever looks', async () => {
      await start();
      await trained();
      cluster.misbehave(CULPRIT, Date.now() / 1000 - 300);
      await scrape();
      prometheus.requests.length = 0;
      const { text } = await ask('/');
      expect(text).to.contain('<strong>1 pod flagged</strong> of 6 pods').and.to.contain('<dt>Since</dt>');
      expect(text.match(/<svg/g)).to.have.length(1);
      expect(prometheus.requests.filter(ofPage)).to.have.length(3);
      // The same pod, whoever asks.
      await ask('/?namespace=shop');
      await ask('/');
      expect(prometheus.requests.filter(ofPage)).to.have.length(3);
      // Its view asks for two days as well, of its gauges.
      const days = (request: Parameters<typeof ofPage>[0]) => request.endSeconds - request.startSeconds === 2 * 86_400;
      for (let view = 0; view < 2; view++) {
        expect((await ask(`/?namespace=shop&pod=${CULPRIT}`)).text.match(/<svg/g)).to.have.length(5);
      }
      expect(prometheus.requests.filter(ofPage)).to.have.length(3);
      expect(prometheus.requests.filter(days)).to.have.length(2);
    });

    it('scores by itself where nobody scrapes', async () => {
      await start();
      await trained();
      expect((await ask('/')).text).to.contain('<strong>No pod is flagged</strong> of 6 pods');
      expect((await health()).last_pass?.pods_scored).to.equal(6);
    });

    it('neither waits long for the last hour nor holds up a scrape', async () => {
      await start();
      await trained();
      cluster.misbehave(CULPRIT, Date.now() / 1000 - 300);
      await scrape();
      prometheus.fault = { kind: 'hang', only: ofPage };
      const page = ask('/');
      await eventually(() => expect(prometheus.open).to.equal(3));
      expect(exposedValue(await scrape(), 'k8s_anomaly_detector_pods_scored')).to.equal(6);
      expect(prometheus.open).to.equal(3);
      const { status, text } = await page;
      expect(status).to.equal(200);
      expect(text).to.contain('The last hour is not available:').and.to.contain('cart-');
      expect(await health()).to.have.nested.property('prometheus.up', true);
    });
  });

  it('fails at once, and trains nothing, when the port is taken', async () => {
    const { url } = await start();
    const second = startService(settingsWith({ PORT: new URL(url).port, RETRAIN_SCHEDULE: '* * * * * *' }), logger);
    const error = await rejection(second, Error);
    expect(error.message).to.include(`Port ${new URL(url).port} on 127.0.0.1 is already in use`);
  });
});
