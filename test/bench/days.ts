/**
 * Measures the memory of days on a made-up cluster: how much it takes, what it asks of Prometheus, and what it adds to
 * trainings and scrapes. Without network, in processor time; with `--real`, what a real Prometheus works for it.
 *
 * Usage: npm run bench:days -- [--pods 10000] [--workloads 3000] [--days 8] [--runs 5] [--real]
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  detect,
  detectInTurns,
  RECENT_INSTANTS,
  RECENT_STEP_SECONDS,
  recentSecondsOf,
} from '../../src/exporter/detection/detect.js';
import { buildCatalog } from '../../src/exporter/features/catalog.js';
import { buildOwnerQueries } from '../../src/exporter/features/workload.js';
import { fetchHours, instantsOfHours } from '../../src/exporter/history/fetch-hours.js';
import { HISTORY_STEP_SECONDS, HOUR_SECONDS, HOURS_PER_DAY } from '../../src/exporter/history/grid.js';
import { type HourSummary, summariseHour } from '../../src/exporter/history/hour-summary.js';
import { hoursToRead, nextStretch, type Stretch } from '../../src/exporter/history/plan-hours.js';
import { WorkloadHistory } from '../../src/exporter/history/workload-history.js';
import { fitModel } from '../../src/exporter/model/fit.js';
import { fitLimits } from '../../src/exporter/model/fit-limits.js';
import type { Model } from '../../src/exporter/model/model.js';
import { decodeModelInTurns, encodeModel } from '../../src/exporter/model/snapshot/codec.js';
import { encodeHistory, featureNames } from '../../src/exporter/model/snapshot/history-codec.js';
import type { InstantQuery, PrometheusApi, QueryResult, RangeQuery } from '../../src/exporter/prometheus/api.js';
import { PrometheusClient } from '../../src/exporter/prometheus/client.js';
import { freePort } from '../../src/tools/demo/listen.js';
import { connectionTo } from '../support/connection-to.js';
import { DEFAULT_FEATURES, MADE_UP_END_SECONDS, madeUpTable, madeUpTables } from '../support/made-up-cluster.js';
import { DEFAULT_PARAMETERS } from '../support/parameters.js';
import { startPrometheus, writeHistory } from '../support/real-servers.js';
import { asBuilt } from '../support/tables.js';
import { weekHistory, weekPods } from '../support/week-of-pods.js';
import { longestTurn, processorMilliseconds, report, time } from './processor-time.js';

const { values: options } = parseArgs({
  options: {
    pods: { type: 'string', default: '10000' },
    workloads: { type: 'string', default: '3000' },
    days: { type: 'string', default: '8' },
    runs: { type: 'string', default: '5' },
    real: { type: 'boolean', default: false },
  },
});
const pods = Number(options.pods);
const replicas = pods / Number(options.workloads);
const days = Number(options.days);
const runs = Number(options.runs);

const NEWEST_HOUR = MADE_UP_END_SECONDS / HOUR_SECONDS - 1;
const OWNER_QUERIES = buildOwnerQueries({ namespaceRegex: '.*' });
const CONFIGURATION = { features: DEFAULT_FEATURES, source: ['http://prometheus'] };

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** A Prometheus that has as many series as there are pods, and no samples: it counts what it is asked for. */
class CountingApi implements PrometheusApi {
  requests = 0;
  samples = 0;
  readonly #labels = Array.from({ length: pods }, (_, pod) => ({ namespace: 'n', pod: `p-${pod}` }));

  query(_request: InstantQuery): Promise<QueryResult> {
    this.requests++;
    return Promise.resolve(this.#answer([]));
  }

  queryRange({ startSeconds, endSeconds, stepSeconds }: RangeQuery): Promise<QueryResult> {
    this.requests++;
    this.samples += pods * (Math.round((endSeconds - startSeconds) / stepSeconds) + 1);
    return Promise.resolve(this.#answer(this.#labels));
  }

  #answer(labels: QueryResult['labels']): QueryResult {
    const none = new Float64Array(0);
    const offsets = new Uint32Array(labels.length + 1);
    return { labels, offsets, timestampsSeconds: none, values: none, warnings: [], infos: [] };
  }
}

/** The readings that fill an empty history, in their order; `read` has to add the hours of each. */
async function fill(history: WorkloadHistory, read: (stretch: Stretch) => Promise<void>): Promise<number> {
  for (let readings = 0; ; readings++) {
    const stretch = nextStretch(hoursToRead(history, NEWEST_HOUR), history);
    if (stretch === undefined) return readings;
    await read(stretch);
  }
}

/** Summaries of some hours of the cluster, which are taken in turn for all hours. */
async function madeUpSummaries(): Promise<HourSummary[]> {
  const summaries: HourSummary[] = [];
  const times: number[] = [];
  for (let seed = 1; seed <= 4; seed++) {
    const { startSeconds, instants } = instantsOfHours({ firstHour: NEWEST_HOUR, lastHour: NEWEST_HOUR });
    const table = madeUpTable({ pods, replicas, startSeconds, instants, stepSeconds: HISTORY_STEP_SECONDS, seed });
    const started = processorMilliseconds();
    summaries.push(summariseHour(table, DEFAULT_FEATURES, NEWEST_HOUR));
    times.push(processorMilliseconds() - started);
  }
  report('summary of an hour, in the thread that reads', times);
  return summaries;
}

async function filledHistory(): Promise<WorkloadHistory> {
  const summaries = await madeUpSummaries();
  globalThis.gc?.();
  const residentBefore = process.memoryUsage().rss;
  const history = new WorkloadHistory({ days, ...featureNames(CONFIGURATION) });
  const api = new CountingApi();
  const [blocks, work]: [number[], number[]] = [[], []];
  const readings = await fill(history, async (stretch) => {
    await fetchHours(api, {
      features: DEFAULT_FEATURES,
      ownerQueries: OWNER_QUERIES,
      expectedPods: history.mostPods,
      ...stretch,
    });
    for (let hour = stretch.firstHour; hour <= stretch.lastHour; hour++) {
      const summary = { ...(summaries[hour % summaries.length] as HourSummary), hour };
      const started = processorMilliseconds();
      blocks.push(await longestTurn(() => history.addInTurns(summary, nextTurn)));
      work.push(processorMilliseconds() - started);
    }
  });
  globalThis.gc?.();
  const resident = process.memoryUsage().rss - residentBefore;
  console.log(
    `to fill it: ${readings} readings, ${api.requests} requests, ${(api.samples / 1e6).toFixed(1)} million samples`,
  );
  console.log(`memory of the history: ${megabytes(history.sizeBytes)}; resident memory added ${megabytes(resident)}`);
  report('add an hour', work);
  report('add an hour: longest block of this thread', blocks);
  return history;
}

async function measureTraining(history: WorkloadHistory): Promise<Readonly<Record<'with' | 'without', Model>>> {
  await time('copy of the history for a training', runs, () => history.state());
  const writing = () => encodeHistory(history.state(), CONFIGURATION, nextTurn);
  await time('write the file of the history', runs, writing);
  report('write the file: longest block of this thread', [await longestTurn(writing)]);
  console.log(`file of the history: ${megabytes((await writing()).length)}`);
  await time('boundaries, in the thread of the training', runs, () =>
    fitLimits(history, DEFAULT_FEATURES, DEFAULT_PARAMETERS, MADE_UP_END_SECONDS),
  );
  const tables = madeUpTables(pods, 1, replicas);
  await time('fit without a history', runs, () => fitModel(tables, DEFAULT_FEATURES, DEFAULT_PARAMETERS));
  await time('fit with a history', runs, () => fitModel(tables, DEFAULT_FEATURES, DEFAULT_PARAMETERS, history));
  return {
    without: fitModel(tables, DEFAULT_FEATURES, DEFAULT_PARAMETERS),
    with: fitModel(tables, DEFAULT_FEATURES, DEFAULT_PARAMETERS, history),
  };
}

async function measureScrape(models: Readonly<Record<'with' | 'without', Model>>): Promise<void> {
  const { window } = madeUpTables(pods, 1, replicas);
  const instants = window.timestampsSeconds.length;
  const recent = asBuilt(window.selectInstants(instants - RECENT_INSTANTS, instants));
  const never = new AbortController().signal;
  for (const name of ['without', 'with'] as const) {
    const model = models[name];
    await time(`detect ${name} a history`, runs, () => detect(model, recent));
    const [detecting, loading]: [number[], number[]] = [[], []];
    const bytes = encodeModel(model);
    for (let run = 0; run < runs; run++) {
      detecting.push(await longestTurn(() => detectInTurns(model, recent, never)));
      loading.push(await longestTurn(() => decodeModelInTurns(bytes.slice(), nextTurn)));
    }
    report(`detect ${name} a history: longest block`, detecting);
    report(`a new model ${name} a history: longest block`, loading);
    console.log(`model ${name} a history: ${megabytes(bytes.length)}`);
  }
}

/** Pods of the real Prometheus, each with four series and a sample a minute. */
const REAL_PODS = 300;

/** What a real Prometheus works while a day is read from it, hour by hour as for many pods, and for what scrapes ask. */
async function measureRealPrometheus(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-days-'));
  const end = Math.floor(Date.now() / 1000 / HOUR_SECONDS) * HOUR_SECONDS;
  try {
    const range = { startSeconds: end - (HOURS_PER_DAY + 2) * HOUR_SECONDS, endSeconds: end, stepSeconds: 60 };
    const cluster = Array.from({ length: REAL_PODS / 3 }, (_, index) => weekPods(`n-${index % 10}`, `w-${index}`, 3));
    await writeHistory(directory, weekHistory(cluster.flat(), range));
    const configuration = join(directory, 'prometheus.yml');
    writeFileSync(configuration, '{}');
    const prometheus = await startPrometheus({ directory, port: await freePort(), configuration });
    await askInTurn(prometheus.url, end).finally(() => prometheus.close());
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function askInTurn(url: string, endSeconds: number): Promise<void> {
  const api = new PrometheusClient(connectionTo(url));
  // A sample a minute and a window of four, as of a scrape every 15 seconds and the default window of a minute.
  const features = buildCatalog({ namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '4m' });
  const request = { features, ownerQueries: OWNER_QUERIES, expectedPods: REAL_PODS };
  const workedMilliseconds = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return 1000 * Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1]);
  };
  const [reading, scraping]: [number[], number[]] = [[], []];
  for (let hour = endSeconds / HOUR_SECONDS - HOURS_PER_DAY; hour < endSeconds / HOUR_SECONDS; hour++) {
    const before = await workedMilliseconds();
    await fetchHours(api, { ...request, firstHour: hour, lastHour: hour });
    const between = await workedMilliseconds();
    for (const feature of features) {
      const last = (hour + 1) * HOUR_SECONDS;
      const startSeconds = last - recentSecondsOf(feature);
      await api.queryRange({ ...feature, startSeconds, endSeconds: last, stepSeconds: RECENT_STEP_SECONDS });
    }
    reading.push(between - before);
    scraping.push((await workedMilliseconds()) - between);
  }
  report(`real Prometheus, ${REAL_PODS} pods: an hour of the past`, reading);
  report(`real Prometheus, ${REAL_PODS} pods: the questions of a scrape`, scraping);
}

if (options.real) await measureRealPrometheus();
else {
  console.log(`${pods} pods in ${options.workloads} workloads, ${days} days, ${runs} runs, processor time`);
  const history = await filledHistory();
  await measureScrape(await measureTraining(history));
  console.log(`peak resident memory ${megabytes(process.resourceUsage().maxRSS * 1024)}`);
}
