/**
 * Measures what one training adds to the memory of a process, beside what `check` expects of it.
 *
 * Usage: npm run bench:memory -- [--pods 10000] [--minutes 60]
 */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { buildOwnerQueries } from '../../src/exporter/features/workload.js';
import { planTraining } from '../../src/exporter/training/plan.js';
import { trainInWorker } from '../../src/exporter/training/run-in-worker.js';
import { connectionTo } from '../support/connection-to.js';
import { QUICK_PARAMETERS } from '../support/parameters.js';
import { FEATURES } from '../support/small-cluster.js';
import { startChild } from './children.js';

const { values: options } = parseArgs({
  options: { pods: { type: 'string', default: '10000' }, minutes: { type: 'string', default: '60' } },
});
const pods = Number(options.pods);
const prometheus = await startChild<{ readonly url: string }>('prometheus.js', [String(pods)]);
const request = {
  features: FEATURES,
  ownerQueries: buildOwnerQueries({ namespaceRegex: '.*' }),
  parameters: QUICK_PARAMETERS,
  lookbackSeconds: Number(options.minutes) * 60,
  stepSeconds: 60,
  nowSeconds: Math.floor(Date.now() / 1000),
  untilNextTrainingSeconds: 900,
};

/** Peak of the resident memory of this process so far, in bytes (Linux). */
function peakBytes(): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

const before = process.memoryUsage().rss;
const source = { connection: connectionTo(prometheus.first.url), sharding: undefined };
const input = { source, request, encode: true };
await trainInWorker(input, new AbortController().signal, () => undefined, 3600);
const added = peakBytes() - before;
await prometheus.stop();
const { points, memoryBytes } = planTraining(request, QUICK_PARAMETERS.baseline, FEATURES.length * pods);
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
console.log(`${pods} pods, ${points} points: ${megabytes(added)}; expected: ${megabytes(memoryBytes)}`);
