/**
 * Times the model's own stages on made-up tables: fitting, scoring, the look-ups of a scrape, the forms in which a model
 * is kept, and how long a new one holds up the thread that serves. No network, no JSON.
 *
 * Usage: npm run bench:model -- [--pods 10000] [--runs 5]
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { detect, RECENT_INSTANTS } from '../../src/exporter/detection/detect.js';
import { fitModel } from '../../src/exporter/model/fit.js';
import { scoreRows } from '../../src/exporter/model/forest.js';
import { locatePods } from '../../src/exporter/model/rows.js';
import { decodeModel, decodeModelInTurns, encodeModel } from '../../src/exporter/model/snapshot/codec.js';
import { DEFAULT_FEATURES, madeUpTables } from '../support/made-up-cluster.js';
import { DEFAULT_PARAMETERS } from '../support/parameters.js';
import { asBuilt } from '../support/tables.js';
import { longestTurn, processorMilliseconds, report, time } from './processor-time.js';

const { values: options } = parseArgs({
  options: { pods: { type: 'string', default: '10000' }, runs: { type: 'string', default: '5' } },
});
const pods = Number(options.pods);
const runs = Number(options.runs);

/** Receives a model from another thread again and again, beside a loop that measures how long a turn takes. */
async function measureSwap(): Promise<void> {
  const worker = new Worker(new URL('./model-worker.js', import.meta.url), { workerData: pods });
  const receive = () =>
    new Promise<Uint8Array>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.postMessage('send');
    });
  await receive();
  const longest: number[] = [];
  const whole: number[] = [];
  for (let run = 0; run < runs; run++) {
    const bytes = receive();
    // Sleeps until the other thread has sent the model: its work is not measured, and this thread has received nothing.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    const started = processorMilliseconds();
    longest.push(await longestTurn(async () => decodeModelInTurns(await bytes, nextTurn)));
    whole.push(processorMilliseconds() - started);
  }
  await worker.terminate();
  report('a new model: longest block of this thread', longest);
  report('a new model: all that this thread does', whole);
}

const tables = madeUpTables(pods);
const model = fitModel(tables, DEFAULT_FEATURES, DEFAULT_PARAMETERS);
const width = model.forest.features;
const rows = Float64Array.from({ length: pods * width }, (_, cell) => Math.sin(cell * 12.9898) * 5);
const { window } = tables;
const instants = window.timestampsSeconds.length;
console.log(`${pods} pods, window of ${instants} instants, ${runs} runs, processor time`);
await time('fit', runs, () => fitModel(tables, DEFAULT_FEATURES, DEFAULT_PARAMETERS));
await time(`forest, ${pods} rows × ${width}`, runs, () => scoreRows(model.forest, rows));
const recent = asBuilt(window.selectInstants(instants - RECENT_INSTANTS, instants));
await time('detect', runs, () => detect(model, recent));
await time('look-ups of a scrape', runs, () => locatePods(model.baseline.pods, window.pods));
const encoded = encodeModel(model);
await time('encode', runs, () => encodeModel(model));
await time('decode', runs, () => decodeModel(encoded));
console.log(`size of the model as bytes: ${(encoded.length / 1e6).toFixed(1)} MB`);
await measureSwap();
console.log(`peak resident memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
