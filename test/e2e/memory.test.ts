import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { HISTORY_STEP_SECONDS, HOUR_SECONDS, LEAD_SECONDS, lastSettledHour } from '../../src/exporter/history/grid.js';
import { SETTLING_SECONDS } from '../../src/exporter/training/job.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { exposedValue } from '../support/exposition.js';
import { type Exchange, type FaultProxy, passOn, startFaultProxy } from '../support/fault-proxy.js';
import { get } from '../support/http-client.js';
import { endPrograms, type Program, startProgram } from '../support/program.js';
import { startPrometheus, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { flaggedIn, healthOf, podsIn, scrape } from '../support/scraping.js';
import { eventually } from '../support/waiting.js';
import { daily, weekHistory, weekPods } from '../support/week-of-pods.js';

const FROZEN_CLOCK = new URL('../support/frozen-clock.js', import.meta.url).href;
/** Each start trains once. */
const NEVER = '0 4 29 2 *';
const OFTEN = '*/20 * * * * *';

const MINUTE = 60;
const DAY = 24 * HOUR_SECONDS;
const DAYS = 7;
const HOURS = DAYS * 24;

/** The night of a Thursday, five past two: at all times of the machine the same hours are over. */
const NOW = Date.UTC(2026, 2, 12, 2, 5) / 1000;
/** What is said to begin tonight. */
const TROUBLE = NOW + 5 * MINUTE;
const JOB_SECONDS = 40 * MINUTE;

/** Whether it is the time of the nightly job. */
const isNight = (time: number) => (((time - TROUBLE) % DAY) + DAY) % DAY < JOB_SECONDS;
const isTonight = (time: number) => time >= TROUBLE && isNight(time);
/** Load of a job that idles outside some times. */
const job = (isRunning: (time: number) => boolean) => ({
  cores: (time: number) => (isRunning(time) ? 1.2 : 0.02),
  memory: (time: number) => (isRunning(time) ? 1.6 : 1),
});
/** Seconds after its start at which the kubelet restarts a container that ends at once. */
const RESTARTS = [10, 30, 70, 150, 310, 610, 910, 1210, 1510, 1810, 2110, 2410, 2710, 3010];

const PODS = [
  weekPods('shop', 'web', 5, { cores: (time) => 0.6 * daily(time), memory: (time) => 1 + 0.5 * daily(time) }),
  weekPods('shop', 'cart', 4),
  weekPods('data', 'postgres', 2, { cores: () => 0.8, memory: () => 6 }),
  weekPods('batch', 'backup', 1, job(isNight)),
  weekPods('batch', 'report', 1, job(isTonight)),
  weekPods('edge', 'proxy', 4, { cores: (time, replica) => (replica === 2 && time >= TROUBLE ? 0 : 0.3) }),
  weekPods('ops', 'importer', 1, {
    cores: undefined,
    sinceSeconds: TROUBLE,
    restarts: (time) => RESTARTS.filter((seconds) => TROUBLE + seconds <= time).length,
  }),
  ...['agent', 'dns', 'ingress', 'mail', 'queue', 'search', 'stock', 'users'].map((name) => weekPods('infra', name, 2)),
].flat();
/** Those that are there before the trouble, which on a slow machine may have begun. */
const STEADY_PODS = PODS.filter(({ sinceSeconds }) => sinceSeconds < NOW).map(
  ({ namespace, pod }) => `${namespace}/${pod}`,
);

/** A question for a feature over a time of the past; both ends are included. */
interface PastRange {
  readonly feature: string;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** What a reading of the past asks; `undefined` for what others ask. */
function pastRangeOf({ path, form, query }: Exchange): PastRange | undefined {
  const [startSeconds, endSeconds, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
  if (!path.endsWith('/query_range') || startSeconds === undefined || endSeconds === undefined) return undefined;
  const isOnGrid = (seconds: number) => seconds % HISTORY_STEP_SECONDS === 0;
  if (step !== HISTORY_STEP_SECONDS || !isOnGrid(startSeconds) || !isOnGrid(endSeconds)) return undefined;
  return { feature: /cpu|memory|restarts/.exec(query)?.[0] ?? query, startSeconds, endSeconds };
}

/** The hours of each reading. A range may come in parts, and begins an hour before the first one that it is about. */
function readingsOf(ranges: readonly PastRange[], feature: string): number[][] {
  const readings: { start: number; end: number }[] = [];
  for (const { startSeconds, endSeconds } of ranges.filter((own) => own.feature === feature)) {
    const last = readings.at(-1);
    if (last !== undefined && startSeconds === last.end + HISTORY_STEP_SECONDS) last.end = endSeconds;
    else readings.push({ start: startSeconds, end: endSeconds });
  }
  return readings.map(({ start, end }) => {
    const first = (start + LEAD_SECONDS) / HOUR_SECONDS;
    return Array.from({ length: end / HOUR_SECONDS - first }, (_, index) => first + index);
  });
}

describe('the memory of a week on a real Prometheus', function () {
  this.timeout(600_000);

  let folder: string;
  let prometheus: RunningServer;
  let proxy: FaultProxy;
  let asked: PastRange[] = [];
  /** What is added to the clock of the machine. */
  let shiftSeconds = 0;

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-memory-'));
    const range = {
      startSeconds: NOW - DAYS * DAY - 3 * HOUR_SECONDS,
      endSeconds: TROUBLE + HOUR_SECONDS,
      stepSeconds: 4 * MINUTE,
      usageStepSeconds: MINUTE,
    };
    await writeHistory(folder, weekHistory(PODS, range));
    const configuration = join(folder, 'prometheus.yml');
    writeFileSync(configuration, '{}');
    prometheus = await startPrometheus({ directory: folder, port: await freePort(), configuration });
    proxy = await startFaultProxy(prometheus.url);
    shiftSeconds = NOW - Date.now() / 1000;
    await proxy.switchTo(async (exchange) => {
      const past = pastRangeOf(exchange);
      if (past !== undefined) asked.push(past);
      await passOn(exchange);
    });
  });
  after(async () => {
    await endPrograms();
    await proxy?.close();
    await prometheus?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  const file = (name: string) => join(folder, name);
  const start = (name: string, settings: Readonly<Record<string, string>> = {}): Program =>
    startProgram(['serve'], {
      PROMETHEUS_URL: proxy.url,
      HOST: '127.0.0.1',
      PORT: '0',
      CPU_RATE_WINDOW: '4m',
      RETRAIN_SCHEDULE: NEVER,
      HISTORY_DAYS: String(DAYS),
      HISTORY_LOAD_PERCENT: '100',
      EXPLAIN: 'all',
      MODEL_PATH: file(name),
      NODE_OPTIONS: `--import=${FROZEN_CLOCK}`,
      FROZEN_CLOCK: file(`${name}.clock`),
      CLOCK_SHIFT_SECONDS: String(shiftSeconds),
      ...settings,
    });
  const freeze = (name: string, timeSeconds: number) =>
    writeFileSync(file(`${name}.clock`), String(Math.round(1000 * timeSeconds)));
  const thaw = (name: string) => rmSync(file(`${name}.clock`), { force: true });
  const FEATURES = ['cpu', 'memory', 'restarts'];
  /** The hours that were asked for, the newest first. */
  const hoursAsked = (feature: string) =>
    readingsOf(asked, feature)
      .flat()
      .toSorted((a, b) => b - a);
  const missingIn = (text: string) => exposedValue(text, 'k8s_anomaly_detector_history_missing_seconds');
  const untilTrained = async (program: Program, runs = 1) => {
    const url = await program.listening();
    await eventually(async () => {
      const { training } = await healthOf(url);
      expect(training.runs - training.failures).to.be.at.least(runs);
      expect(training.running).to.equal(false);
    });
    return url;
  };
  const newest = lastSettledHour(NOW);
  /** Newest first. */
  const week = Array.from({ length: HOURS }, (_, index) => newest - index);

  let first: Program;
  let second: Program;

  it('is filled from the newest hour to the oldest, while scrapes are answered', async () => {
    first = start('first', { RETRAIN_SCHEDULE: OFTEN });
    const url = await untilTrained(first);
    const known: number[] = [];
    for (let isFull = false; !isFull; await sleep(200)) {
      const text = await scrape(url);
      expect(exposedValue(text, 'k8s_anomaly_detector_up'), text.slice(0, 2000)).to.equal(1);
      expect(podsIn(text)).to.include.members(STEADY_PODS);
      known.push(exposedValue(text, 'k8s_anomaly_detector_history_known_seconds'));
      isFull = missingIn(text) === 0;
    }
    expect(known[0]).to.be.below(DAY);
    expect(known.at(-1)).to.equal(DAYS * DAY);
    expect(known).to.deep.equal(known.toSorted((a, b) => a - b));
    expect(new Set(known).size, 'scrapes in the middle of it').to.be.above(5);
    for (const feature of FEATURES) expect(hoursAsked(feature), `each hour once: ${feature}`).to.deep.equal(week);
    const readings = readingsOf(asked, 'cpu');
    expect(readings, 'the newest first').to.deep.equal(readings.toSorted(([a = 0], [b = 0]) => b - a));
    // One hour by itself, since the number of pods is not known before, and six at a time.
    expect(readings.length).to.equal(1 + Math.ceil((HOURS - 1) / 6));
    expect(exposedValue(await scrape(url), 'k8s_anomaly_detector_history_reads_total')).to.equal(readings.length);
  });

  it('goes on where it was after a sudden end, and asks for no hour again', async () => {
    asked = [];
    const interrupted = start('second');
    await eventually(() => expect(hoursAsked('restarts').length).to.be.above(12));
    // It is saved every five minutes.
    freeze('second', shiftSeconds + Date.now() / 1000 + 6 * MINUTE);
    await eventually(() => expect(existsSync(file('second.history'))).to.equal(true));
    interrupted.kill('SIGKILL');
    await interrupted.ended();
    thaw('second');
    asked = [];
    second = start('second', { RETRAIN_SCHEDULE: OFTEN });
    const url = await second.listening();
    await eventually(async () => expect(missingIn(await scrape(url))).to.equal(0), 390_000);
    const saved = Number(/"hours":(\d+),"msg":"Loaded the history/.exec(second.stderr())?.[1]);
    expect(saved).to.be.within(12, HOURS - 12);
    for (const feature of FEATURES) expect(hoursAsked(feature), feature).to.deep.equal(week.slice(saved));
    await eventually(() => {
      expect(readFileSync(file('second.history')).equals(readFileSync(file('first.history')))).to.equal(true);
    });
  });

  // Episodes are no part of what is the same: each replica counts them from its own passes, and here the two ran, and were
  // scraped, in different minutes.
  const withoutEpisodes = (report: string) => {
    const { ended: _, pods, ...rest } = JSON.parse(report);
    return { ...rest, pods: pods.map(({ since: __, ...pod }: { since: unknown }) => pod) };
  };
  const linesWithoutEpisodes = (text: string) =>
    text.split('\n').filter((line) => /^anomaly_(?!since_|ended_)/.test(line));

  it('is the same for two replicas, and so are their scores after the same tick', async () => {
    const urls = await Promise.all([first, second].map((program) => program.listening()));
    // By a clock that has jumped ahead so far, a tick that was missed is the time of the clock, and no other one comes.
    const now = shiftSeconds + Date.now() / 1000 + 2 * MINUTE;
    for (const name of ['first', 'second']) freeze(name, now);
    await eventually(async () => {
      for (const { training, model } of await Promise.all(urls.map(healthOf))) {
        expect(training.running).to.equal(false);
        expect(Date.parse(model.window_end ?? '') / 1000).to.be.above(now - SETTLING_SECONDS - MINUTE);
      }
    }, 150_000);
    const [one = '', other = ''] = await Promise.all(
      urls.map(async (url) => (await get(`${url}/detect?limit=0`)).text),
    );
    const [text = '', otherText = ''] = await Promise.all(urls.map((url) => scrape(url)));
    expect(withoutEpisodes(one)).to.deep.equal(withoutEpisodes(other));
    expect(podsIn(text)).to.include.members(STEADY_PODS);
    const lines = linesWithoutEpisodes(text);
    const otherLines = linesWithoutEpisodes(otherText);
    expect(lines.length).to.be.above(3 * STEADY_PODS.length);
    expect(lines.filter((line, index) => line !== otherLines[index])).to.deep.equal([]);
    expect(lines).to.have.lengthOf(otherLines.length);
    for (const program of [first, second]) program.kill('SIGTERM');
    for (const program of [first, second]) expect(await program.ended()).to.deep.equal({ code: 0, signal: null });
    for (const name of ['first', 'second']) thaw(name);
  });

  /** For each pod the minutes, counted from the trouble, at which it is flagged. */
  async function flaggedMinutes(url: string, name: string, from: number, to: number): Promise<Map<string, number[]>> {
    const flagged = new Map<string, number[]>();
    for (let minute = from; minute <= to; minute++) {
      freeze(name, TROUBLE + minute * MINUTE);
      for (const pod of flaggedIn(await scrape(url))) flagged.set(pod, [...(flagged.get(pod) ?? []), minute]);
    }
    return flagged;
  }

  it('leaves the nightly job alone, and flags what is new, also after a training in the midst of it', async () => {
    shiftSeconds = TROUBLE - 2 * MINUTE - Date.now() / 1000;
    let program = start('first');
    const flagged = await flaggedMinutes(await untilTrained(program), 'first', -1, 25);
    const minutesOf = (pod: string) => flagged.get(pod) ?? [];
    /** From a minute on, all that were looked at. */
    const held = (from: number) => Array.from({ length: 26 - from }, (_, index) => from + index);
    expect(minutesOf('batch/backup-0').length, 'minutes of what comes each night').to.be.at.most(3);
    expect(minutesOf('batch/report-0'), 'the same for the first time').to.include.members(held(6));
    expect(minutesOf('edge/proxy-2'), 'one of four hangs').to.include.members(held(6));
    expect(minutesOf('ops/importer-0'), 'a container that ends at once').to.include.members(held(15));
    program.kill('SIGTERM');
    await program.ended();
    thaw('first');
    shiftSeconds = TROUBLE + 27 * MINUTE - Date.now() / 1000;
    program = start('first');
    const later = await flaggedMinutes(await untilTrained(program), 'first', 28, 38);
    const troubled = ['batch/report-0', 'edge/proxy-2', 'ops/importer-0'];
    for (const pod of troubled) expect(later.get(pod), pod).to.have.lengthOf(11);
    for (const minutes of [flagged, later]) {
      for (const pod of troubled) minutes.delete(pod);
      for (const [pod, own] of minutes) expect(own.length, pod).to.be.at.most(3);
    }
  });
});
