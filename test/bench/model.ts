/**
 * Times the model's own stages on made-up tables: fitting, its memory, and the forest's scoring. No network, no JSON.
 *
 * Usage: npm run bench:model -- [--pods 10000] [--runs 5]
 */

import { parseArgs } from 'node:util';
import { fitModel } from '../../src/exporter/model/fit.js';
import { scoreRows } from '../../src/exporter/model/forest.js';
import { DEFAULT_FEATURES, madeUpTables } from '../support/made-up-cluster.js';
import { DEFAULT_PARAMETERS } from '../support/parameters.js';

const { values: options } = parseArgs({
  options: { pods: { type: 'string', default: '10000' }, runs: { type: 'string', default: '5' } },
});
const pods = Number(options.pods);
const runs = Number(options.runs);

/** Median, least and most of the times of `work`, in milliseconds. */
function time(name: string, work: () => void): void {
  const times = Array.from({ length: runs }, () => {
    const started = performance.now();
    work();
    return performance.now() - started;
  }).sort((a, b) => a - b);
  const [least, median, most] = [0, (runs - 1) >> 1, runs - 1].map((at) => (times[at] as number).toFixed(1));
  console.log(`${name.padEnd(32)} ${median?.padStart(9)} ms  (${least} to ${most})`);
}

const tables = madeUpTables(pods);
const model = fitModel(tables, DEFAULT_FEATURES, DEFAULT_PARAMETERS);
const width = model.forest.features;
const rows = Float64Array.from({ length: pods * width }, (_, cell) => Math.sin(cell * 12.9898) * 5);
console.log(`${pods} pods, window of ${tables.window.timestampsSeconds.length} instants, ${runs} runs`);
time('fit', () => fitModel(tables, DEFAULT_FEATURES, DEFAULT_PARAMETERS));
time(`forest, ${pods} rows × ${width}`, () => scoreRows(model.forest, rows));
console.log(`peak resident memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
