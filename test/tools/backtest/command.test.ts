import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect } from 'chai';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { DataError, MistakesError, UsageError } from '../../../src/lib/usage-error.js';
import { runBacktestCommand } from '../../../src/tools/backtest/command.js';
import type { BacktestOptions } from '../../../src/tools/backtest/plan.js';
import type { BacktestReport } from '../../../src/tools/backtest/report.js';
import { type FakePrometheus, startFakePrometheus } from '../../support/fake-prometheus.js';
import { startProgram } from '../../support/program.js';
import { rejection } from '../../support/rejection.js';
import { type FakeSample, namedPods, SmallCluster } from '../../support/small-cluster.js';
import { eventually } from '../../support/waiting.js';

/** A multiple of six hours, so that a replay of eight hours has two pieces. */
const START = Date.parse('2026-05-01T00:00:00Z') / 1000;
const INCIDENT = START + 3 * 3600;
const INCIDENT_END = INCIDENT + 20 * 60;
const HISTORY_START = START - 4 * 3600;

/** Two workloads; one pod misbehaves for twenty minutes, and its namespace has an alert seven minutes later. */
function history(): (query: string, time: number) => readonly FakeSample[] {
  const cluster = new SmallCluster([...namedPods(4), ...namedPods(2, 'postgres', 'data')]);
  const well = new SmallCluster(cluster.pods);
  cluster.misbehave('cart-1', INCIDENT);
  return (query, time) => {
    if (time < HISTORY_START) return [];
    if (query.startsWith('ALERTS')) {
      const labels = { alertname: 'LatencyHigh', alertstate: 'firing', namespace: 'shop' };
      return time >= INCIDENT + 720 && time < INCIDENT_END ? [{ labels, value: 1 }] : [];
    }
    if (query.startsWith('count_over_time')) return [{ labels: {}, value: 3 }];
    return (time < INCIDENT_END ? cluster : well).answer(query, time);
  };
}

class Recorder extends Writable {
  text = '';
  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const HOURLY = { RETRAIN_SCHEDULE: '0 * * * *' };
const QUICK = { IFOREST_N_ESTIMATORS: '10', IFOREST_MAX_SAMPLES: '64', HISTORY_DAYS: '3' };

describe('the command backtest', () => {
  let prometheus: FakePrometheus;
  let directory: string;

  before(async () => {
    prometheus = await startFakePrometheus(history());
  });
  after(() => prometheus.close());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-'));
    prometheus.requests.length = 0;
    prometheus.fault = undefined;
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const run = async (
    options: Partial<BacktestOptions>,
    environment: Readonly<Record<string, string>> = {},
    signal = new AbortController().signal,
    progress = new Recorder(),
  ) => {
    const stdout = new Recorder();
    await runBacktestCommand(
      {
        start: at(INCIDENT - 3600),
        end: at(INCIDENT + 3600),
        sensitivity: '4',
        budget: 2,
        metrics: true,
        ...options,
      },
      { environment: { PROMETHEUS_URL: prometheus.url, ...QUICK, ...environment }, stdout, progress, signal },
    );
    return { stdout: stdout.text, progress: progress.text };
  };
  const reportIn = async (folder: string) =>
    JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as BacktestReport;

  it('tells of the incident that was, before the alert that was', async () => {
    const { stdout, progress } = await run({ output: directory, sensitivity: '3,4,6' });
    expect(progress).to.match(
      /^Up to 6 pods at a time, 2 h and the 3 d before, 9 trainings; to fetch: about \d+ requests, .* Expected time/,
    );
    expect(stdout)
      .to.include('pod shop/cart-1')
      .and.include('Suggestion')
      .and.match(/\* 4 +12 +\S+ +1 +1 /);
    const report = await reportIn(directory);
    expect(report.pods).to.equal(6);
    expect(report.sensitivities.map(({ sensitivity }) => sensitivity)).to.deep.equal([3, 4, 6]);
    expect(report.alerts).to.have.lengthOf(1);
    const [alert] = report.alerts;
    expect(alert).to.deep.include({
      alert: 'PodAnomalous',
      namespace: 'shop',
      workload: 'cart',
      pod: 'cart-1',
      sent: true,
    });
    const start = Date.parse(alert?.start ?? '') / 1000;
    // What lasts counts from the sixth minute on, and is confirmed a minute later.
    expect(start - INCIDENT).to.be.within(330, 450);
    expect(alert?.features.map(({ feature }) => feature)).to.have.members(['cpu', 'memory', 'restarts']);
    expect(alert?.features[0]?.deviation).to.be.above(4);
    expect(alert?.existing).to.deep.equal([
      { alertname: 'LatencyHigh', match: 'namespace', lead_seconds: INCIDENT + 720 - start },
    ]);
    const [, chosen] = report.sensitivities;
    expect(chosen?.overlap).to.deep.include({ existing_matched: 1, existing_later: 1, alerts_without: 0 });
    expect(chosen?.loudest_pods[0]).to.deep.include({
      namespace: 'shop',
      pod: 'cart-1',
      alerts: 1,
      alerts_per_day: 12,
    });
    expect(report.suggestion.sensitivity).to.equal(null);
  });

  it('fetches each minute once', async () => {
    await run({ start: at(START + 3600), end: at(START + 9 * 3600), sensitivity: '4' });
    const asked = new Map<string, number>();
    for (const { kind, query, startSeconds, endSeconds, stepSeconds } of prometheus.requests) {
      if (kind !== 'range' || stepSeconds !== 60 || query.startsWith('ALERTS')) continue;
      for (let time = startSeconds; time <= endSeconds; time += 60) {
        const key = `${query} ${time}`;
        asked.set(key, (asked.get(key) ?? 0) + 1);
      }
    }
    expect(Math.max(...asked.values())).to.equal(1);
    expect(asked.size).to.be.within(3 * 8 * 60, 3 * 12 * 60);
  });

  const ofHours = () =>
    prometheus.requests.filter(({ query, stepSeconds }) => stepSeconds === 300 && query.includes('cpu'));

  it('reads the days before on their own grid, each hour once, and says how much was known', async () => {
    const [start, end] = [START + 3600, START + 20 * 3600];
    const { stdout, progress } = await run({ start: at(start), end: at(end), output: directory });
    expect(progress).to.include('19 h and the 3 d before');
    const instants = ofHours().flatMap(({ startSeconds, endSeconds }) =>
      Array.from({ length: (endSeconds - startSeconds) / 300 + 1 }, (_, index) => startSeconds + index * 300),
    );
    // Pieces overlap by the hour that the first of their hours is compared with. What is in the range is here already.
    expect(Math.min(...instants)).to.equal(start - 86_400 * 3 - 2 * 3600);
    expect(Math.max(...instants)).to.equal(start - 3600);
    expect(instants.length).to.be.within(3 * 288, 3 * 288 * 1.2);
    // Data begins at the end of an hour, five hours before the start; the last hour is not over at the first training.
    expect((await reportIn(directory)).days_remembered_at_start).to.equal(0.2083);
    expect(stdout).to.include('History known at the start: 0.208 days');
    prometheus.requests.length = 0;
    await rm(join(directory, 'report.json'));
    await rm(join(directory, 'checkpoint', '20260501T0100Z-20260501T0600Z.result.json.gz'));
    await run({ start: at(start), end: at(end), output: directory });
    expect(ofHours()).to.deep.equal([]);
    expect((await reportIn(directory)).days_remembered_at_start).to.equal(0.2083);
  });

  it('remembers nothing where the service would not', async () => {
    for (const settings of [{ BASELINE: 'cluster' }, { HISTORY_DAYS: '0' }]) {
      const { progress } = await run({ output: directory }, settings);
      expect(progress).to.include('Up to 6 pods at a time, 2 h, 9 trainings;');
      expect(ofHours()).to.deep.equal([]);
      expect((await reportIn(directory)).days_remembered_at_start).to.equal(0);
    }
  });

  it('asks with the matchers of the settings for what belongs to one cluster, alerts included', async () => {
    await run({}, { PROMETHEUS_MATCHERS: 'cluster="berlin"' });
    const ranges = prometheus.requests.filter(({ kind }) => kind === 'range').map(({ query }) => query);
    expect(ranges.filter((query) => !query.includes('cluster="berlin"'))).to.deep.equal([]);
    expect(ranges).to.include('ALERTS{cluster="berlin",alertstate="firing"}');
  });

  it('begins where history does, and says so', async () => {
    const { progress } = await run({ start: at(HISTORY_START - 86_400), end: at(HISTORY_START + 7200) });
    expect(progress).to.include(`its first data, at ${at(HISTORY_START).replace('.000', '')}`);
  });

  it('goes on after a break, and comes to the same result', async () => {
    const range = { start: at(START + 3600), end: at(START + 20 * 3600) };
    await run({ ...range, output: join(directory, 'whole') }, HOURLY);
    const stop = new AbortController();
    const progress = new Recorder();
    const broken = run({ ...range, output: join(directory, 'broken') }, HOURLY, stop.signal, progress);
    await eventually(() => expect(progress.text).to.include('1 of 4 pieces done'));
    stop.abort('SIGINT');
    const error = await rejection(broken, Error);
    expect(error.message).to.match(/^Stopped on SIGINT, before the report: [12] of 4 pieces are done/);
    expect(error.message).to.include('--start 2026-05-01T01:00:00Z --end 2026-05-01T20:00:00Z');
    const again = await run({ ...range, output: join(directory, 'broken') }, HOURLY);
    expect(again.progress).to.match(/[12] of 4 pieces are done from an earlier run/);
    const [whole, resumed] = [await reportIn(join(directory, 'whole')), await reportIn(join(directory, 'broken'))];
    expect({ ...resumed, generated: '' }).to.deep.equal({ ...whole, generated: '' });
    for (const name of await readdir(join(directory, 'whole', 'metrics'))) {
      const texts = await Promise.all(
        ['whole', 'broken'].map((folder) => readFile(join(directory, folder, 'metrics', name), 'utf8')),
      );
      expect(texts[0] === texts[1], name).to.equal(true);
    }
  });

  it('ends at once with a signal while it replays, whatever still waits for a thread', async () => {
    const stop = new AbortController();
    const progress = new Recorder();
    const range = { start: at(START), end: at(START + 3 * 6 * 3600), sensitivity: '2,3,4,5,6,7,8,9' };
    const running = run(range, { IFOREST_N_ESTIMATORS: '100' }, stop.signal, progress);
    await eventually(() => expect(progress.text).to.include('Expected time'));
    // Long enough to fetch for all threads and one more, much shorter than a piece takes.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    stop.abort('SIGINT');
    expect((await rejection(running, Error)).message).to.match(/^Stopped on SIGINT, before the report: 0 of 3 pieces/);
  });

  it('ends with a signal as a process, with a status and words on how to go on', async () => {
    const output = join(directory, "it's kept");
    const program = startProgram(
      [
        ...['backtest', '--start', at(START + 3600), '--end', at(START + 9 * 3600), '--output', output],
        ...['--sensitivity', '4, 6', '--for', '10m', '--budget', '0.5', '--no-metrics'],
      ],
      { PROMETHEUS_URL: prometheus.url },
    );
    await eventually(() => expect(program.stderr()).to.include('Expected time'));
    program.kill('SIGINT');
    expect((await program.ended()).code).to.equal(1);
    expect(program.stderr()).to.include(
      `They are kept in ${output}. To go on, run this with the same settings:\n` +
        '  node dist/src/main.js backtest --start 2026-05-01T01:00:00Z --end 2026-05-01T09:00:00Z ' +
        `--sensitivity '4, 6' --for 10m --budget 0.5 --output '${directory}/it'\\''s kept' --no-metrics`,
    );
  });

  it('waits when the server says so', async () => {
    let refused = 0;
    prometheus.fault = {
      kind: 'rate_limited',
      only: ({ kind, query }) => kind === 'range' && query.includes('cpu') && refused++ < 2,
    };
    const { progress, stdout } = await run({});
    expect(progress.match(/^Waiting 1 s\. .*HTTP 429/gm)).to.have.lengthOf(2);
    expect(stdout).to.include('pod shop/cart-1');
  });

  it('says what is wrong', async () => {
    const wrong = (options: Partial<BacktestOptions>) => rejection(run(options), UsageError);
    expect((await wrong({ start: 'x' })).message).to.include('--start');
    expect((await wrong({ start: at(INCIDENT), end: at(INCIDENT) })).message).to.include('--start before --end');
    // The last instant is by default one that scrapes ask for.
    const late = run({ start: at(Date.now() / 1000 - 1800) }, { PROMETHEUS_QUERY_OFFSET_SECONDS: '3600' });
    expect((await rejection(late, UsageError)).message).to.include('--start before --end');
    expect((await wrong({ end: at(Date.now() / 1000 + 3600) })).message).to.include('of the past');
    expect((await wrong({ for: '45s' })).message).to.include('--for');
    expect((await wrong({ output: '/dev/null/x' })).message).to.include('--output');
    await rejection(run({ sensitivity: '3,x' }), MistakesError);
    await rejection(run({ start: at(START - 90_000), end: at(START - 80_000) }), DataError);
    prometheus.fault = { kind: 'html' };
    await rejection(run({}), PrometheusError);
  });
});
