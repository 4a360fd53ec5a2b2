/** `backtest`: replays history, and tells what the alerts would have been. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseSettings } from '../../exporter/config/parse.js';
import type { Environment } from '../../exporter/config/settings.js';
import { withShardFlags } from '../../exporter/config/sharding-rules.js';
import { describeSource, openPrometheus } from '../../exporter/connect.js';
import { requireSoundQueries } from '../../exporter/features/queries/check-features.js';
import { loadFeatures } from '../../exporter/features/queries/feature-file.js';
import { parseBaseUrl } from '../../exporter/prometheus/url.js';
import { TRAINING_REQUEST_TIMEOUT_SECONDS } from '../../exporter/training/job.js';
import { loadTuningFile } from '../../exporter/tuning/tuning-file.js';
import { VERSION } from '../../exporter/version.js';
import { withDeadline } from '../../lib/deadline.js';
import { messageOf } from '../../lib/logging/message-of.js';
import { UsageError } from '../../lib/usage-error.js';
import { Fetcher } from '../replay/fetch.js';
import { createProgress, type ProgressOutput } from '../replay/progress.js';
import { hasClosedRanges } from '../replay/range-semantics.js';
import { politeApi } from '../replay/throttled-api.js';
import { type ChunkStore, directoryStore, fingerprintOf, memoryStore } from './checkpoint.js';
import { surveyHistory } from './estimate.js';
import { type BacktestOptions, type BacktestPlan, commandLine, planOf, replaySettings } from './plan.js';
import { collectPlots, featuresOf } from './plots.js';
import { type BacktestReport, makeReport } from './report.js';
import { reportHtml } from './report-html.js';
import { reportText } from './report-text.js';
import { type BacktestOutcome, InterruptedError, runBacktest, TARGET_LABELS } from './run.js';
import { formatInstant } from './time-range.js';

export interface BacktestSurroundings {
  readonly environment: Environment;
  readonly stdout: Writable;
  /** For estimate, progress and notes; a bar where it is a terminal. */
  readonly progress: ProgressOutput;
  readonly signal: AbortSignal;
}

const DAY_SECONDS = 86_400;

/** Requests at the same time: a guest's share. */
const CONCURRENCY = 2;

/**
 * Runs the backtest and writes the report.
 *
 * @throws {UsageError} when an option is invalid.
 * @throws {DataError} when there is no history.
 * @throws {PrometheusError} when Prometheus does not answer.
 */
export async function runBacktestCommand(options: BacktestOptions, surroundings: BacktestSurroundings): Promise<void> {
  const { signal } = surroundings;
  try {
    await backtest(options, surroundings);
  } catch (error) {
    if (!signal.aborted || error instanceof InterruptedError) throw error;
    // Before the first piece and after the last there is nothing to report.
    throw new InterruptedError(`Stopped on ${String(signal.reason)}, before the report.`, { cause: error });
  }
}

async function backtest(options: BacktestOptions, surroundings: BacktestSurroundings): Promise<void> {
  const { environment, stdout, progress: output, signal } = surroundings;
  const budget = options.budget && { ALERT_BUDGET_PER_DAY: options.budget.toString() };
  const { settings, warnings } = parseSettings({ ...withShardFlags(environment, options), ...budget });
  const say = (text: string) => void output.write(`${text}\n`);
  for (const warning of warnings) say(warning);
  const featureSet = await loadFeatures(settings.featuresFile, settings);
  const { rules } = await loadTuningFile(settings.tuningFile);
  const asked = planOf(options, settings, featureSet, rules, Date.now() / 1000);
  const { startSeconds, endSeconds } = asked;
  const prometheus = openPrometheus(settings, featureSet, {
    onWarning: say,
    now: () => endSeconds * 1000,
    windowSeconds:
      endSeconds - startSeconds + Math.max(settings.trainingLookbackMinutes * 60, settings.historyDays * DAY_SECONDS),
  });
  const limited = withDeadline(signal, TRAINING_REQUEST_TIMEOUT_SECONDS);
  await requireSoundQueries(prometheus.api, featureSet, endSeconds, limited);
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
  const survey = await surveyHistory(new Fetcher(api), asked.features, startSeconds, endSeconds, signal);
  const plan = { ...asked, startSeconds: Math.max(startSeconds, survey.firstSeconds) };
  if (plan.startSeconds > startSeconds) {
    say(
      `Prometheus has no data from ${formatInstant(startSeconds)} on: the replay begins with its first data, at ` +
        `${formatInstant(plan.startSeconds)}.`,
    );
  }
  const store = await openStore(options, plan, describeSource(prometheus.source), say);
  const afterStop =
    options.output === undefined
      ? 'With --output DIR, what is done would have been kept.'
      : `They are kept in ${options.output}. To go on, run this with the same settings:\n  ${commandLine(options, plan)}`;
  const outcome = await runBacktest(plan, survey, { api, store, progress, say, signal, afterStop });
  const report = makeReport({
    generatedSeconds: Date.now() / 1000,
    programVersion: VERSION,
    prometheus: parseBaseUrl(settings.prometheusUrl).display,
    startSeconds: plan.startSeconds,
    endSeconds,
    settings: replaySettings(settings),
    rules: { forSeconds: plan.forSeconds, closedRanges: await hasClosedRanges(api, endSeconds, signal) },
    sensitivities: plan.sensitivities,
    chosen: plan.chosen,
    budgetPerDay: settings.alertBudgetPerDay,
    chunks: outcome.results,
    existing: outcome.existing,
    notes: outcome.notes,
  });
  stdout.write(reportText(report, await writeOutputs(options, report, outcome, store)));
}

async function openStore(
  { output, metrics }: BacktestOptions,
  { settings, features, ownerQueries, tuningRules, sensitivities, chosen }: BacktestPlan,
  source: readonly string[],
  say: (text: string) => void,
): Promise<ChunkStore> {
  if (output === undefined) return memoryStore();
  const fingerprint = fingerprintOf({
    version: VERSION,
    prometheus: source,
    features,
    ownerQueries,
    tuningRules,
    settings: replaySettings(settings),
    sensitivities,
    chosen,
    targetLabels: TARGET_LABELS,
  });
  try {
    return await directoryStore(output, fingerprint, metrics, say);
  } catch (error) {
    throw new UsageError(`--output: expected a directory to write to, got ${output} (${messageOf(error)}).`);
  }
}

/** @returns a line for each kind of file. */
async function writeOutputs(
  { output, metrics }: BacktestOptions,
  report: BacktestReport,
  { chunks, results }: BacktestOutcome,
  store: ChunkStore,
): Promise<string[]> {
  if (output === undefined) return [];
  await store.keepMetricsOf(chunks);
  const plots = await collectPlots(report, chunks, results, store);
  const page = join(output, 'report.html');
  const json = join(output, 'report.json');
  await writeFile(page, reportHtml(report, plots, featuresOf(results)));
  await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
  const loadable = `${join(output, 'metrics', '*.om')}  the metrics that would have been, for promtool tsdb create-blocks-from openmetrics`;
  return [`${page}  this report with plots`, `${json}  every number`, ...(metrics ? [loadable] : [])];
}
