/** Writes a test set of a simulated cluster, with the faults that are in no public set. */

import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { formatBytes } from '../../lib/text/format.js';
import { CSV_HEADER, csvRows } from './case-rows.js';
import { type SimulatedCase, simulatedCases } from './cases.js';
import { DEFAULT_HOURS, MINIMUM_HOURS } from './hours.js';
import { type NormalChange, normalChanges } from './normal-changes.js';
import { recordWorld } from './recording.js';
import { type Label, Labeller } from './simulated-labels.js';

export interface SimulateOptions {
  /** The directory to write into. It is made if need be. */
  readonly output: string;
  /** The same seed gives the same bytes. Default 1. */
  readonly seed?: number;
  /** Length of a case, the quiet one being twice as long: at least 2. Default 6. */
  readonly hours?: number;
}

/** What the command needs of its surroundings. */
export interface SimulateSurroundings {
  readonly stdout: Writable;
  /** Ends the work; the case that is being written is removed again. */
  readonly signal: AbortSignal;
}

/** What was written. */
export interface SimulateSummary {
  readonly cases: readonly CaseSummary[];
  readonly labels: readonly Label[];
  readonly changes: readonly NormalChange[];
}

export interface CaseSummary {
  readonly name: string;
  readonly rows: number;
  /** Time of the pods that ran, in days. */
  readonly podDays: number;
  /** Size of the file. */
  readonly bytes: number;
}

const DAY_SECONDS = 86_400;
const DATA_FILE = /\.csv(\.gz)?$/;

/**
 * Writes `<case>.csv.gz` for each case, then `changes.json` and `labels.json`.
 *
 * @throws {RangeError} if the hours are too few.
 * @throws {Error} if other data is in the directory, or it cannot be written.
 */
export async function runSimulate(
  options: SimulateOptions,
  { stdout, signal }: SimulateSurroundings,
): Promise<SimulateSummary> {
  const { output, seed = 1, hours = DEFAULT_HOURS } = options;
  if (!(hours >= MINIMUM_HOURS)) {
    throw new RangeError(
      `Expected at least ${MINIMUM_HOURS} hours, got ${hours}. The first one is only learned from.`,
    );
  }
  const simulated = simulatedCases(seed, hours);
  await prepareDirectory(output, simulated.map(fileName));
  const cases: CaseSummary[] = [];
  const labels: Label[] = [];
  const changes: NormalChange[] = [];
  for (const one of simulated) {
    const labeller = new Labeller(one.name, one.world.incidents);
    const written = await writeCase(one, join(output, fileName(one)), labeller, signal);
    const ofCase = labeller.labels();
    const changesOfCase = normalChanges(one.name, one.world, one.startSeconds, one.endSeconds);
    cases.push(written);
    labels.push(...ofCase);
    changes.push(...changesOfCase);
    stdout.write(caseLine(written, ofCase.length, changesOfCase.length));
  }
  await writeFile(join(output, 'changes.json'), json(changes));
  await writeFile(join(output, 'labels.json'), json(labels));
  stdout.write(totalLine(output, cases, labels));
  return { cases, labels, changes };
}

const fileName = ({ name }: SimulatedCase) => `${name}.csv.gz`;
const json = (value: unknown) => `${JSON.stringify(value, undefined, 1)}\n`;

/**
 * Makes the directory. Other data in it would be evaluated together with this set, against the wrong labels.
 *
 * @param ours The data files that will be written.
 * @throws {Error} if other data is in the directory.
 */
export async function prepareDirectory(output: string, ours: readonly string[]): Promise<void> {
  await mkdir(output, { recursive: true });
  const other = (await readdir(output)).find((name) => DATA_FILE.test(name) && !ours.includes(name));
  if (other !== undefined) {
    throw new Error(
      `Expected an empty directory or one of an earlier simulation, got ${other} in ${output}. Choose another one.`,
    );
  }
  // Labels stand for a complete set, so those of an earlier one must not outlive its data.
  await rm(join(output, 'labels.json'), { force: true });
}

async function writeCase(
  simulated: SimulatedCase,
  path: string,
  labeller: Labeller,
  signal: AbortSignal,
): Promise<CaseSummary> {
  let rows = 0;
  let measured = 0;
  const text = function* () {
    yield CSV_HEADER;
    for (const instant of recordWorld(simulated.world, simulated)) {
      labeller.add(instant);
      rows += instant.samples.length;
      measured += instant.samples.filter(({ memoryBytes }) => memoryBytes !== undefined).length;
      yield csvRows(instant);
    }
  };
  try {
    await pipeline(text, createGzip(), createWriteStream(path), { signal });
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  const { size } = await stat(path);
  const podDays = (measured * simulated.stepSeconds) / DAY_SECONDS;
  return { name: simulated.name, rows, podDays, bytes: size };
}

function caseLine({ name, rows, podDays, bytes }: CaseSummary, faults: number, changes: number): string {
  return (
    `${name.padEnd(10)} ${podDays.toFixed(1).padStart(5)} pod-days, ${String(rows).padStart(7)} rows, ` +
    `${formatBytes(bytes)}, ${String(faults).padStart(3)} faults, ${String(changes).padStart(3)} normal changes\n`
  );
}

function totalLine(output: string, cases: readonly CaseSummary[], labels: readonly Label[]): string {
  const types = new Map<string, number>();
  for (const { fault_type: type } of labels) types.set(type, (types.get(type) ?? 0) + 1);
  const podDays = cases.reduce((sum, one) => sum + one.podDays, 0);
  const bytes = cases.reduce((sum, one) => sum + one.bytes, 0);
  const byType = [...types].map(([type, count]) => `${type} ${count}`).join(', ');
  return `${output}: ${podDays.toFixed(1)} pod-days, ${formatBytes(bytes)}, ${labels.length} faults (${byType})\n`;
}
