/** `simulate`: writes a fleet as a recording. */

import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { UsageError } from '../../../lib/usage-error.js';
import { podColumns } from './columns.js';
import { createFleet, type Fleet, type FleetOptions } from './fleet.js';
import { caseName, describeFleet, fleetChanges, fleetLabels } from './fleet-labels.js';

export interface SimulateFleetOptions extends Omit<FleetOptions, 'startSeconds'> {
  /** The directory to write into. It is made if need be. */
  readonly output: string;
  /** The first day, `YYYY-MM-DD`. Default: depends on the seed. */
  readonly start?: string | undefined;
}

const CSV_HEADER = 'timestamp,namespace,pod,cpu_cores,memory_bytes,restarts\n';
const DATA_FILE = /\.csv(\.gz)?$/;

/** Minutes that are computed at a time: what is held in memory is a few megabytes. */
const CHUNK_MINUTES = 360;

/**
 * Writes `fleet-<seed>.csv.gz`, `fleet.json`, `changes.json` and `labels.json`. The same options give the same bytes.
 *
 * @throws {UsageError} if the first day is not a date.
 * @throws {RangeError} if the fleet is too small.
 * @throws {Error} if other data is in the directory, or it cannot be written.
 */
export async function runSimulateFleet(
  { output, start, ...options }: SimulateFleetOptions,
  { stdout, signal }: { readonly stdout: Writable; readonly signal: AbortSignal },
): Promise<void> {
  const fleet = createFleet({ ...options, startSeconds: start === undefined ? undefined : midnight(start) });
  const file = `${caseName(fleet)}.csv.gz`;
  await prepareDirectory(output, file);
  const path = join(output, file);
  let rows = 0;
  const text = function* () {
    yield CSV_HEADER;
    for (const lines of csvOfInstants(fleet)) {
      rows += lines.length;
      yield lines.join('');
    }
  };
  try {
    await pipeline(text, createGzip({ level: 5 }), createWriteStream(path), { signal });
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  const labels = fleetLabels(fleet);
  const changes = fleetChanges(fleet);
  for (const [name, content] of Object.entries({ fleet: describeFleet(fleet), changes, labels })) {
    await writeFile(join(output, `${name}.json`), `${JSON.stringify(content, undefined, 1)}\n`);
  }
  const faults = new Set(fleet.faults.map(({ id }) => id)).size;
  const learned = fleet.faults.filter(({ isLearned }) => isLearned).length;
  stdout.write(
    `${path}: ${fleet.workloads.length} workloads, ${rows} rows, ${faults - learned} faults, ` +
      `${learned} more in the days to learn from, ${labels.length} labels, ${changes.length} normal changes\n`,
  );
}

/** Unix time at which a day begins in UTC. */
function midnight(date: string): number {
  const seconds = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(date) / 1000 : Number.NaN;
  if (Number.isNaN(seconds)) {
    throw new UsageError(`Expected a date such as 2026-03-23 in --start, got "${date}".`);
  }
  return seconds;
}

/**
 * Makes the directory. Other data in it would be evaluated together with this set, against the wrong labels.
 *
 * @param ours The data file that will be written.
 * @throws {Error} if other data is in the directory.
 */
async function prepareDirectory(output: string, ours: string): Promise<void> {
  await mkdir(output, { recursive: true });
  const other = (await readdir(output)).find((name) => DATA_FILE.test(name) && name !== ours);
  if (other !== undefined) {
    throw new Error(
      `Expected an empty directory or one of an earlier simulation, got ${other} in ${output}. Choose another one.`,
    );
  }
  // Labels stand for a complete set, so those of an earlier one must not outlive its data.
  await rm(join(output, 'labels.json'), { force: true });
}

/** The lines of all pods that are known at a minute, minute by minute. */
function* csvOfInstants(fleet: Fleet): Generator<string[]> {
  for (let from = 0; from < fleet.minutes; from += CHUNK_MINUTES) {
    const to = Math.min(fleet.minutes, from + CHUNK_MINUTES);
    const present = fleet.pods
      .filter(({ born, gone }) => born < to && from < gone)
      .map((pod) => ({ pod, columns: podColumns(fleet, pod, from, to) }));
    for (let minute = from; minute < to; minute++) {
      const timeSeconds = fleet.startSeconds + 60 * minute;
      const lines: string[] = [];
      for (const { pod, columns } of present) {
        const restarts = columns.restarts[minute - from] as number;
        if (Number.isNaN(restarts)) continue;
        const cpu = decimal(columns.cpuCores[minute - from] as number);
        const memory = columns.memoryBytes[minute - from] as number;
        const name = `${timeSeconds},${pod.workload.namespace},${pod.pod}`;
        lines.push(`${name},${cpu},${Number.isNaN(memory) ? '' : memory},${restarts}\n`);
      }
      yield lines;
    }
  }
}

/** Five digits, without an exponent where possible: cores below a tenth of a microcore do not matter. */
function decimal(value: number): string {
  if (Number.isNaN(value)) return '';
  const rounded = Number(value.toPrecision(5));
  return rounded === 0 || Math.abs(rounded) >= 1e-6 ? String(rounded) : rounded.toFixed(9);
}
