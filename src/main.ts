#!/usr/bin/env node
/**
 * The command line. Only this file reads arguments, environment and signals, and decides how the process ends.
 *
 * A command is loaded when it is asked for: the service needs neither the simulator nor the evaluation, and a
 * container's health check runs every half minute.
 */

import { once } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import type { CheckOptions } from './exporter/check/command.js';
import { settingsHelp } from './exporter/config/help.js';
import { parseSettings } from './exporter/config/parse.js';
import { type ShardFlags, withShardFlags } from './exporter/config/sharding-rules.js';
import { VERSION } from './exporter/version.js';
import { messageOf } from './lib/logging/message-of.js';
import { UsageError } from './lib/usage-error.js';
import type { BacktestOptions } from './tools/backtest/plan.js';
import type { DemoOptions } from './tools/demo/command.js';
import type { EvaluateOptions } from './tools/lab/evaluate.js';
import { FEWEST_DAYS, FEWEST_PODS } from './tools/lab/fleet/limits.js';
import type { SimulateFleetOptions } from './tools/lab/fleet/write-fleet.js';

/** Conventional statuses: 1 the work failed, 2 it was asked for wrongly. */
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** Kubernetes kills after 30 s by default; an orderly shutdown has to be over well before. */
const SHUTDOWN_LIMIT_MILLISECONDS = 9_500;

/** How long an ending waits for readers of the output, after a signal and where the service ends. */
const FLUSH_LIMIT_MILLISECONDS = 1_000;

/** As of a process that SIGPIPE ends. */
const EXIT_NO_READER = 141;

/** What of the end of this process is known. Readers may take their time, as `less` does, until somebody is in a hurry. */
const ending = { isDone: false, isUrgent: false };

function endSoon(change: Partial<typeof ending>): void {
  Object.assign(ending, change);
  if (ending.isDone && ending.isUrgent) setTimeout(() => process.exit(), FLUSH_LIMIT_MILLISECONDS).unref();
}

/** Without listeners, a reader that leaves would end the process with the stack of an error. */
function watchReaders(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.stderr.write(`Cannot write to standard output: ${messageOf(error)}\n`);
    process.exit(error.code === 'EPIPE' ? EXIT_NO_READER : EXIT_FAILURE);
  });
  // Logs and progress: the work does not depend on who reads them.
  process.stderr.on('error', () => {});
}

/** Aborted at the first SIGTERM or SIGINT. A second one ends the process at once, as without a handler. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const names = ['SIGTERM', 'SIGINT'] as const;
  const stop = (name: NodeJS.Signals) => {
    for (const each of names) process.removeListener(each, stop);
    controller.abort(name);
    endSoon({ isUrgent: true });
  };
  for (const name of names) process.on(name, stop);
  return controller.signal;
}

async function serve(flags: ShardFlags): Promise<void> {
  // Before the rest is loaded: the first process of a container does not hear a signal that it has no handler for.
  const stop = stopSignal();
  endSoon({ isUrgent: true });
  const { settings, warnings } = parseSettings(withShardFlags(process.env, flags));
  const [{ createLogger }, { startService }] = await Promise.all([
    import('./lib/logging/logger.js'),
    import('./exporter/serve.js'),
  ]);
  const logger = createLogger({ level: settings.logLevel, format: settings.logFormat });
  for (const warning of warnings) logger.warn({}, warning);
  const service = await startService(settings, logger);
  if (!stop.aborted) await once(stop, 'abort');
  logger.info({}, `Stopping on ${String(stop.reason)}.`);
  setTimeout(() => {
    logger.error({}, 'The service did not stop in time.');
    process.exit(EXIT_FAILURE);
  }, SHUTDOWN_LIMIT_MILLISECONDS).unref();
  await service.close();
  logger.info({}, 'Stopped.');
}

/** A number within bounds, for commander. */
const numberBetween =
  (minimum: number, maximum: number, isWhole = false) =>
  (text: string): number => {
    const value = Number(text);
    const isInside = text.trim() !== '' && value >= minimum && value <= maximum;
    if (isInside && (!isWhole || Number.isInteger(value))) return value;
    const what = isInside ? 'a whole number' : 'a number';
    throw new InvalidArgumentError(`Expected ${what} from ${minimum} to ${maximum}.`);
  };

const wholeNumberBetween = (minimum: number, maximum: number) => numberBetween(minimum, maximum, true);

/** Adds what a command has that reads the settings of the exporter. */
const withSettings = (command: Command): Command =>
  command
    .option('--shard <ordinal>', 'as SHARD')
    .option('--total-shards <number>', 'as TOTAL_SHARDS')
    .addHelpText('after', () => `\n${settingsHelp()}`);

const program = new Command('k8s-anomaly-detector')
  .description('A Prometheus exporter that says which Kubernetes pods misbehave.')
  .version(VERSION)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE));

withSettings(program.command('serve', { isDefault: true }).description('Run the exporter (the default).')).action(
  serve,
);

program
  .command('healthcheck')
  .description('Ask a running exporter with the same settings whether it is alive; status 0 if so, else 1.')
  .action(async () => {
    const { settings } = parseSettings(process.env);
    const { runHealthcheck } = await import('./exporter/healthcheck.js');
    return runHealthcheck(settings);
  });

withSettings(
  program
    .command('check')
    .description('Tell whether Prometheus has what the exporter needs; status 1 with warnings, 2 with errors.')
    .option('--json', 'write the findings as JSON', false),
).action(async (options: CheckOptions) => {
  // A check that fails is no warning.
  process.exitCode = EXIT_USAGE;
  const { runCheck } = await import('./exporter/check/command.js');
  process.exitCode = await runCheck(options, {
    stdout: process.stdout,
    environment: process.env,
    signal: stopSignal(),
  });
});

program
  .command('demo')
  .description('Run the exporter on a simulated cluster that has days of history, with incidents to find.')
  .option('--port <number>', 'port of the exporter, 0 takes a free one', wholeNumberBetween(0, 65535), 8000)
  .option('--speed <factor>', 'how many times faster the incidents begin and grow', numberBetween(0.1, 20), 1)
  .option(
    '--prometheus-port <number>',
    'port of the simulated Prometheus, 0 takes a free one',
    wholeNumberBetween(0, 65535),
    0,
  )
  .option('--prometheus', 'run a real Prometheus between the cluster and the exporter', false)
  .action(async (options: DemoOptions) => {
    const { runDemo } = await import('./tools/demo/command.js');
    return runDemo(options, { stdout: process.stdout, signal: stopSignal(), environment: process.env });
  });

program
  .command('evaluate')
  .description('Measure the detector on recordings with known faults.')
  .requiredOption('--data <directory>', 'recordings (*.csv, *.csv.gz) and labels.json')
  .option('--scores <file>', 'write every score, compressed when the name ends in .gz')
  .option('--json <file>', 'write the report as JSON')
  .option('--html <file>', 'write the report as a page, with a plot of messages against caught faults')
  .option('--budget <messages>', 'as ALERT_BUDGET_PER_DAY', numberBetween(0.1, 1000))
  .option('--baseline <kind>', 'as BASELINE')
  .option('--sensitivity <spreads>', 'values of ANOMALY_SENSITIVITY to compare, such as 3,4,6')
  .option('--seed <number>', 'as IFOREST_RANDOM_STATE', Number)
  .option('--learn <hours>', 'hours at the start of each recording that are only learned from', numberBetween(1, 2400))
  .option('--columns <names>', 'further columns to use as features, with commas between them')
  .action(async (options: EvaluateOptions) => {
    const { runEvaluate } = await import('./tools/lab/evaluate.js');
    return runEvaluate(options, { stdout: process.stdout, progress: process.stderr, signal: stopSignal() });
  });

program
  .command('simulate')
  .description('Write the recording of a simulated fleet over days, with known faults, to evaluate on.')
  .requiredOption('--output <directory>', 'where to write')
  .option('--seed <number>', 'another seed, another fleet', wholeNumberBetween(0, 4294967295), 1)
  .option('--days <days>', 'how long: the last two days have faults', wholeNumberBetween(FEWEST_DAYS, 60), 9)
  .option('--pods <number>', 'pods at a time', wholeNumberBetween(FEWEST_PODS, 10_000), 240)
  .option('--incident', 'some faults happen in the days to learn from as well', false)
  .option('--lasting', 'some levels change for good, and some faults last for more than a day', false)
  .option('--outage', 'all workloads do nearly nothing at once, for half an hour or more', false)
  .option('--jobs', 'a job runs inside the pods of some workloads once a day', false)
  .option('--start <date>', 'first day, such as 2026-03-23 (default: depends on the seed)')
  .action(async (options: SimulateFleetOptions) => {
    const { runSimulateFleet } = await import('./tools/lab/fleet/write-fleet.js');
    await runSimulateFleet(options, { stdout: process.stdout, signal: stopSignal() });
  });

withSettings(
  program
    .command('backtest')
    .description('Replay history from Prometheus, and report which alerts the rules would have sent.')
    .option('--start <instant>', 'RFC 3339, Unix seconds, now, or back from now such as -14d (default: -14d)')
    .option('--end <instant>', 'as --start (default: now, less PROMETHEUS_QUERY_OFFSET_SECONDS)')
    .option('--sensitivity <spreads>', 'values of ANOMALY_SENSITIVITY to compare, such as 3,4,6')
    .option('--for <duration>', 'for how long an anomaly must be read as lasting (default: 90s, as in the rules)')
    .option(
      '--budget <messages>',
      'messages a day that you are ready to read, as ALERT_BUDGET_PER_DAY',
      numberBetween(0.1, 1000),
    )
    .option('--output <directory>', 'where to write the report and the metrics, and keep what is done so far')
    .option('--no-metrics', 'do not write the metrics that the exporter would have exposed, which are large'),
).action(async (options: BacktestOptions) => {
  const { runBacktestCommand } = await import('./tools/backtest/command.js');
  return runBacktestCommand(options, {
    environment: process.env,
    stdout: process.stdout,
    progress: process.stderr,
    signal: stopSignal(),
  });
});

program.addHelpText('after', () => `\n${settingsHelp()}`);

watchReaders();
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode ??= error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE;
}
endSoon({ isDone: true });
