import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exposedValue } from '../support/exposition.js';
import { readForm, upstreamOf } from '../support/fake-prometheus.js';
import { type Behaviour, type Exchange, type FaultProxy, passOn, startFaultProxy } from '../support/fault-proxy.js';
import { PROCESS_FAULTS, type ProcessFaultName } from '../support/faults.js';
import { endPrograms, startProgram } from '../support/program.js';
import { requireTool } from '../support/real-tools.js';
import { expectNoPods, flaggedIn, healthOf, podsIn, scrape, untilTrained } from '../support/scraping.js';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.js';
import { SmallCluster } from '../support/small-cluster.js';
import { startSmallPrometheus } from '../support/small-prometheus.js';
import { eventually } from '../support/waiting.js';

const CULPRIT = 'shop/cart-3';
const DAY_MILLISECONDS = 24 * 3600 * 1000;

/** No scrape asks for samples at this distance. */
const TRAINING_STEP_SECONDS = 30;

/** Only the ranges of trainings; scrapes go on. */
const inTraining =
  (behaviour: Behaviour): Behaviour =>
  (exchange) => {
    const { kind, stepSeconds, query } = readForm(exchange.path, exchange.form);
    // A check asks for counts at the same distance.
    const isOfTraining = kind === 'range' && stepSeconds === TRAINING_STEP_SECONDS && !query.startsWith('count');
    return isOfTraining ? behaviour(exchange) : passOn(exchange);
  };

const hang: Behaviour = () => {};

/** Below the limit of one answer, and with more names than fit into the memory of the thread. Made once. */
let manySeries: Buffer | undefined;
function tooMuchForTheHeap({ response }: Exchange): void {
  manySeries ??= Buffer.from(
    Array.from(
      { length: 600_000 },
      (_, index) => `{"metric":{"namespace":"n","pod":"pod-${index}"},"values":[]}`,
    ).join(),
  );
  response.write('{"status":"success","data":{"resultType":"matrix","result":[');
  response.write(manySeries);
  response.end(']}}');
}

describe('faults of the exporter, its machine and its Prometheus', function () {
  this.timeout(180_000);

  let cluster: SmallCluster;
  let proxy: FaultProxy;
  let service: ServiceProcess | undefined;

  beforeEach(async () => {
    cluster = new SmallCluster();
    cluster.misbehave('cart-3', Date.now() / 1000 - 240);
    proxy = await startFaultProxy(upstreamOf(cluster.answer));
  });

  afterEach(async () => {
    await service?.kill();
    service = undefined;
    await endPrograms();
    await proxy.close();
  });

  const settingsFor = (url: string, others: Readonly<Record<string, string>> = {}) => ({
    PROMETHEUS_URL: url,
    REQUEST_TIMEOUT_SECONDS: '5',
    IFOREST_N_ESTIMATORS: '25',
    RETRAIN_SCHEDULE: '0 4 29 2 *',
    HISTORY_DAYS: '0',
    ...others,
  });
  const EACH_SECOND = { RETRAIN_SCHEDULE: '* * * * * *', QUERY_STEP_SECONDS: String(TRAINING_STEP_SECONDS) };

  async function start(settings: Readonly<Record<string, string>>, parameters: readonly string[] = []) {
    service = await startServiceProcess(settings, parameters);
    await untilTrained(service.url);
    await expectUsual(service);
    return service;
  }

  /** In another minute: all scrapes of one share what was answered for it. */
  async function expectUsualAgain(running: ServiceProcess): Promise<void> {
    await running.turnMinute();
    await expectUsual(running);
  }

  async function expectUsual({ url }: ServiceProcess): Promise<void> {
    const text = await scrape(url);
    expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
    expect(podsIn(text)).to.deep.equal(cluster.pods.map(({ namespace, pod }) => `${namespace}/${pod}`));
    expect(flaggedIn(text)).to.deep.equal([CULPRIT]);
  }

  /** Trainings succeed again, be it after the ones that were under way. */
  async function expectTrainings({ url }: ServiceProcess): Promise<void> {
    const successes = async () => {
      const { runs, failures } = (await healthOf(url)).training;
      return runs - failures;
    };
    const before = await successes();
    await eventually(async () => expect(await successes()).to.be.above(before + 1));
  }

  const lastTrainingError = async ({ url }: ServiceProcess) =>
    (await healthOf(url)).training.last_error?.message ?? expect.fail('no training has failed');

  async function jumps(milliseconds: number): Promise<void> {
    const shifted = await start(settingsFor(proxy.url, { RETRAIN_SCHEDULE: '*/5 * * * * *' }));
    await proxy.switchTo(async (exchange) => {
      // Like a server that has data of its own time only.
      const { startSeconds } = readForm(exchange.path, exchange.form);
      if (Math.abs(startSeconds - Date.now() / 1000) < 20 * 3600) return passOn(exchange);
      exchange.response.end('{"status":"success","data":{"resultType":"matrix","result":[]}}');
    });
    await shifted.shiftClock(milliseconds);
    for (let round = 0; round < 3; round++) {
      const text = await scrape(shifted.url);
      expect(exposedValue(text, 'k8s_anomaly_detector_pods_scored')).to.equal(0);
      expectNoPods(text);
      expect(exposedValue(text, 'k8s_anomaly_detector_scrape_duration_seconds')).to.be.at.least(0);
    }
    await shifted.shiftClock(0);
    await expectUsual(shifted);
    await expectTrainings(shifted);
    expect(shifted.log().length, 'characters of the log').to.be.below(100_000);
  }

  const tests: Readonly<Record<ProcessFaultName, (this: Mocha.Context) => Promise<void>>> = {
    async 'Prometheus is restarted'() {
      requireTool(this, 'prometheus');
      requireTool(this, 'promtool');
      const prometheus = await startSmallPrometheus(cluster);
      try {
        const running = await start(settingsFor(prometheus.url));
        for (let round = 0; round < 2; round++) {
          await prometheus.stop();
          await running.turnMinute();
          const text = await scrape(running.url);
          expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(0);
          expectNoPods(text);
          await prometheus.start();
          await expectUsualAgain(running);
        }
      } finally {
        await prometheus.close();
      }
    },

    async 'The database of Prometheus is lost'() {
      requireTool(this, 'prometheus');
      requireTool(this, 'promtool');
      // One pod is hundreds of times larger than all others, and always was.
      cluster.pods.push({ namespace: 'shop', pod: 'database-0' });
      cluster.misbehave('database-0', Number.NEGATIVE_INFINITY, 300);
      const prometheus = await startSmallPrometheus(cluster);
      try {
        const running = await start(settingsFor(prometheus.url, EACH_SECOND));
        await prometheus.losePast(12 * 60);
        // Its next training is of another minute.
        await running.shiftClock(60_000);
        await expectTrainings(running);
        await expectUsual(running);
        // It has the samples of its earlier trainings, not only what they came to.
        expect(
          exposedValue(await scrape(running.url), 'k8s_anomaly_detector_training_kept', { kind: 'pods' }),
        ).to.equal(0);
        // A new process knows nothing of the past: what the fault would do otherwise.
        const fresh = await startServiceProcess(settingsFor(prometheus.url));
        try {
          await untilTrained(fresh.url);
          expect(flaggedIn(await scrape(fresh.url))).to.include('shop/database-0');
        } finally {
          await fresh.kill();
        }
      } finally {
        await prometheus.close();
      }
    },

    async 'The clock of the exporter jumps a day ahead'() {
      await jumps(DAY_MILLISECONDS);
    },

    async 'The clock of the exporter jumps a day back'() {
      await jumps(-DAY_MILLISECONDS);
    },

    async 'The training thread is killed'() {
      const running = await start(settingsFor(proxy.url, EACH_SECOND));
      await proxy.switchTo(inTraining(hang));
      for (let round = 0; round < 3; round++) {
        await eventually(async () => expect(await running.killTraining()).to.equal(true));
        await expectUsualAgain(running);
      }
      await eventually(async () => expect(await lastTrainingError(running)).to.include('without an outcome'));
      await proxy.switchTo(undefined);
      while (await running.killTraining());
      await expectTrainings(running);
    },

    async 'The training thread runs out of memory'() {
      const running = await start(settingsFor(proxy.url, EACH_SECOND), ['--max-old-space-size=64']);
      await proxy.switchTo(inTraining(tooMuchForTheHeap));
      await eventually(async () => expect(await lastTrainingError(running)).to.include('MiB of heap'));
      await expectUsual(running);
      await proxy.switchTo(undefined);
      await expectTrainings(running);
    },

    async 'A training hangs'() {
      const running = await start(settingsFor(proxy.url, EACH_SECOND));
      await proxy.switchTo(inTraining(hang));
      await eventually(() => expect(proxy.open).to.be.at.least(1));
      for (let round = 0; round < 10; round++) await expectUsualAgain(running);
      expect((await healthOf(running.url)).training.running).to.equal(true);
      // What the server does when it comes to itself.
      await proxy.switchTo('refuse');
      await proxy.switchTo(undefined);
      await expectTrainings(running);
    },

    async 'The disk under MODEL_PATH is full'() {
      requireTool(this, 'prlimit');
      const directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-full-'));
      try {
        const path = join(directory, 'model');
        const running = await start(settingsFor(proxy.url, { ...EACH_SECOND, MODEL_PATH: path }));
        const saved = async () => (await healthOf(running.url)).snapshot?.last_save_succeeded;
        await eventually(async () => expect(await saved()).to.equal(true));
        // To a process, a file that may not grow is a disk that is full: the write fails in the middle.
        const allow = (size: string) => execFileSync('prlimit', [`--pid=${running.pid}`, `--fsize=${size}:`]);
        allow('4096');
        await eventually(async () => expect(await saved()).to.equal(false));
        const old = readFileSync(path);
        expect(old.length).to.be.above(4096);
        await expectUsual(running);
        expect(await healthOf(running.url)).to.deep.include({ status: 'ok' });
        await expectTrainings(running);
        expect(readFileSync(path).equals(old), 'the old file').to.equal(true);
        // Each second there is another try, which has a file of its own until it fails.
        await eventually(() => expect(readdirSync(directory), 'no half files').to.deep.equal(['model']));
        allow('unlimited');
        await eventually(async () => expect(await saved()).to.equal(true));
        expect(readFileSync(path).equals(old), 'a new file').to.equal(false);
      } finally {
        await service?.kill();
        rmSync(directory, { recursive: true });
      }
    },

    async 'SIGTERM during startup'() {
      for (let milliseconds = 0; milliseconds <= 900; milliseconds += 60) {
        const program = startProgram(['serve'], settingsFor(proxy.url, { PORT: '0', HOST: '127.0.0.1' }));
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
        program.kill('SIGTERM');
        const end = await program.ended();
        const said = program.stderr();
        if (said === '' && end.signal !== null) expect(end).to.deep.equal({ code: null, signal: 'SIGTERM' });
        else expect(end, said).to.deep.equal({ code: 0, signal: null });
        expect(said.match(/"level":[56]0/), said).to.equal(null);
      }
    },

    async 'SIGTERM during a training'() {
      await proxy.switchTo(hang);
      const program = startProgram(['serve'], settingsFor(proxy.url, { PORT: '0', HOST: '127.0.0.1' }));
      await eventually(() => expect(proxy.open).to.be.above(0));
      program.kill('SIGTERM');
      expect(await program.ended(10_000)).to.deep.equal({ code: 0, signal: null });
      expect(program.stderr()).to.include('Stopped.');
    },

    async 'SIGTERM during scrapes that hang'() {
      const settings = { PORT: '0', HOST: '127.0.0.1', REQUEST_TIMEOUT_SECONDS: '300' };
      const program = startProgram(['serve'], settingsFor(proxy.url, settings));
      const url = await program.listening();
      await untilTrained(url);
      await proxy.switchTo(hang);
      const scrapes = [scrape(url, 5), scrape(url, 5)];
      await eventually(() => expect(proxy.open).to.be.at.least(3));
      program.kill('SIGTERM');
      for (const text of await Promise.all(scrapes)) expectNoPods(text);
      expect(await program.ended(10_000)).to.deep.equal({ code: 0, signal: null });
    },
  };

  for (const name of Object.keys(PROCESS_FAULTS) as ProcessFaultName[]) it(name, tests[name]);
});
