/**
 * Compares the forest with scikit-learn's on labelled tables: AUROC of each set, mean over seeds.
 *
 * Usage: npm run bench:tabular -- DIRECTORY
 *
 * DIRECTORY holds `<set>.csv.gz` (numeric columns, then `label`, 1 = outlier) and `sklearn_reference.json` with
 * `sets.<set>.sklearn_auroc_mean`.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { detect } from '../../src/exporter/detection/detect.js';
import type { FeatureDefinition } from '../../src/exporter/features/catalog.js';
import { FeatureTable } from '../../src/exporter/features/table.js';
import { fitModel } from '../../src/exporter/model/fit.js';
import { DEFAULT_PARAMETERS } from '../support/parameters.js';
import { areaUnderRocCurve } from '../support/roc.js';

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

interface Reference {
  readonly sets: Readonly<Record<string, { readonly sklearn_auroc_mean: number }>>;
}

function readSet(path: string): { table: FeatureTable; features: FeatureDefinition[]; labels: number[] } {
  const [header = '', ...lines] = gunzipSync(readFileSync(path)).toString('utf8').trim().split(/\r?\n/);
  const names = header.split(',').slice(0, -1);
  const rows = lines.map((line) => line.split(',').map(Number));
  const features = names.map(
    (name): FeatureDefinition => ({
      name,
      unit: '',
      help: '',
      query: '',
      podLabel: 'pod',
      type: 'gauge',
      direction: 'both',
      spreadFloor: 1,
      relativeSpreadFloor: 0,
      required: true,
    }),
  );
  return {
    features,
    labels: rows.map((row) => row[names.length] as number),
    table: new FeatureTable({
      features: names,
      pods: [{ namespace: '', pod: 'table', workload: 'table' }],
      timestampsSeconds: Float64Array.from(rows.keys()),
      values: Float64Array.from(rows.flatMap((row) => row.slice(0, names.length))),
    }),
  };
}

/** The rows of one pod as one row each of as many pods: detection scores the last instant of a table. */
function atOneInstant(table: FeatureTable): FeatureTable {
  return new FeatureTable({
    ...table,
    pods: Array.from(table.timestampsSeconds, (_, row) => ({
      namespace: '',
      pod: `row-${row}`,
      workload: 'table',
    })),
    timestampsSeconds: Float64Array.of(0),
  });
}

function run(directory: string): void {
  const reference = JSON.parse(readFileSync(join(directory, 'sklearn_reference.json'), 'utf8')) as Reference;
  const differences: number[] = [];
  console.log('set            rows  columns  scikit-learn  here     difference');
  for (const [name, { sklearn_auroc_mean: expected }] of Object.entries(reference.sets)) {
    const { table, features, labels } = readSet(join(directory, `${name}.csv.gz`));
    const areas = SEEDS.map((randomState) => {
      const model = fitModel({ window: table, history: [] }, features, {
        ...DEFAULT_PARAMETERS,
        baseline: 'cluster',
        randomState,
      });
      const built = {
        table: atOneInstant(table),
        unscored: new Map(),
        incomplete: new Map(),
        droppedSeries: new Map(),
      };
      return areaUnderRocCurve(detect(model, built).scores, labels);
    });
    const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
    differences.push(mean - expected);
    console.log(
      `${name.padEnd(13)} ${String(labels.length).padStart(6)} ${String(features.length).padStart(7)}  ` +
        `${expected.toFixed(4).padStart(12)}  ${mean.toFixed(4)}  ${(mean - expected).toFixed(4).padStart(10)}`,
    );
  }
  const average = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
  const largest = Math.max(...differences.map(Math.abs));
  console.log(`average difference ${average.toFixed(4)}, largest ${largest.toFixed(4)}`);
}

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  console.error('Expected the directory of the labelled tables: npm run bench:tabular -- DIRECTORY');
  process.exitCode = 2;
} else run(directory);
