/**
 * Measures what it takes to read hours of the past: time, requests, memory, and the longest block of the serving thread.
 *
 * Usage: npm run bench:history -- [--pods 10000] [--hours 12]
 */

import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { buildOwnerQueries } from '../../src/exporter/features/workload.js';
import { lastSettledHour } from '../../src/exporter/history/grid.js';
import { hoursToRead, nextStretch } from '../../src/exporter/history/plan-hours.js';
import { WorkloadHistory } from '../../src/exporter/history/workload-history.js';
import { encodeHistory, featureNames } from '../../src/exporter/model/snapshot/history-codec.js';
import { readHoursInWorker } from '../../src/exporter/training/run-in-worker.js';
import { connectionTo } from '../support/connection-to.js';
import { FEATURES } from '../support/small-cluster.js';
import { startChild } from './children.js';

const { values: options } = parseArgs({
  options: { pods: { type: 'string', default: '10000' }, hours: { type: 'string', default: '12' } },
});
/** The default of HISTORY_DAYS. */
const DAYS = 8;

const prometheus = await startChild<{ readonly url: string }>('prometheus.js', [options.pods]);
const source = { connection: connectionTo(prometheus.first.url), sharding: undefined };
const scope = { features: FEATURES, ownerQueries: buildOwnerQueries({ namespaceRegex: '.*' }) };
const history = new WorkloadHistory({ days: DAYS, ...featureNames(scope) });
const newest = lastSettledHour(Date.now() / 1000);

/** Peak of the resident memory of this process so far, in bytes (Linux). */
function peakBytes(): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

/** Turns of the serving thread, in processor time: others may use the machine as well. */
class Turns {
  longest = 0;
  #began = process.cpuUsage();

  readonly begin = (): void => {
    this.#began = process.cpuUsage();
  };

  readonly end = (): void => {
    const { user, system } = process.cpuUsage(this.#began);
    this.longest = Math.max(this.longest, (user + system) / 1000);
  };

  readonly pause = async (): Promise<void> => {
    this.end();
    await nextTurn();
    this.begin();
  };
}

const [adding, copying, encoding] = [new Turns(), new Turns(), new Turns()];

const before = process.memoryUsage().rss;
const lengths: number[] = [];
let [hours, requests, seconds] = [0, 0, 0];
while (hours < Number(options.hours)) {
  const stretch = nextStretch(hoursToRead(history, newest), history);
  if (stretch === undefined) break;
  const request = { ...scope, ...stretch, expectedPods: Number(options.pods) };
  const read = await readHoursInWorker({ source, request }, new AbortController().signal, () => requests++);
  seconds += read.seconds;
  lengths.push(read.summaries.length);
  hours += read.summaries.length;
  adding.begin();
  for (const summary of read.summaries) await history.addInTurns(summary, adding.pause);
  adding.end();
}
copying.begin();
const state = history.state();
copying.end();
encoding.begin();
const bytes = await encodeHistory(state, { ...scope, source: [] }, encoding.pause);
await prometheus.stop();
const megabytes = (size: number) => `${(size / 1e6).toFixed(1)} MB`;
const milliseconds = ({ longest }: Turns) => `${longest.toFixed(1)} ms`;
console.log(
  `${options.pods} pods, ${history.workloads.length} workloads, ${hours} hours in stretches of ${[...new Set(lengths)].join(', ')}:
  ${(seconds / hours).toFixed(2)} s and ${(requests / hours).toFixed(1)} requests for an hour
  ${DAYS} days at 5 %: ${((24 * DAYS * seconds) / hours / 180).toFixed(1)} h
  history of ${DAYS} days: ${megabytes(history.sizeBytes)}, file ${megabytes(bytes.length)}
  memory while reading: ${megabytes(peakBytes() - before)} above the start
  longest block: ${milliseconds(adding)} to add an hour, ${milliseconds(copying)} to copy, ${milliseconds(encoding)} to encode`,
);
