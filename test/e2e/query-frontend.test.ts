import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { expect } from 'chai';
import type { Finding } from '../../src/exporter/check/finding.js';
import { runBacktestCommand } from '../../src/tools/backtest/command.js';
import type { BacktestReport } from '../../src/tools/backtest/report.js';
import { exposedValue, samplesOf } from '../support/exposition.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { alignDown } from '../support/faults.js';
import { get } from '../support/http-client.js';
import { requireTool } from '../support/real-tools.js';
import { checkOf } from '../support/run-check.js';
import { flaggedIn, healthOf, podsIn, scrape, untilTrained } from '../support/scraping.js';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.js';
import { namedPods, SmallCluster } from '../support/small-cluster.js';
import { type SmallPrometheus, startSmallPrometheus } from '../support/small-prometheus.js';
import { eventually } from '../support/waiting.js';

const CULPRIT = 'shop/cart-3';

describe('a query frontend that aligns ranges before a real Prometheus', function () {
  this.timeout(180_000);

  let prometheus: SmallPrometheus;
  let frontend: FaultProxy;
  let service: ServiceProcess;
  let directory: string;
  /** An odd step, so that the slices of a training are not on whole multiples of it either. */
  const SETTINGS = { QUERY_STEP_SECONDS: '45', HISTORY_DAYS: '1', IFOREST_N_ESTIMATORS: '25' };

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-frontend-'));
    const cluster = new SmallCluster([...namedPods(6), ...namedPods(4, 'till')]);
    cluster.misbehave('cart-3', Date.now() / 1000 - 120);
    prometheus = await startSmallPrometheus(cluster);
    frontend = await startFaultProxy(prometheus.url);
    await frontend.switchTo(alignDown);
    const schedule = { RETRAIN_SCHEDULE: '0 4 29 2 *', HISTORY_LOAD_PERCENT: '100' };
    service = await startServiceProcess({ ...SETTINGS, ...schedule, PROMETHEUS_URL: frontend.url });
    await untilTrained(service.url);
  });

  after(async () => {
    await service?.kill();
    await frontend?.close();
    await prometheus?.close();
    if (directory !== undefined) await rm(directory, { recursive: true });
  });

  it('hides no pod, no flag and no sample', async () => {
    const text = await scrape(service.url);
    expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
    expect(podsIn(text)).to.have.lengthOf(10);
    expect(flaggedIn(text)).to.include(CULPRIT);
    expect(samplesOf(text, 'k8s_anomaly_detector_series_dropped').filter(({ value }) => value > 0)).to.deep.equal([]);
  });

  it('hides no hour of the past', async () => {
    const { history } = await eventually(async () => {
      const health = await healthOf(service.url);
      expect(health.history?.known_days).to.be.above(0);
      return health;
    });
    expect(history?.workloads).to.equal(2);
  });

  it('hides no plot of the status page', async () => {
    const { text } = await get(`${service.url}/`);
    // Of the feature that contributes most to the score, which is not the same at each time.
    expect(text)
      .to.include('cart-3')
      .and.to.match(/(cpu|memory) in the last hour: between/);
  });

  it('moves nothing that a scrape asks for, as check finds', async () => {
    const { text } = await checkOf({ ...SETTINGS, PROMETHEUS_URL: frontend.url }, { json: true });
    const { findings } = JSON.parse(text) as { findings: Finding[] };
    const found = (name: string) => findings.find(({ check }) => check === name);
    for (const name of ['grid', 'queries', 'series', 'pod_coverage', 'rate_window']) {
      expect(found(name)?.severity, name).to.equal('ok');
    }
  });

  it('hides nothing from a backtest, also where that looks at the range coarsely', async () => {
    const now = Math.floor(Date.now() / 1000);
    const output = join(directory, 'out');
    await runBacktestCommand(
      // Most of it is before the first data.
      { start: String(now - 4 * 3600 - 17), end: String(now), sensitivity: '4', budget: 2, metrics: false, output },
      {
        environment: { ...SETTINGS, PROMETHEUS_URL: frontend.url },
        stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
        progress: new PassThrough(),
        signal: new AbortController().signal,
      },
    );
    const report = JSON.parse(await readFile(join(output, 'report.json'), 'utf8')) as BacktestReport;
    expect(JSON.stringify(report)).to.include('"pods":10');
  });
});
