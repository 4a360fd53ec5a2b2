/**
 * What the plans of a training cost in accuracy: evaluates recordings with trainings that get less.
 *
 * Usage: npm run bench:plan -- DIRECTORY [DIRECTORY …]
 *
 * Each DIRECTORY is as for `evaluate`.
 */

import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { FeatureTable } from '../../src/exporter/features/table.js';
import { runEvaluate } from '../../src/tools/lab/evaluate.js';
import type { TrainingSelection } from '../../src/tools/lab/walk.js';

/** Some instants of a table, and the pods that are there at any of them. */
function pick(table: FeatureTable, isPicked: (instant: number, instants: number) => boolean): FeatureTable {
  const { timestampsSeconds } = table;
  const picked = [...timestampsSeconds.keys()].filter((instant) =>
    isPicked(instant, timestampsSeconds.length),
  );
  const pods = [...table.pods.keys()].filter((pod) =>
    picked.some((instant) => table.isPresent(pod, instant)),
  );
  const axes = {
    features: table.features,
    pods: pods.map((pod) => table.pods[pod] as FeatureTable['pods'][number]),
    timestampsSeconds: Float64Array.from(picked, (instant) => timestampsSeconds[instant] as number),
  };
  return FeatureTable.fill(axes, (index, cells) => {
    picked.forEach((instant, row) => {
      cells.set(table.row(pods[index] as number, instant), row * table.features.length);
    });
  });
}

const halfAnHour = (table: FeatureTable) => pick(table, (instant, instants) => instant >= instants - 30);
const everySecond = (table: FeatureTable) =>
  pick(table, (instant, instants) => (instants - 1 - instant) % 2 === 0);

const PLANS: readonly (readonly [name: string, select: TrainingSelection])[] = [
  ['all of an hour, two earlier hours', (tables) => tables],
  ['one earlier hour', ({ window, history }) => ({ window, history: history.slice(0, 1) })],
  ['no earlier hours', ({ window }) => ({ window, history: [] })],
  [
    'half an hour, one earlier hour',
    ({ window, history }) => ({ window: halfAnHour(window), history: history.slice(0, 1) }),
  ],
  ['half an hour, no earlier hours', ({ window }) => ({ window: halfAnHour(window), history: [] })],
  ['every second minute (never chosen)', ({ window, history }) => ({ window: everySecond(window), history })],
];

/** The lines of all cases together: alerts, then ranking. */
async function evaluate(data: string, select: TrainingSelection): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'plan-'));
  try {
    const path = join(directory, 'report.txt');
    const stdout = createWriteStream(path);
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
    const { signal } = new AbortController();
    await runEvaluate({ data }, { stdout, progress: silent, signal, select });
    await new Promise((resolve) => stdout.end(resolve));
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('all cases'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const directories = process.argv.slice(2);
if (directories.length === 0) {
  console.error('Expected directories of recordings: npm run bench:plan -- DIRECTORY [DIRECTORY …]');
  process.exitCode = 2;
}
for (const data of directories) {
  console.log(data);
  for (const [name, select] of PLANS) {
    console.log(`  ${name}`);
    for (const line of await evaluate(data, select)) console.log(`    ${line}`);
  }
}
