/**
 * Measures the exporter on simulated clusters of several sizes: `npm run bench -- --help`.
 *
 * Nothing else should run meanwhile; what is measured are times of the wall.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { startChild } from './children.js';
import type { Measurement } from './measurement.js';
import { comparison, table } from './report.js';
import { measureExporter } from './scenarios.js';

const USAGE = `Usage: npm run bench -- [options]
  --pods LIST        sizes of the cluster, with commas between them (default 1000,10000)
  --stage            measure only the stages of a scrape one by one
  --processor        the stages in processor time, which other work on the machine changes little
  --scrape           measure only the exporter as a whole
  --json FILE        write the figures
  --compare FILE     compare with figures that were written before
  --scrapes N        scrapes of each kind (default 100)
  --seconds S        longest time for the scrapes of each kind (default 15)
  --trainings N      trainings (default 3; 1 for more than 50000 pods)
  --idle S           seconds of rest to measure (default 10)
  --history DAYS     also read this many days, at least 2, and scrape with a model that knows them (default 0)
  --rounds N         rounds of each stage (default 10)`;

/** What a file of figures holds. */
interface Figures {
  readonly node: string;
  readonly processors: string;
  readonly memoryBytes: number;
  readonly measurements: readonly Measurement[];
}

const { values: options } = parseArgs({
  options: {
    pods: { type: 'string', default: '1000,10000' },
    stage: { type: 'boolean', default: false },
    processor: { type: 'boolean', default: false },
    scrape: { type: 'boolean', default: false },
    json: { type: 'string' },
    compare: { type: 'string' },
    scrapes: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '15' },
    trainings: { type: 'string' },
    idle: { type: 'string', default: '10' },
    history: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
});

async function measure(pods: number): Promise<Measurement[]> {
  const prometheus = await startChild<{ url: string }>('prometheus.js', [String(pods)], ['--max-old-space-size=8192']);
  const { url } = prometheus.first;
  const found: Measurement[] = [];
  try {
    if (!options.stage) {
      const trainings = Number(options.trainings ?? (pods > 50_000 ? 1 : 3));
      const effort = {
        scrapes: Number(options.scrapes),
        scrapeSeconds: Number(options.seconds),
        trainings,
        idleSeconds: Number(options.idle),
        historyDays: Number(options.history),
      };
      found.push(...(await measureExporter(url, pods, effort)));
    }
    if (!options.scrape) {
      const parameters = [String(pods), url, options.rounds, options.processor ? 'processor' : 'wall'];
      const stages = await startChild<Measurement[]>('stages.js', parameters, ['--max-old-space-size=8192']);
      await stages.stop();
      found.push(...stages.first);
    }
  } finally {
    await prometheus.stop();
  }
  return found;
}

async function run(): Promise<void> {
  const measurements: Measurement[] = [];
  for (const pods of options.pods.split(',').map(Number)) {
    process.stderr.write(`Measuring with ${pods} pods.\n`);
    measurements.push(...(await measure(pods)));
  }
  const [processor] = cpus();
  const figures: Figures = {
    node: process.version,
    processors: `${cpus().length} x ${processor?.model ?? 'unknown'}`,
    memoryBytes: totalmem(),
    measurements,
  };
  console.log(`Node.js ${figures.node}, ${figures.processors}\n\n${table(measurements)}`);
  if (options.compare !== undefined) {
    const before = JSON.parse(readFileSync(options.compare, 'utf8')) as Figures;
    console.log(`\n${comparison(before.measurements, measurements)}`);
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(figures, undefined, 2)}\n`);
}

if (options.help) console.log(USAGE);
else await run();
