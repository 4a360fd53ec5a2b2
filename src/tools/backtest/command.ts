/** `backtest`: replays history, and tells what the alerts would have been. */

import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../exporter/config/environment.js';
import { parseSettings } from '../../exporter/config/parse.js';
import type { Settings } from '../../exporter/config/settings.js';
import { type ShardFlags, withShardFlags } from '../../exporter/config/sharding-rules.js';
import { describeSource, openPrometheus } from '../../exporter/connect.js';
import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import { requireSoundQueries } from '../../exporter/features/queries/check-features.js';
import type { FeatureSet } from '../../exporter/features/queries/feature-file.js';
import { loadFeatures } from '../../exporter/features/queries/feature-file.js';
import { addMatchers } from '../../exporter/features/queries/matchers.js';
import type { OwnerQueries } from '../../exporter/features/workload.js';
import type { PrometheusApi } from '../../exporter/prometheus/api.js';
import { parseBaseUrl } from '../../exporter/prometheus/url.js';
import { TRAINING_REQUEST_TIMEOUT_SECONDS } from '../../exporter/training/job.js';
import { modelParameters } from '../../exporter/training/request.js';
import { runsBetween } from '../../exporter/training/schedule.js';
import { VERSION } from '../../exporter/version.js';
import { withDeadline } from '../../lib/deadline.js';
import { UsageError } from '../../lib/usage-error.js';
import { SHIPPED_FOR_SECONDS } from '../replay/alerts.js';
import { Fetcher } from '../replay/fetch.js';
import { MINUTE_SECONDS } from '../replay/plan.js';
import { createProgress, type Progress, type ProgressOutput } from '../replay/progress.js';
import { hasClosedRanges } from '../replay/range-semantics.js';
import { chosenOf, parseSensitivities } from '../replay/sensitivities.js';
import { politeApi } from '../replay/throttled-api.js';
import { type ChunkStore, directoryStore, fingerprintOf, memoryStore } from './checkpoint.js';
import { describeEstimate, type Estimate, type Survey, surveyHistory } from './estimate.js';
import { FIRING_ALERTS_QUERY } from './existing-alerts.js';
import { collectPlots, featuresOf } from './plots.js';
import { type BacktestReport, makeReport } from './report.js';
import { reportHtml } from './report-html.js';
import { reportText } from './report-text.js';
import { type BacktestOutcome, BacktestStopped, runBacktest } from './run.js';
import { formatInstant, parseDuration, parseInstant } from './time-range.js';

/** What is asked on the command line. */
export interface BacktestOptions extends ShardFlags {
  /** First instant; two weeks ago by default, or as far as history goes. */
  readonly start?: string | undefined;
  /** Last instant; by default now, less the offset of queries. */
  readonly end?: string | undefined;
  /** Sensitivities to compare, with commas between them. */
  readonly sensitivity?: string | undefined;
  /** How long a pod must misbehave before its alert. */
  readonly for?: string | undefined;
  /** Messages a day that you are ready to read. */
  readonly budget: number;
  /** Whether the metrics that the exporter would have exposed are written as well. */
  readonly metrics: boolean;
  /** Directory for the report, the metrics, and what is done so far. */
  readonly output?: string | undefined;
}

/** What the command needs of its surroundings. */
export interface BacktestSurroundings {
  readonly environment: Environment;
  /** For the report. */
  readonly stdout: Writable;
  /** For estimate, progress and notes; a bar where it is a terminal. */
  readonly progress: ProgressOutput;
  /** Ends the backtest early. */
  readonly signal: AbortSignal;
}

const DEFAULT_START = '-14d';

/** Sensitivities to compare where none are asked for, as multiples of the set one. */
const DEFAULT_FACTORS = [0.75, 1, 1.5];

/** Requests at the same time: a guest's share. */
const CONCURRENCY = 2;

/** The interval of a schedule is determined from its runs in this time. */
const SCHEDULE_LOOKBACK_SECONDS = 26 * 3600;

/** The labels of a scrape of the exporter, so that dashboard and rules find what is loaded. */
const TARGET_LABELS = { job: 'k8s-anomaly-detector', instance: 'backtest' };

/** What was asked, checked. */
interface Plan {
  readonly settings: Settings;
  readonly features: readonly FeatureDefinition[];
  readonly ownerQueries: OwnerQueries;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly sensitivities: readonly number[];
  readonly chosen: number;
  readonly forSeconds: number;
  readonly budgetPerDay: number;
}

/**
 * Runs the backtest and writes the report.
 *
 * @throws {UsageError} when it is asked for wrongly.
 * @throws {DataError} when there is no history.
 * @throws {PrometheusError} when Prometheus does not answer.
 */
export async function runBacktestCommand(
  options: BacktestOptions,
  surroundings: BacktestSurroundings,
): Promise<void> {
  const { signal } = surroundings;
  try {
    await backtest(options, surroundings);
  } catch (error) {
    if (!signal.aborted || error instanceof InterruptedError) throw error;
    // Before the first piece and after the last there is nothing to report.
    throw new InterruptedError(`Stopped on ${String(signal.reason)}, before the report.`, { cause: error });
  }
}

/** The signal came first. The message says how to go on. */
class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

async function backtest(options: BacktestOptions, surroundings: BacktestSurroundings): Promise<void> {
  const { environment, stdout, progress: output, signal } = surroundings;
  const { settings, warnings } = parseSettings(withShardFlags(environment, options));
  const say = (text: string) => void output.write(`${text}\n`);
  for (const warning of warnings) say(warning);
  const featureSet = await loadFeatures(settings.featuresFile, settings);
  const asked = planOf(options, settings, featureSet, Date.now() / 1000);
  const prometheus = openPrometheus(settings, featureSet, {
    onWarning: say,
    now: () => asked.endSeconds * 1000,
    windowSeconds: asked.endSeconds - asked.startSeconds + settings.trainingLookbackMinutes * 60,
  });
  const limited = withDeadline(signal, TRAINING_REQUEST_TIMEOUT_SECONDS);
  await requireSoundQueries(prometheus.api, featureSet, asked.endSeconds, limited);
  const progress = createProgress(output, Date.now);
  const api = politeApi(prometheus.api, {
    concurrency: CONCURRENCY,
    timeoutSeconds: TRAINING_REQUEST_TIMEOUT_SECONDS,
    sleep: (seconds, until) => sleep(seconds * 1000, undefined, until && { signal: until }),
    onWait: (seconds, reason) => {
      progress.end();
      say(`Waiting ${seconds} s. ${reason.message}`);
    },
  });
  const survey = await surveyHistory(
    new Fetcher(api),
    asked.features,
    asked.startSeconds,
    asked.endSeconds,
    signal,
  );
  const plan = boundedPlan(asked, survey, say);
  const store = await openStore(options, plan, describeSource(prometheus.source), say);
  const outcome = await replay(plan, survey, { api, store, progress, say, signal, options });
  const report = makeReport({
    generatedSeconds: Date.now() / 1000,
    programVersion: VERSION,
    prometheus: parseBaseUrl(settings.prometheusUrl).display,
    startSeconds: plan.startSeconds,
    endSeconds: plan.endSeconds,
    settings: settingsOf(settings),
    rules: { forSeconds: plan.forSeconds, closedRanges: await hasClosedRanges(api, plan.endSeconds, signal) },
    sensitivities: plan.sensitivities,
    chosen: plan.chosen,
    budgetPerDay: plan.budgetPerDay,
    chunks: outcome.results,
    existing: outcome.existing,
    notes: outcome.notes,
  });
  const written =
    options.output === undefined
      ? []
      : await writeOutputs(options.output, options.metrics, report, outcome, store);
  stdout.write(reportText(report, written));
}

function planOf(
  options: BacktestOptions,
  settings: Settings,
  { features, ownerQueries }: FeatureSet,
  nowSeconds: number,
): Plan {
  const minute = (seconds: number) => Math.floor(seconds / MINUTE_SECONDS) * MINUTE_SECONDS;
  const endSeconds = minute(
    options.end === undefined
      ? nowSeconds - settings.queryOffsetSeconds
      : parseInstant('--end', options.end, nowSeconds),
  );
  const startSeconds = minute(parseInstant('--start', options.start ?? DEFAULT_START, nowSeconds));
  if (endSeconds > nowSeconds) {
    throw new UsageError(`--end: expected an instant of the past, got ${formatInstant(endSeconds)}.`);
  }
  if (startSeconds >= endSeconds) {
    throw new UsageError(
      `Expected --start before --end, got ${formatInstant(startSeconds)} and ${formatInstant(endSeconds)}.`,
    );
  }
  const sensitivities = sensitivitiesOf(options.sensitivity, settings);
  const forSeconds = options.for === undefined ? SHIPPED_FOR_SECONDS : parseDuration('--for', options.for);
  if (forSeconds % 30 !== 0 || forSeconds > 3600) {
    throw new UsageError(`--for: expected a multiple of 30s up to 1h, got "${options.for}". Example: 5m`);
  }
  return {
    settings,
    features,
    ownerQueries,
    startSeconds,
    endSeconds,
    sensitivities,
    chosen: chosenOf(sensitivities, settings.sensitivity),
    forSeconds,
    budgetPerDay: options.budget,
  };
}

function sensitivitiesOf(text: string | undefined, { sensitivity }: Settings): readonly number[] {
  if (text !== undefined) return parseSensitivities(text);
  const around = DEFAULT_FACTORS.map((factor) => Number((factor * sensitivity).toPrecision(3)));
  return around.filter((value) => value >= 1 && value <= 40);
}

/** The plan for as much of the range as there is history. */
function boundedPlan(plan: Plan, { firstSeconds }: Survey, say: (text: string) => void): Plan {
  if (firstSeconds <= plan.startSeconds) return plan;
  say(
    `Prometheus has no data from ${formatInstant(plan.startSeconds)} on: the replay begins with its first data, at ` +
      `${formatInstant(firstSeconds)}.`,
  );
  return { ...plan, startSeconds: firstSeconds };
}

async function openStore(
  { output, metrics }: BacktestOptions,
  plan: Plan,
  source: readonly string[],
  say: (text: string) => void,
): Promise<ChunkStore> {
  if (output === undefined) return memoryStore();
  const { settings, features, ownerQueries, sensitivities, chosen } = plan;
  const fingerprint = fingerprintOf({
    version: VERSION,
    prometheus: source,
    features,
    ownerQueries,
    settings: settingsOf(settings),
    sensitivities,
    chosen,
    targetLabels: TARGET_LABELS,
  });
  try {
    return await directoryStore(output, fingerprint, metrics, say);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--output: expected a directory to write to, got ${output} (${reason}).`);
  }
}

/** All settings that shape a replay. */
function settingsOf(settings: Settings): Readonly<Record<string, string | number>> {
  return {
    PROMETHEUS_MATCHERS: settings.matchers,
    NAMESPACE_REGEX: settings.namespaceRegex,
    POD_LABEL: settings.podLabel,
    SHARD: settings.shard ?? 0,
    TOTAL_SHARDS: settings.totalShards,
    CPU_RATE_WINDOW: settings.cpuRateWindow,
    TRAINING_LOOKBACK_MINUTES: settings.trainingLookbackMinutes,
    QUERY_STEP_SECONDS: settings.queryStepSeconds,
    RETRAIN_SCHEDULE: settings.retrainSchedule,
    RETRAIN_TIMEZONE: settings.retrainTimezone,
    BASELINE: settings.baseline,
    IFOREST_N_ESTIMATORS: settings.estimators,
    IFOREST_MAX_SAMPLES: settings.maxSamples,
    IFOREST_CONTAMINATION: settings.contamination,
    IFOREST_RANDOM_STATE: settings.randomState,
    EXPLAIN: settings.explain,
    FEATURES_FILE: settings.featuresFile,
  };
}

interface ReplaySurroundings {
  readonly api: PrometheusApi;
  readonly store: ChunkStore;
  readonly progress: Progress;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** To tell how to go on. */
  readonly options: BacktestOptions;
}

async function replay(
  plan: Plan,
  survey: Survey,
  { api, store, progress, say, signal, options }: ReplaySurroundings,
): Promise<BacktestOutcome> {
  const { settings, startSeconds, endSeconds, sensitivities, chosen, features, ownerQueries } = plan;
  const request = {
    startSeconds,
    endSeconds,
    parameters: {
      features,
      ownerQueries,
      model: modelParameters(settings),
      sensitivities,
      chosen,
      lookbackSeconds: settings.trainingLookbackMinutes * 60,
      stepSeconds: settings.queryStepSeconds,
    },
    trainingTimes: trainingTimes(plan),
    alertsQuery: addMatchers(FIRING_ALERTS_QUERY, settings.matchers),
    openMetrics: {
      targetLabels: TARGET_LABELS,
      explain: settings.explain,
      version: VERSION,
    },
    threads: availableParallelism(),
  };
  const observer = {
    estimated: (estimate: Estimate) => say(describeEstimate(estimate)),
    progress: (share: number, what: string) => progress.show(share, what),
    chunkDone: (chunk: { startSeconds: number; endSeconds: number }, done: number, all: number) =>
      progress.caseDone(
        `${done} of ${all} pieces done: ${formatInstant(chunk.startSeconds)} to ${formatInstant(chunk.endSeconds)}`,
      ),
  };
  try {
    const clockSeconds = () => Date.now() / 1000;
    return await runBacktest(request, survey, { api, store, observer, clockSeconds, signal });
  } catch (error) {
    if (error instanceof BacktestStopped) {
      throw new InterruptedError(interruption(error, plan, options, signal), { cause: error });
    }
    throw error;
  } finally {
    progress.end();
  }
}

/** The trainings of the range, and the last ones before it. */
function trainingTimes({ settings, startSeconds, endSeconds }: Plan): readonly number[] {
  const all = runsBetween(
    settings.retrainSchedule,
    settings.retrainTimezone,
    startSeconds - SCHEDULE_LOOKBACK_SECONDS,
    endSeconds - MINUTE_SECONDS,
  );
  const lastBefore = all.findLastIndex((time) => time < startSeconds);
  return all.slice(Math.max(0, lastBefore));
}

function interruption(
  { done, all }: BacktestStopped,
  plan: Plan,
  options: BacktestOptions,
  signal: AbortSignal,
): string {
  const stopped = `Stopped on ${String(signal.reason)}, before the report: ${done} of ${all} pieces are done.`;
  if (options.output === undefined) return `${stopped} With --output DIR, what is done would have been kept.`;
  return (
    `${stopped} They are kept in ${options.output}. To go on, run this with the same settings:\n` +
    `  node dist/src/main.js ${resumption(options, plan).map(quoted).join(' ')}`
  );
}

/** The arguments that were given, with instants in place of what counts back from now. */
function resumption(options: BacktestOptions, { startSeconds, endSeconds, budgetPerDay }: Plan): string[] {
  const { sensitivity, for: duration, metrics, output, shard, totalShards } = options;
  return [
    ...['backtest', '--start', formatInstant(startSeconds), '--end', formatInstant(endSeconds)],
    ...(sensitivity === undefined ? [] : ['--sensitivity', sensitivity]),
    ...(duration === undefined ? [] : ['--for', duration]),
    ...['--budget', String(budgetPerDay)],
    ...(output === undefined ? [] : ['--output', output]),
    ...(metrics ? [] : ['--no-metrics']),
    ...(shard === undefined ? [] : ['--shard', shard]),
    ...(totalShards === undefined ? [] : ['--total-shards', totalShards]),
  ];
}

/** An argument as a POSIX shell takes it. */
function quoted(argument: string): string {
  return /^[\w./:,+@=-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** @returns a line for each kind of file. */
async function writeOutputs(
  output: string,
  metrics: boolean,
  report: BacktestReport,
  { chunks, results }: BacktestOutcome,
  store: ChunkStore,
): Promise<string[]> {
  await store.keepMetricsOf(chunks);
  const plots = await collectPlots(report, chunks, results, store);
  const page = join(output, 'report.html');
  const json = join(output, 'report.json');
  await writeFile(page, reportHtml(report, plots, featuresOf(results)));
  await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
  const loadable = `${join(output, 'metrics', '*.om')}  the metrics that would have been, for promtool tsdb create-blocks-from openmetrics`;
  return [`${page}  this report with plots`, `${json}  every number`, ...(metrics ? [loadable] : [])];
}
