import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { HealthReport } from '../../src/exporter/http/schemas.js';
import { openMetricsHistory } from '../../src/tools/demo/exposition.js';
import type { RunningServer } from '../../src/tools/demo/listen.js';
import { startRealPrometheus } from '../../src/tools/demo/real-prometheus.js';
import { createWorld } from '../../src/tools/simulation/cluster.js';
import { exposedValue } from '../support/exposition.js';
import { get } from '../support/http-client.js';
import { incidentUnderWay } from '../support/incident-under-way.js';
import { endPrograms, type Program, startProgram } from '../support/program.js';
import { requireTool } from '../support/real-tools.js';
import { eventually } from '../support/waiting.js';

const FROZEN_CLOCK = new URL('../support/frozen-clock.js', import.meta.url).href;

/** What the exporter says of pods and workloads; of itself it speaks as `k8s_anomaly_detector_…`. */
const PRODUCT = /^anomaly_/;

describe('replicas on one Prometheus', function () {
  this.timeout(240_000);

  let folder: string;
  let clock: string;
  let prometheus: RunningServer;

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-replicas-'));
    clock = join(folder, 'clock');
    const now = Math.floor(Date.now() / 1000);
    const world = createWorld({
      seed: 11,
      startSeconds: now,
      rollouts: [],
      incidents: [
        incidentUnderWay('runaway-cpu', ['shop', 'cart', 0], 2),
        incidentUnderWay('crash-loop', ['platform', 'config-sync', 0], 2),
      ],
    });
    // It reaches into the future, and nothing is scraped: the data is the same whoever asks, and whenever.
    prometheus = await startRealPrometheus({
      path: process.env.PATH ?? '',
      configuration: 'global: { scrape_interval: 1m }\n',
      history: openMetricsHistory(world, {
        startSeconds: now - 75 * 60,
        endSeconds: now + 10 * 60,
        stepSeconds: 15,
        targetLabels: { job: 'kubelet', instance: 'node-1' },
      }),
    });
  });
  afterEach(endPrograms);
  after(async () => {
    await prometheus?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  const start = (name: string, settings: Readonly<Record<string, string>> = {}): Program =>
    startProgram(['serve'], {
      PROMETHEUS_URL: prometheus.url,
      HOST: '127.0.0.1',
      PORT: '0',
      EXPLAIN: 'all',
      QUERY_STEP_SECONDS: '15',
      RETRAIN_SCHEDULE: '*/15 * * * * *',
      HISTORY_DAYS: '0',
      MODEL_PATH: join(folder, name),
      NODE_OPTIONS: `--import=${FROZEN_CLOCK}`,
      FROZEN_CLOCK: clock,
      ...settings,
    });
  const health = async (url: string) => HealthReport.parse(JSON.parse((await get(`${url}/healthz`)).text));
  const scrape = async (url: string) => {
    const { text } = await get(`${url}/metrics`);
    expect(exposedValue(text, 'k8s_anomaly_detector_up'), text.slice(0, 2000)).to.equal(1);
    return text;
  };
  const product = (text: string) => text.split('\n').filter((line) => PRODUCT.test(line));

  it('publish the same to the last byte after the same tick, though one came later', async () => {
    const first = await start('first').listening();
    await eventually(async () => expect((await health(first)).model.trained).to.equal(true));
    const urls = [first, await start('second').listening()];
    await eventually(async () => {
      for (const { model, training } of await Promise.all(urls.map(health))) {
        expect(model.trained).to.equal(true);
        expect(training.running).to.equal(false);
      }
    });
    // By a clock that has jumped ahead so far, a tick that was missed is the time of the clock, and no other one comes.
    const now = Date.now() + 120_000;
    writeFileSync(clock, String(now));
    await eventually(async () => {
      for (const { model, training } of await Promise.all(urls.map(health))) {
        expect(training.running).to.equal(false);
        expect(training.runs).to.be.above(1);
        expect(Date.parse(model.window_end ?? '')).to.be.above(now - 90_000);
      }
    }, 150_000);
    const texts = await Promise.all(urls.map(scrape));
    const [one = [], other = []] = texts.map(product);
    expect(one.filter((line) => line.startsWith('anomaly_score{')).length).to.be.above(30);
    expect(one.filter((line) => /^anomaly_flag\{.*\} 1$/.test(line)).length).to.be.above(0);
    expect(one.join('\n')).to.equal(other.join('\n'));
    rmSync(clock);
  });

  it('carry scores in the first scrape of a start with a snapshot, before any training', async () => {
    const first = start('saved', { RETRAIN_SCHEDULE: '0 4 29 2 *' });
    const firstUrl = await first.listening();
    await eventually(async () => {
      expect((await health(firstUrl)).snapshot?.last_save_succeeded).to.equal(true);
    });
    first.kill('SIGTERM');
    await first.ended();
    copyFileSync(join(folder, 'saved'), join(folder, 'restored'));
    const began = Date.now();
    const url = await start('restored', { RETRAIN_SCHEDULE: '0 4 29 2 *' }).listening();
    const text = await scrape(url);
    const seconds = (Date.now() - began) / 1000;
    expect(product(text).length).to.be.above(100);
    expect((await health(url)).model?.origin).to.equal('snapshot');
    if (process.env.SHOW_TIMES !== undefined) process.stdout.write(`From start to scores: ${seconds} s\n`);
  });
});
