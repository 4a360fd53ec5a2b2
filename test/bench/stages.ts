/**
 * The stages of a scrape, one by one, in a process of their own: `fork(stages.js, [PODS, URL, ROUNDS, CLOCK])`, with the
 * clock `wall` or `processor`. It trains on the stub, measures, and sends its `Measurement`s.
 */

import { request as httpRequest } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { NO_CONTEXT } from '../../src/exporter/context/pod-context.js';
import { detect, RECENT_INSTANTS, RECENT_STEP_SECONDS } from '../../src/exporter/detection/detect.js';
import type { PassOutcome } from '../../src/exporter/detection/detection.js';
import { WorkloadDirectory } from '../../src/exporter/detection/workloads.js';
import { NO_EPISODES } from '../../src/exporter/episodes/episodes.js';
import { buildCatalog } from '../../src/exporter/features/catalog.js';
import { FeatureTableBuilder } from '../../src/exporter/features/table-builder.js';
import { buildOwnerQueries } from '../../src/exporter/features/workload.js';
import { NO_FORECAST } from '../../src/exporter/forecast/forecast-state.js';
import { detectAnswer } from '../../src/exporter/http/detect.js';
import { createMetrics } from '../../src/exporter/metrics/registry.js';
import { scoreRows } from '../../src/exporter/model/forest.js';
import { growForest } from '../../src/exporter/model/grow.js';
import { emptyMeasurement, Measurer } from '../../src/exporter/model/measure.js';
import { createRandom } from '../../src/exporter/model/random.js';
import { locatePods } from '../../src/exporter/model/rows.js';
import { marginsOf } from '../../src/exporter/model/score.js';
import { AnswerReader } from '../../src/exporter/prometheus/answer/answer-reader.js';
import { NO_KNOWN_SERIES } from '../../src/exporter/prometheus/answer/label-cache.js';
import type { QueryResult } from '../../src/exporter/prometheus/api.js';
import { PrometheusClient } from '../../src/exporter/prometheus/client.js';
import { ServerTexts } from '../../src/exporter/prometheus/server-texts.js';
import { train } from '../../src/exporter/training/job.js';
import { connectionTo } from '../support/connection-to.js';
import { stateWith } from '../support/metric-sources.js';
import { DEFAULT_PARAMETERS } from '../support/parameters.js';
import '../support/ends-with-parent.js';
import { type Measurement, summarize, type Unit } from './measurement.js';

const [pods = 0, rounds = 1] = [Number(process.argv[2]), Number(process.argv[4])];
const url = process.argv[3] ?? '';

const FEATURES = buildCatalog({ namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' });
const never = new AbortController().signal;
const compress = promisify(gzip);

const measurements: Measurement[] = [];
const record = (name: string, unit: Unit, values: readonly number[], size = pods) =>
  void measurements.push(summarize(name, size, unit, values));

/** A clock in milliseconds: of the wall, or of the time that processors worked for this process. */
const now =
  process.argv[5] === 'processor'
    ? () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1000;
      }
    : () => performance.now();

/** Durations of some runs, the first of which, not counted, warms up; and what the last one gave. */
async function time<Value>(name: string, run: () => Value | Promise<Value>, size = pods): Promise<Value> {
  let value = await run();
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = now();
    value = await run();
    seconds.push((now() - started) / 1000);
  }
  record(`stage: ${name}`, 'seconds', seconds, size);
  return value;
}

const nowSeconds = Math.floor(Date.now() / 1000) + 0.123;
const startSeconds = nowSeconds - (RECENT_INSTANTS - 1) * RECENT_STEP_SECONDS;
const range = (query: string) => ({
  query,
  startSeconds,
  endSeconds: nowSeconds,
  stepSeconds: RECENT_STEP_SECONDS,
  signal: never,
});

/** The body of an answer as bytes, without anything that reads it. */
function fetchBody(query: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const question = httpRequest(new URL('/api/v1/query_range', url), { method: 'POST' }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(chunks)));
    });
    question.on('error', reject);
    const times = { start: String(startSeconds), end: String(nowSeconds), step: String(RECENT_STEP_SECONDS) };
    question.end(new URLSearchParams({ query, ...times }).toString());
  });
}

/** What a read from a socket brings. */
const CHUNK_BYTES = 64 * 1024;

const asked = {
  url,
  proxyUrl: undefined,
  query: '',
  texts: new ServerTexts([]),
};

/** As much as `PROMETHEUS_MAX_RESPONSE_BYTES` accepts: what many pods take is to be measured. */
const MOST_BYTES = 2 ** 30;

async function measureScrape(): Promise<void> {
  const api = new PrometheusClient(connectionTo(url, { maxResponseBytes: MOST_BYTES }));
  const request = {
    features: FEATURES,
    ownerQueries: buildOwnerQueries({ namespaceRegex: '.*' }),
    parameters: DEFAULT_PARAMETERS,
    lookbackSeconds: 3600,
    stepSeconds: 60,
    nowSeconds,
    untilNextTrainingSeconds: 900,
  };
  const { model } = await train(api, request, never);
  const bodies = await time('fetch', () => Promise.all(FEATURES.map(({ query }) => fetchBody(query))));
  record('size: answers to a pass', 'bytes', [bodies.reduce((sum, { length }) => sum + length, 0)]);
  const known = bodies.map(() => NO_KNOWN_SERIES);
  await time('decode', () => {
    bodies.forEach((body, index) => {
      const reader = new AnswerReader(asked, 'matrix', known[index]);
      for (let start = 0; start < body.length; start += CHUNK_BYTES) {
        reader.push(body.subarray(start, start + CHUNK_BYTES));
      }
      reader.finish(() => new Error('Expected JSON.') as never);
      known[index] = reader.known();
    });
  });
  const answers = await time('fetch and decode', () =>
    Promise.all(FEATURES.map(({ query }) => api.queryRange(range(query)))),
  );
  const directory = new WorkloadDirectory(api, request.ownerQueries);
  const { built, rows } = await time('table', () => {
    const grid = Float64Array.from(
      { length: RECENT_INSTANTS },
      (_, index) => startSeconds + index * RECENT_STEP_SECONDS,
    );
    const builder = new FeatureTableBuilder(FEATURES, grid);
    FEATURES.forEach((feature, index) => void builder.add(feature, answers[index] as QueryResult));
    return directory.buildTable(model, builder, locatePods(model.baseline.pods, builder.podsSeen()));
  });
  await time('baseline', () => {
    const { table } = built;
    const measurer = new Measurer(model.baseline, model.features, table, true, rows);
    const into = emptyMeasurement(table.pods.length * model.features.length);
    const last = RECENT_INSTANTS - 1;
    for (let pod = 0; pod < table.pods.length; pod++) measurer.measurePod(pod, last, last + 1, into, pod);
  });
  const detection = await time('detect (baseline, forest and more)', () => detect(model, built, rows));
  await time('forest', () => marginsOf(model, detection.inputs));
  const longest: number[] = [];
  await time('answer of /detect, all pods', async () => {
    let pieceSeconds = 0;
    let began = now();
    const known = { episodes: NO_EPISODES, context: NO_CONTEXT, forecast: NO_FORECAST };
    for await (const _piece of detectAnswer(detection, known, { limit: 0 })) {
      pieceSeconds = Math.max(pieceSeconds, (now() - began) / 1000);
      began = now();
    }
    longest.push(pieceSeconds);
  });
  record('longest piece of /detect, all pods', 'seconds', longest);
  const metrics = createMetrics(() => stateWith({ model, episodes: NO_EPISODES }));
  const outcome: PassOutcome = {
    kind: 'detection',
    detection,
    timeSeconds: nowSeconds,
    durationSeconds: 1,
    queries: [],
    warnings: [],
    isPartial: false,
  };
  const { body } = await time('set and render', () => metrics.render(async () => outcome));
  const zipped = await time('gzip', () => compress(body, { level: 1 }));
  record('size: metrics', 'bytes', [Buffer.byteLength(body)]);
  record('size: metrics, compressed', 'bytes', [zipped.length]);
}

/** What other libraries are measured by as well: no baseline, rows at random. */
async function measureForest(): Promise<void> {
  const size = { rows: 10_000, features: 3, trees: 100, sample: 256 };
  const random = createRandom(42);
  const rows = (count: number) => Float64Array.from({ length: count * size.features }, random);
  const forest = growForest({
    estimators: size.trees,
    features: size.features,
    sampleRows: size.sample,
    drawSample: () => rows(size.sample),
    random,
  });
  const sample = rows(size.rows);
  const seconds: number[] = [];
  for (let round = 0; round < 5 + rounds; round++) {
    const started = now();
    scoreRows(forest, sample);
    if (round >= 5) seconds.push((now() - started) / 1000);
  }
  record(`forest, ${size.rows} rows x ${size.features} x ${size.trees} trees`, 'seconds', seconds, size.rows);
}

await measureScrape();
if (pods === 10_000 || rounds === 1) await measureForest();
process.send?.(measurements);
