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
import { removeDatabase, type ServerKind } from './real/database.js';
import { measureReal } from './real/scenario.js';
import { measureQueries } from './real/single-queries.js';
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
  --rounds N         rounds of each stage (default 10)

On real servers, which must be installed, beside the queries of the plain service (needs Linux):
  --prometheus       what the exporter makes a real Prometheus do (default 10000 pods)
  --victoria-metrics the same with VictoriaMetrics; both may be given
  --scrapes N        pairs of scrapes after each training, 2 to 13 (default 10)
  --trainings N      trainings after the first, at most 3 (default 2)
  --history HOURS    hours of the past to read, at most 2 (default 2)
  --queries          instead, what each query of a scrape costs alone, with and without compression
  --query PROMQL     the same for this query; may be given several times
  --remove           remove the databases afterwards, which are kept for the next time
  --json FILE        write the figures`;

/** What a file of figures holds. */
interface Figures {
  readonly node: string;
  readonly processors: string;
  readonly memoryBytes: number;
  readonly measurements: readonly Measurement[];
}

const { values: options } = parseArgs({
  options: {
    pods: { type: 'string' },
    stage: { type: 'boolean', default: false },
    processor: { type: 'boolean', default: false },
    scrape: { type: 'boolean', default: false },
    json: { type: 'string' },
    compare: { type: 'string' },
    scrapes: { type: 'string' },
    seconds: { type: 'string', default: '15' },
    trainings: { type: 'string' },
    idle: { type: 'string', default: '10' },
    history: { type: 'string' },
    rounds: { type: 'string', default: '10' },
    prometheus: { type: 'boolean', default: false },
    'victoria-metrics': { type: 'boolean', default: false },
    queries: { type: 'boolean', default: false },
    query: { type: 'string', multiple: true, default: [] },
    remove: { type: 'boolean', default: false },
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
        scrapes: Number(options.scrapes ?? 100),
        scrapeSeconds: Number(options.seconds),
        trainings,
        idleSeconds: Number(options.idle),
        historyDays: Number(options.history ?? 0),
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
  for (const pods of sizes('1000,10000')) {
    process.stderr.write(`Measuring with ${pods} pods.\n`);
    measurements.push(...(await measure(pods)));
  }
  console.log(`${machine()}\n\n${table(measurements)}`);
  keep(measurements);
}

/** The benchmark on real servers. */
async function runReal(kinds: readonly ServerKind[]): Promise<void> {
  const measurements: Measurement[] = [];
  const effort = {
    scrapes: Number(options.scrapes ?? 10),
    trainings: Number(options.trainings ?? 2),
    historyHours: Number(options.history ?? 2),
  };
  const isWithin = (value: number, least: number, most: number) => value >= least && value <= most;
  if (!isWithin(effort.scrapes, 2, 13) || !isWithin(effort.trainings, 0, 3) || !isWithin(effort.historyHours, 0, 2)) {
    throw new Error(`The databases hold four hours, which is not enough for this.\n${USAGE}`);
  }
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  console.log(machine());
  for (const pods of sizes('10000')) {
    for (const kind of kinds) {
      log(`Measuring ${kind} with ${pods} pods.`);
      if (options.queries || options.query.length > 0) {
        const single = await measureQueries(kind, pods, options.query, effort.scrapes, log);
        console.log(`\n${table(single)}`);
        measurements.push(...single);
      } else {
        const account = await measureReal(kind, pods, effort, log);
        console.log(`\n${kind}, ${pods} pods\n\n${account.table()}`);
        measurements.push(...account.measurements(kind));
      }
      if (options.remove) removeDatabase(kind, pods);
    }
  }
  keep(measurements);
}

const sizes = (usual: string) => (options.pods ?? usual).split(',').map(Number);

function machine(): string {
  const { node, processors } = figuresOf([]);
  return `Node.js ${node}, ${processors}`;
}

function figuresOf(measurements: readonly Measurement[]): Figures {
  const [processor] = cpus();
  return {
    node: process.version,
    processors: `${cpus().length} x ${processor?.model ?? 'unknown'}`,
    memoryBytes: totalmem(),
    measurements,
  };
}

/** Compares with earlier figures and writes the new ones, where that is asked for. */
function keep(measurements: readonly Measurement[]): void {
  if (options.compare !== undefined) {
    const before = JSON.parse(readFileSync(options.compare, 'utf8')) as Figures;
    console.log(`\n${comparison(before.measurements, measurements)}`);
  }
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify(figuresOf(measurements), undefined, 2)}\n`);
}

// Else the servers would go on. What was forked ends by itself.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

const kinds = (['prometheus', 'victoria-metrics'] as const).filter((kind) => options[kind]);
if (options.help) console.log(USAGE);
else if (kinds.length > 0) await runReal(kinds);
else await run();
