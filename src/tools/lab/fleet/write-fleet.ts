/** `simulate --days`: writes a fleet as a recording. */

import { createWriteStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { UsageError } from '../../../lib/usage-error.js';
import { CSV_HEADER, csvRows } from '../case-rows.js';
import type { PodSample } from '../recording.js';
import { prepareDirectory, type SimulateSurroundings } from '../simulate.js';
import { podColumns } from './columns.js';
import { createFleet, type Fleet, type FleetOptions } from './fleet.js';
import { caseName, describeFleet, fleetChanges, fleetLabels } from './fleet-labels.js';

export interface SimulateFleetOptions extends Omit<FleetOptions, 'startSeconds'> {
  /** The directory to write into. It is made if need be. */
  readonly output: string;
  /** The first day, `YYYY-MM-DD`. Default: depends on the seed. */
  readonly start?: string | undefined;
}

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
  { stdout, signal }: SimulateSurroundings,
): Promise<void> {
  const fleet = createFleet({ ...options, startSeconds: start === undefined ? undefined : midnight(start) });
  const file = `${caseName(fleet)}.csv.gz`;
  await prepareDirectory(output, [file]);
  const path = join(output, file);
  let rows = 0;
  const text = function* () {
    yield CSV_HEADER;
    for (const instant of fleetInstants(fleet)) {
      rows += instant.samples.length;
      yield csvRows(instant);
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
  const json = (value: unknown) => `${JSON.stringify(value, undefined, 1)}\n`;
  await writeFile(join(output, 'fleet.json'), json(describeFleet(fleet)));
  await writeFile(join(output, 'changes.json'), json(changes));
  await writeFile(join(output, 'labels.json'), json(labels));
  const learned = fleet.faults.filter(({ isLearned }) => isLearned).length;
  stdout.write(
    `${path}: ${fleet.workloads.length} workloads, ${rows} rows, ${fleet.faults.length - learned} faults, ` +
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

/** All pods minute by minute. */
export function* fleetInstants(fleet: Fleet) {
  for (let from = 0; from < fleet.minutes; from += CHUNK_MINUTES) {
    const to = Math.min(fleet.minutes, from + CHUNK_MINUTES);
    const present = fleet.pods
      .filter(({ born, gone }) => born < to && from < gone)
      .map((pod) => ({ pod, columns: podColumns(fleet, pod, from, to) }));
    for (let minute = from; minute < to; minute++) {
      const samples: PodSample[] = [];
      for (const { pod, columns } of present) {
        const restarts = columns.restarts[minute - from] as number;
        if (Number.isNaN(restarts)) continue;
        const cpu = columns.cpuCores[minute - from] as number;
        const memory = columns.memoryBytes[minute - from] as number;
        samples.push({
          namespace: pod.workload.namespace,
          pod: pod.pod,
          workload: pod.workload.name,
          cpuCores: Number.isNaN(cpu) ? undefined : Number(cpu.toPrecision(5)),
          memoryBytes: Number.isNaN(memory) ? undefined : memory,
          restarts,
        });
      }
      yield { timeSeconds: fleet.startSeconds + 60 * minute, samples };
    }
  }
}
