import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { createGrafana, type Grafana } from '../../scripts/dashboard/grafana.js';
import { panelsOf, readDashboard } from '../../scripts/dashboard/json.js';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { prometheusConnection } from '../../src/exporter/connect.js';
import { PrometheusClient } from '../../src/exporter/prometheus/client.js';
import { runBacktestCommand } from '../../src/tools/backtest/command.js';
import type { BacktestReport } from '../../src/tools/backtest/report.js';
import { openMetricsHistory } from '../../src/tools/demo/exposition.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { hasClosedRanges } from '../../src/tools/replay/range-semantics.js';
import { createWorld, type World } from '../../src/tools/simulation/cluster.js';
import { startPrometheus, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';

/** What the past cannot show, and why. By title and name of the query. */
const EMPTY_WITH_REASON: Readonly<Record<string, string>> = {
  'Series left out, A': 'no series was left out',
  'Training, A': 'durations are those of a process that was not there',
  'Query times, A': 'the same',
  'Query times, B': 'the same',
  'Requests to Prometheus, A': 'the same',
  'Messages a day: expected, budget, recent, A': 'that is known from three days on',
  'Messages a day: expected, budget, recent, B': 'the same',
  'Memory of the exporter, A': 'a replay has another memory than the process',
  'CPU of the exporter, A': 'the same',
  'Most anomalous pods now, limit_cpu': 'a backtest asks for nothing besides the features',
  'Most anomalous pods now, limit_memory': 'the same',
  'Most anomalous pods now, end': 'the same',
  'Most anomalous pods now, place': 'the same',
  'Most anomalous pods now, address': 'the page is that of a process that was not there',
  'CPU, C': 'it is drawn for one or two selected pods only',
  'CPU, D': 'the same',
  'Memory, C': 'the same',
  'Memory, D': 'the same',
};

const HOUR = 3600;
/** A multiple of two hours, not long ago. */
const END = Math.floor(Date.now() / 1000 / (2 * HOUR)) * 2 * HOUR;
const START = END - 2 * HOUR;
const INCIDENT = START + HOUR;
const HISTORY_START = START - 3.5 * HOUR;

/** Alerts of somebody else, as Prometheus writes them. */
function* otherAlerts(): Generator<string> {
  yield '# TYPE ALERTS gauge\n';
  for (let time = INCIDENT + 1200; time < INCIDENT + 2400; time += 30) {
    yield `ALERTS{alertname="CartSlow",alertstate="firing",namespace="shop",deployment="cart"} 1 ${time}\n`;
  }
}

describe('backtest on a real Prometheus', function () {
  this.timeout(180_000);

  const path = process.env.PATH ?? '';
  let directory: string;
  let source: RunningServer | undefined;
  let past: RunningServer | undefined;
  let world: World;
  let culprit: string;
  let report: BacktestReport;
  let grafana: Grafana;

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-backtest-'));
    const configuration = join(directory, 'prometheus.yml');
    await writeFile(configuration, 'global: {}\n');
    world = createWorld({
      seed: 7,
      startSeconds: INCIDENT,
      rollouts: [],
      incidents: [
        {
          namespace: 'shop',
          workload: 'cart',
          replica: 0,
          kind: 'runaway-cpu',
          startOffsetSeconds: 0,
          endOffsetSeconds: 3600,
        },
      ],
    });
    culprit = world.incidents[0]?.pod ?? '';
    const history = openMetricsHistory(world, {
      startSeconds: HISTORY_START,
      endSeconds: END,
      stepSeconds: 15,
      targetLabels: { job: 'cluster', instance: 'simulated' },
    });
    const sourceDirectory = join(directory, 'source');
    await promisify(execFile)('mkdir', ['-p', sourceDirectory, join(directory, 'past', 'data')]);
    await writeHistory(sourceDirectory, withOthers(history));
    source = await startPrometheus({ directory: sourceDirectory, port: await freePort(), configuration });
    await runBacktestCommand(
      {
        start: String(START),
        end: String(END),
        sensitivity: '3,4,6',
        budget: 2,
        metrics: true,
        output: join(directory, 'out'),
      },
      {
        environment: { PATH: path, PROMETHEUS_URL: source.url },
        stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
        progress: new PassThrough(),
        signal: new AbortController().signal,
      },
    );
    report = JSON.parse(await readFile(join(directory, 'out', 'report.json'), 'utf8')) as BacktestReport;
    // As documented: each file by itself, into the data of a Prometheus beside the history.
    const data = join(directory, 'past', 'data');
    await writeHistory(
      join(directory, 'past'),
      withOthers(
        openMetricsHistory(world, {
          startSeconds: START,
          endSeconds: END,
          stepSeconds: 60,
          targetLabels: { job: 'cluster', instance: 'simulated' },
        }),
      ),
    );
    for (const name of await readdir(join(directory, 'out', 'metrics'))) {
      const file = join(directory, 'out', 'metrics', name);
      await promisify(execFile)('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', file, data], {
        timeout: 60_000,
      });
    }
    past = await startPrometheus({
      directory: join(directory, 'past'),
      port: await freePort(),
      configuration,
    });
    grafana = createGrafana({
      prometheusUrl: past.url,
      fromSeconds: INCIDENT - 1800,
      toSeconds: INCIDENT + 1500,
      stepSeconds: 60,
      scrapeIntervalSeconds: 60,
    });
  });

  after(async () => {
    await source?.close();
    await past?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  it('finds the incident, what was off, and that it came before the alert that was', () => {
    const [alert] = report.alerts;
    expect(alert).to.deep.include({
      alert: 'PodAnomalous',
      namespace: 'shop',
      workload: 'cart',
      pod: culprit,
    });
    expect(alert?.features[0]).to.deep.include({ feature: 'cpu', unit: 'cores' });
    const start = Date.parse(alert?.start ?? '') / 1000;
    // It lasts from the sixth or seventh minute on, and three readings take another one.
    expect(start - INCIDENT).to.be.within(390, 510);
    expect(alert?.existing).to.deep.equal([
      { alertname: 'CartSlow', match: 'workload', lead_seconds: INCIDENT + 1200 - start },
    ]);
    expect(report.sensitivities.map(({ overlap }) => overlap?.existing_later)).to.deep.equal([1, 1, 1]);
    expect(report.failed_trainings).to.equal(0);
    // The three hours with data that were over at the training before the start.
    expect(report.days_remembered_at_start).to.equal(3 / 24);
    expect(report.budget_per_day).to.equal(2);
    expect(report.minutes_without_model).to.equal(0);
  });

  it('asks the server how it reads ranges', async () => {
    const api = new PrometheusClient(prometheusConnection(parseSettings({ PROMETHEUS_URL: source?.url }).settings));
    const closed = await hasClosedRanges(api, END + 7, new AbortController().signal);
    const { stdout, stderr } = await promisify(execFile)('prometheus', ['--version'], { timeout: 10_000 });
    expect(closed).to.equal(/version 2\./.test(stdout + stderr));
  });

  it('writes metrics that promtool checks and loads', async () => {
    const [name] = await readdir(join(directory, 'out', 'metrics'));
    const text = await readFile(join(directory, 'out', 'metrics', name ?? ''), 'utf8');
    expect(text.endsWith('# EOF\n')).to.equal(true);
    const seen = new Set<string>();
    let before = '';
    let time = 0;
    for (const line of text.split('\n').filter((own) => own !== '' && !own.startsWith('#'))) {
      const series = line.slice(0, line.lastIndexOf('}') + 1);
      const own = Number(line.slice(line.lastIndexOf(' ')));
      if (series !== before) {
        expect(seen.has(series), `${series} is in one piece`).to.equal(false);
        seen.add(series);
      } else if (own <= time) expect.fail(`${line} comes too late.`);
      [before, time] = [series, own];
    }
    expect(seen.size).to.be.above(100);
  });

  const panels = panelsOf(readDashboard());
  for (const { row, panel } of panels) {
    for (const query of panel.targets) {
      const name = `${panel.title}, ${query.refId}`;
      const reason = EMPTY_WITH_REASON[name];
      it(`${row}: ${name} ${reason === undefined ? 'shows the past' : `is empty: ${reason}`}`, async () => {
        const series = await grafana.runTarget(query);
        if (reason !== undefined) expect(series).to.deep.equal([]);
        else expect(series).to.not.deep.equal([]);
      });
    }
  }

  it('shows the culprit on the dashboard as it was flagged', async () => {
    const table = panels.find(({ panel }) => panel.title === 'Most anomalous pods now')?.panel;
    const score = await grafana.runTarget(table?.targets.find(({ refId }) => refId === 'score') ?? expect.fail());
    expect(score.map(({ labels }) => labels.pod)).to.deep.equal([culprit]);
    for (const variable of readDashboard().templating.list.filter(({ type }) => type === 'query')) {
      const choices = await grafana.runVariable(variable);
      // The only cluster has no label.
      if (variable.name === 'cluster') expect(choices).to.deep.equal([]);
      else expect(choices, variable.name).to.not.deep.equal([]);
    }
    for (const annotation of readDashboard().annotations.list) {
      expect(await grafana.runAnnotation(annotation), annotation.name).to.not.deep.equal([]);
    }
  });

  /** The end of OpenMetrics text comes last. */
  function* withOthers(history: Iterable<string>): Generator<string> {
    for (const piece of history) {
      if (piece === '# EOF\n') yield* otherAlerts();
      yield piece;
    }
  }
});
