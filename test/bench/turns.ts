/**
 * Measures the longest turn of the event loop in each part of a scrape and of `/detect`, in processor time, so that other work
 * on the machine changes it little: answers come from memory, and nothing is decoded.
 *
 * Usage: npm run bench:turns -- [--pods 100000] [--runs 5]
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { NO_CONTEXT } from '../../src/exporter/context/pod-context.js';
import type { Detection, PassOutcome } from '../../src/exporter/detection/detection.js';
import { DetectionPass } from '../../src/exporter/detection/pass.js';
import { advance, NO_EPISODES } from '../../src/exporter/episodes/episodes.js';
import type { FeatureTable } from '../../src/exporter/features/table.js';
import { buildOwnerQueries } from '../../src/exporter/features/workload.js';
import { NO_FORECAST } from '../../src/exporter/forecast/forecast-state.js';
import { detectAnswer } from '../../src/exporter/http/detect.js';
import { pack } from '../../src/exporter/http/packed.js';
import { createMetrics } from '../../src/exporter/metrics/registry.js';
import { fitModel } from '../../src/exporter/model/fit.js';
import type { PrometheusApi, QueryResult, RangeQuery } from '../../src/exporter/prometheus/api.js';
import { DEFAULT_FEATURES, MADE_UP_END_SECONDS, madeUpTable, madeUpTables } from '../support/made-up-cluster.js';
import { stateWith } from '../support/metric-sources.js';
import { DEFAULT_PARAMETERS } from '../support/parameters.js';
import { longestTurn, report } from './processor-time.js';

const { values: options } = parseArgs({
  options: { pods: { type: 'string', default: '100000' }, runs: { type: 'string', default: '5' } },
});
const pods = Number(options.pods);
const runs = Number(options.runs);
const MINUTE_SECONDS = 60;

const model = fitModel(madeUpTables(pods), DEFAULT_FEATURES, DEFAULT_PARAMETERS);
const minutes = 40;
const recent = madeUpTable({ pods, replicas: 10, startSeconds: MADE_UP_END_SECONDS, instants: minutes, seed: 2 });
/** As the client keeps them from answer to answer. */
const labels = recent.pods.map(({ namespace, pod }) => ({ namespace, pod }));

/** The values of a feature at the instants of a question, as the client gives them. */
function answer({ features, timestampsSeconds, ...table }: FeatureTable, question: RangeQuery): QueryResult {
  const column = DEFAULT_FEATURES.findIndex(({ query }) => query === question.query);
  const times = timestampsSeconds.filter((time) => time >= question.startSeconds && time <= question.endSeconds);
  const first = timestampsSeconds.indexOf(times[0] as number);
  const values = new Float64Array(pods * times.length);
  for (let cell = 0; cell < values.length; cell++) {
    const instant = first + (cell % times.length);
    const pod = Math.floor(cell / times.length);
    values[cell] = table.values[(pod * timestampsSeconds.length + instant) * features.length + column] as number;
  }
  return {
    labels,
    offsets: Uint32Array.from({ length: pods + 1 }, (_, pod) => pod * times.length),
    timestampsSeconds: Float64Array.from(values, (_, cell) => times[cell % times.length] as number),
    values,
    warnings: [],
    infos: [],
  };
}

/** What answers take to be made belongs to none of the turns that are measured. */
const prepared = new Map<string, QueryResult>();
const api: PrometheusApi = {
  query: async () => ({
    labels: [],
    offsets: Uint32Array.of(0),
    timestampsSeconds: new Float64Array(),
    values: new Float64Array(),
    warnings: [],
    infos: [],
  }),
  async queryRange(question) {
    const key = `${question.query} ${question.startSeconds} ${question.endSeconds}`;
    const known = prepared.get(key) ?? answer(recent, question);
    prepared.set(key, known);
    await sleep(1);
    return known;
  },
};

let nowSeconds = 0;
const passes = () =>
  new DetectionPass({
    api,
    ownerQueries: buildOwnerQueries({ namespaceRegex: '.*' }),
    phaseQueries: { idle: '' },
    model: () => model,
    timeoutSeconds: 600,
    now: () => nowSeconds * 1000,
    whyNoModel: () => '',
    onOutcome: () => undefined,
  });
const metrics = createMetrics(() => stateWith({ model, episodes: NO_EPISODES }));

const turns = new Map<string, number[]>();
async function measure<Value>(part: string, work: () => Promise<Value>): Promise<Value> {
  let value: Value | undefined;
  const longest = await longestTurn(async () => {
    value = await work();
  });
  turns.set(part, [...(turns.get(part) ?? []), longest]);
  return value as Value;
}

// Twice: answers are made in the first round, and the code is compiled.
for (const round of ['warm up', 'measure']) {
  const pass = passes();
  turns.clear();
  for (let run = 0; run < runs; run++) {
    nowSeconds = MADE_UP_END_SECONDS + (12 + run) * MINUTE_SECONDS;
    const outcome: PassOutcome = await measure('pass', () => pass.run(undefined));
    if (outcome.kind !== 'detection') throw new Error(`${round}: ${outcome.kind}, ${outcome.message}`);
    const { detection } = outcome;
    const { contentType, body } = await measure('render /metrics', () => metrics.render(async () => outcome));
    await measure('compress /metrics', () => pack(contentType, [body]));
    const known = { episodes: NO_EPISODES, context: NO_CONTEXT, forecast: NO_FORECAST };
    await measure('/detect, 1,000 pods', () => pack('', detectAnswer(detection, known, { limit: 1000 })));
    await measure('/detect, all pods', () => pack('', detectAnswer(detection, known, { limit: 0 })));
    const lasting: Detection = { ...detection, lasting: new Uint8Array(pods).fill(1) };
    await measure('episodes, all pods last', async () => advance(NO_EPISODES, lasting));
  }
}
console.log(`${pods} pods, ${runs} runs: longest turn of the event loop, processor time`);
for (const [part, longest] of turns) report(part, longest);
