/** The exporter at work: scrapes at rest, trainings, scrapes while training, rest, start. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { SETTINGS } from '../../src/exporter/config/settings.js';
import { Exporter, type Scrape } from './exporter.js';
import { type Measurement, summarize, type Unit } from './measurement.js';

/** How long to measure. */
export interface Effort {
  /** Scrapes of each kind end after so many, */
  readonly scrapes: number;
  /** or after so many seconds, but not before there are five. */
  readonly scrapeSeconds: number;
  readonly trainings: number;
  readonly idleSeconds: number;
  /** Days of a history that is read meanwhile and used then, at least 2; 0 for none. */
  readonly historyDays: number;
}

/** What `/detect` is asked for: as many pods as it gives by default, and all. */
const DETECT_PATHS = [
  ['detect', '/detect'],
  ['detect, all pods', '/detect?limit=0'],
] as const;

/** All that is measured of one size of cluster. */
export async function measureExporter(prometheusUrl: string, pods: number, effort: Effort): Promise<Measurement[]> {
  const found: Measurement[] = [];
  const record = (name: string, unit: Unit, values: readonly number[]) =>
    void found.push(summarize(name, pods, unit, values));
  const peaks: number[] = [];
  const notePeak = (exporter: Exporter) => {
    const memory = exporter.memory();
    if (memory !== undefined) peaks.push(memory.peakBytes);
  };

  const idle = await withExporter(
    { PROMETHEUS_URL: prometheusUrl, RETRAIN_SCHEDULE: quietSchedule() },
    async (exporter) => {
      // The stub now has all answers ready, so that only the next trainings count.
      await exporter.trained();
      const { scrapes, blocks, processor } = await scrapeOften(exporter, effort, pods);
      record('scrape', 'seconds', scrapes);
      record('processor time of a scrape', 'seconds', processor);
      record('longest block in a scrape', 'seconds', blocks);
      for (const [name, path] of DETECT_PATHS) {
        const detect = await requestOften(exporter, path, effort);
        record(name, 'seconds', detect.durations);
        record(`longest block in ${name}`, 'seconds', detect.blocks);
      }
      const memory = exporter.memory();
      if (memory !== undefined) record('memory after scrapes', 'bytes', [memory.residentBytes]);
      const before = await exporter.report();
      await sleep(1000 * effort.idleSeconds);
      const after = await exporter.report();
      record('processor time at rest, share of one', 'ratio', [
        (after.cpuSeconds - before.cpuSeconds) / effort.idleSeconds,
      ]);
      notePeak(exporter);
      return scrapes;
    },
  );

  const trainings: number[] = [];
  const starts: number[] = [];
  for (let round = 0; round < effort.trainings; round++) {
    const started = performance.now();
    await withExporter({ PROMETHEUS_URL: prometheusUrl, RETRAIN_SCHEDULE: quietSchedule() }, async (exporter) => {
      trainings.push((await exporter.trained()).seconds);
      requireScores(await exporter.scrape(), pods);
      starts.push((performance.now() - started) / 1000);
      notePeak(exporter);
    });
  }
  record('training', 'seconds', trainings);
  record('start to first scores, without snapshot', 'seconds', starts);

  const busy = await withExporter(
    { PROMETHEUS_URL: prometheusUrl, RETRAIN_SCHEDULE: '* * * * * *' },
    async (exporter) => {
      await exporter.trained();
      const { scrapes } = await scrapeOften(exporter, effort, pods);
      notePeak(exporter);
      return scrapes;
    },
  );
  record('scrape while training', 'seconds', busy);
  const tail = (seconds: readonly number[]) => summarize('', pods, 'seconds', seconds).p99;
  record('scrape p99 while training / idle', 'ratio', [tail(busy) / tail(idle)]);
  if (peaks.length > 0) record('peak memory', 'bytes', peaks);
  if (effort.historyDays > 0) found.push(...(await measureHistory(prometheusUrl, pods, effort)));

  if (Object.values(SETTINGS).some(({ env }) => env === 'MODEL_PATH')) {
    record('start to first scores, with snapshot', 'seconds', await startsWithSnapshot(prometheusUrl, pods, effort));
  }
  return found;
}

/** Trainings until a history is full: at the start, when a day is known, and when all days are. */
const TRAININGS_OF_HISTORY = 3;

/** Scrapes while the past is read as fast as it can be, and with a model that knows it. */
async function measureHistory(prometheusUrl: string, pods: number, effort: Effort): Promise<Measurement[]> {
  const found: Measurement[] = [];
  const environment = {
    PROMETHEUS_URL: prometheusUrl,
    RETRAIN_SCHEDULE: '0 4 29 2 *',
    HISTORY_DAYS: String(effort.historyDays),
    HISTORY_LOAD_PERCENT: '100',
  };
  await withExporter(environment, async (exporter) => {
    const measure = async (when: string) => {
      const { scrapes, blocks, processor } = await scrapeOften(exporter, effort, pods);
      found.push(summarize(`scrape ${when}`, pods, 'seconds', scrapes));
      found.push(summarize(`longest block in a scrape ${when}`, pods, 'seconds', blocks));
      found.push(summarize(`processor time of a scrape ${when}`, pods, 'seconds', processor));
    };
    await exporter.trained();
    await measure('while the past is read');
    const { seconds } = await exporter.trained(TRAININGS_OF_HISTORY);
    found.push(summarize('training with a history', pods, 'seconds', [seconds]));
    await measure('with a history');
    const memory = exporter.memory();
    if (memory === undefined) return;
    found.push(summarize('memory after scrapes, with a history', pods, 'bytes', [memory.residentBytes]));
    found.push(summarize('peak memory, with a history', pods, 'bytes', [memory.peakBytes]));
  });
  return found;
}

async function withExporter<Value>(
  environment: Readonly<Record<string, string>>,
  work: (exporter: Exporter) => Promise<Value>,
): Promise<Value> {
  const exporter = new Exporter(environment);
  try {
    return await work(exporter);
  } finally {
    await exporter.stop();
  }
}

/** Every quarter of an hour, as by default, but not for the next seven minutes. */
function quietSchedule(): string {
  const first = (new Date().getUTCMinutes() + 8) % 15;
  return `${[0, 15, 30, 45].map((quarter) => first + quarter).join(',')} * * * *`;
}

/** Scrapes one after the other, and looks into the first. */
async function scrapeOften(
  exporter: Exporter,
  effort: Effort,
  pods: number,
): Promise<{ readonly scrapes: number[]; readonly blocks: number[]; readonly processor: number[] }> {
  requireScores(await exporter.scrape(), pods);
  const { durations, blocks, processor } = await requestOften(exporter, '/metrics', effort);
  return { scrapes: durations, blocks, processor };
}

/** Requests one after the other; three more at the beginning warm up. */
async function requestOften(
  exporter: Exporter,
  path: string,
  effort: Effort,
): Promise<{ readonly durations: number[]; readonly blocks: number[]; readonly processor: number[] }> {
  const durations: number[] = [];
  const blocks: number[] = [];
  const processor: number[] = [];
  for (let warmUp = 0; warmUp < 3; warmUp++) await exporter.request(path);
  const end = performance.now() + 1000 * effort.scrapeSeconds;
  while (durations.length < effort.scrapes && (durations.length < 5 || performance.now() < end)) {
    const before = await exporter.watch();
    const { seconds } = await exporter.request(path);
    const after = await exporter.report();
    blocks.push(after.longestBlockSeconds);
    processor.push(after.cpuSeconds - before.cpuSeconds);
    durations.push(seconds);
    // Prometheus does not scrape without pause either, and garbage is collected between scrapes.
    await sleep(20);
  }
  return { durations, blocks, processor };
}

/** A scrape without scores is quick, and no measure of anything. */
function requireScores({ body, encoding }: Scrape, pods: number): void {
  const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString('utf8');
  const scored = text.match(/^anomaly_score\{/gm)?.length ?? 0;
  if (scored !== pods) throw new Error(`Expected the scores of ${pods} pods, got those of ${scored}.`);
}

async function startsWithSnapshot(prometheusUrl: string, pods: number, effort: Effort): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const environment = {
    PROMETHEUS_URL: prometheusUrl,
    RETRAIN_SCHEDULE: quietSchedule(),
    MODEL_PATH: join(folder, 'model'),
  };
  try {
    await withExporter(environment, (exporter) => exporter.trained().then(() => sleep(500)));
    const starts: number[] = [];
    for (let round = 0; round < effort.trainings; round++) {
      const started = performance.now();
      await withExporter(environment, async (exporter) => {
        requireScores(await exporter.scrape(), pods);
        starts.push((performance.now() - started) / 1000);
      });
    }
    return starts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
