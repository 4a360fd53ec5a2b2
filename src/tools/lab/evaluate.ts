/** `evaluate`: measures the detector on recordings with known faults. */

import type { FileHandle } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Writable } from 'node:stream';
import { parseSettings } from '../../exporter/config/parse.js';
import { modelParameters } from '../../exporter/training/job.js';
import { DataError, UsageError } from '../../lib/usage-error.js';
import type { ChunkResult } from '../replay/chunk-result.js';
import { ThreadPool } from '../replay/pool.js';
import { createProgress, type Progress, type ProgressOutput } from '../replay/progress.js';
import { historyDaysOf, type ReplayParameters } from '../replay/replay.js';
import { chosenOf, parseSensitivities } from '../replay/sensitivities.js';
import { type Case, minuteOf } from './case.js';
import { type Counts, count } from './counts.js';
import { type Descriptions, readDescriptions } from './description.js';
import { type FinishedCase, resultOf, summaryOf } from './evaluation.js';
import { type Labels, readLabels } from './labels.js';
import { parseAdditionalColumns } from './layout.js';
import { type LevelChange, readLevelChanges } from './level-changes.js';
import { tallyCase } from './measures.js';
import { nabCaseOf } from './nab.js';
import { type OnCallTally, tallyOnCall } from './on-call.js';
import { type CaseFile, listCases, readCase } from './read-case.js';
import { OWNER_QUERIES, piecesOf, RETRAIN_SECONDS } from './recorded-history.js';
import { reportText } from './report.js';
import { reportHtml } from './report-html.js';
import { reportJson } from './report-json.js';
import { addPiece, type CaseScores, emptyScores } from './scores.js';
import { openForWriting, openScoresFile, type ScoresFile, scoreRowsText } from './scores-file.js';
import type { EvaluatedPiece, EvaluationTask } from './worker.js';

/** What is asked on the command line. */
export interface EvaluateOptions {
  /** Directory with `*.csv`, `*.csv.gz` and `labels.json`; a fleet has `fleet.json` and `changes.json` as well. */
  readonly data: string;
  /** File for every score, gzip when it ends in `.gz`. */
  readonly scores?: string | undefined;
  /** File for the report as JSON. */
  readonly json?: string | undefined;
  /** File for the report as a page. */
  readonly html?: string | undefined;
  /** As the setting `ALERT_BUDGET_PER_DAY`. */
  readonly budget?: number | undefined;
  /** As the setting `BASELINE`. */
  readonly baseline?: string | undefined;
  /** Values of the setting `ANOMALY_SENSITIVITY` to compare, with commas between them. */
  readonly sensitivity?: string | undefined;
  /** As the setting `IFOREST_RANDOM_STATE`. */
  readonly seed?: number | undefined;
  /** Hours at the start of each recording that are only learned from. */
  readonly learn?: number | undefined;
  /** Further columns to use as features, with commas between them. */
  readonly columns?: string | undefined;
}

/** What the command needs of its surroundings. */
export interface EvaluateSurroundings {
  /** For the report. */
  readonly stdout: Writable;
  /** For the progress; a bar where it is a terminal. */
  readonly progress: ProgressOutput;
  /** Ends the evaluation early. */
  readonly signal: AbortSignal;
}

/** An estimate of the share of reading in the work on a case, for the progress. */
const READING_SHARE = 0.1;

/** Minutes that a recording is only learned from where nothing else is known: the lookback of a training. */
const DEFAULT_LEARNING_MINUTES = 60;

/** What the work on each case needs. */
interface Work {
  readonly parameters: Omit<ReplayParameters, 'features'>;
  readonly additional: readonly string[];
  /** Minutes to learn from; `undefined`: as the description of the case says. */
  readonly learningMinutes: number | undefined;
  readonly labels: Labels;
  readonly changes: readonly LevelChange[];
  readonly descriptions: Descriptions;
  readonly pool: ThreadPool<EvaluationTask, EvaluatedPiece>;
  readonly scoresFile: ScoresFile | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Runs the evaluation and writes the report.
 *
 * @throws {UsageError} when it is asked for wrongly.
 * @throws {DataError} when the data cannot be evaluated.
 */
export async function runEvaluate(
  options: EvaluateOptions,
  { stdout, progress: progressOutput, signal }: EvaluateSurroundings,
): Promise<void> {
  const started = Date.now();
  const additional = parseAdditionalColumns(options.columns);
  const asked = parseSettings({
    ALERT_BUDGET_PER_DAY: options.budget?.toString(),
    BASELINE: options.baseline,
    IFOREST_RANDOM_STATE: options.seed?.toString(),
  }).settings;
  const sensitivities =
    options.sensitivity === undefined ? [asked.sensitivity] : parseSensitivities(options.sensitivity);
  const chosen = chosenOf(sensitivities, asked.sensitivity);
  const settings = { ...asked, sensitivity: sensitivities[chosen] as number };
  const files = await listCases(options.data);
  const labels = await readLabels(options.data);
  const changes = await readLevelChanges(options.data);
  const descriptions = await readDescriptions(options.data);
  const outputs = await openOutputs(options);
  const progress = createProgress(progressOutput, Date.now);
  const pool = new ThreadPool<EvaluationTask, EvaluatedPiece>(
    new URL('./worker.js', import.meta.url),
    availableParallelism(),
  );
  try {
    const learningMinutes = options.learn === undefined ? undefined : Math.round(60 * options.learn);
    const finished = await evaluateCases(files, {
      // As the service would run.
      parameters: {
        ownerQueries: OWNER_QUERIES,
        model: modelParameters(settings),
        sensitivities,
        chosen,
        lookbackSeconds: settings.trainingLookbackMinutes * 60,
        stepSeconds: settings.queryStepSeconds,
        trainingIntervalSeconds: RETRAIN_SECONDS,
        historyDays: historyDaysOf(settings),
      },
      additional,
      learningMinutes,
      labels,
      changes,
      descriptions,
      pool,
      scoresFile: outputs.scores,
      progress,
      signal,
    });
    progress.end();
    const durationSeconds = (Date.now() - started) / 1000;
    const evaluation = resultOf(finished, {
      sensitivities,
      chosen,
      budgetPerDay: settings.alertBudgetPerDay,
      labels,
      durationSeconds,
    });
    const json = reportJson(evaluation, { data: options.data, columns: additional, settings });
    await outputs.json?.writeFile(`${JSON.stringify(json, undefined, 2)}\n`);
    await outputs.html?.writeFile(reportHtml(evaluation, options.data));
    await closeOutputs(outputs);
    stdout.write(reportText(evaluation));
  } catch (error) {
    progress.end();
    // What went wrong first is what matters.
    await closeOutputs(outputs).catch(() => undefined);
    if (!signal.aborted) throw error;
    throw new Error(`Stopped on ${String(signal.reason)}, before the report. The files hold what was done so far.`, {
      cause: error,
    });
  } finally {
    await pool.close();
  }
}

/** The files that are asked for, open. */
interface Outputs {
  json?: FileHandle;
  html?: FileHandle;
  scores?: ScoresFile;
}

/** Opens them before the work, so that a wrong name costs no time. */
async function openOutputs({ json, html, scores }: EvaluateOptions): Promise<Outputs> {
  const names = [json, html, scores].filter((name) => name !== undefined);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new UsageError(
      `Expected different files in --scores, --json and --html, got ${twice} twice. Name another one.`,
    );
  }
  const outputs: Outputs = {};
  try {
    if (json !== undefined) outputs.json = await openForWriting(json, '--json');
    if (html !== undefined) outputs.html = await openForWriting(html, '--html');
    if (scores !== undefined) outputs.scores = await openScoresFile(scores);
    return outputs;
  } catch (error) {
    await closeOutputs(outputs);
    throw error;
  }
}

async function closeOutputs(outputs: Outputs): Promise<void> {
  for (const output of Object.values(outputs)) await output.close();
}

/** One case after the other, so that only one is in memory. */
async function evaluateCases(files: readonly CaseFile[], work: Work): Promise<readonly FinishedCase[]> {
  const allBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const finished: FinishedCase[] = [];
  let bytesDone = 0;
  for (const file of files) {
    const show = (share: number) =>
      work.progress.show((bytesDone + share * file.bytes) / Math.max(1, allBytes), file.name);
    finished.push(await evaluateCase(file, work, show));
    bytesDone += file.bytes;
  }
  if (finished.every(({ summary }) => summary.pods === 0)) throw nothingUsable(finished);
  return finished;
}

async function evaluateCase(file: CaseFile, work: Work, show: (share: number) => void): Promise<FinishedCase> {
  const { additional, signal, labels, progress } = work;
  const { sensitivities, chosen } = work.parameters;
  const started = Date.now();
  const description = work.descriptions(file.name);
  const recording = await readCase(file, {
    additional,
    learningMinutes: work.learningMinutes ?? description.learningMinutes ?? DEFAULT_LEARNING_MINUTES,
    workloads: description.workloads,
    onProgress: (share) => show(READING_SHARE * share),
    signal,
  });
  const { scores, chunks } = await replayCase(recording, work, (share) =>
    show(READING_SHARE + (1 - READING_SHARE) * share),
  );
  const faults = labels.faults.filter((fault) => fault.case === file.name);
  const changes = work.changes.filter((change) => change.case === file.name);
  const summary = summaryOf(recording);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  progress.caseDone(
    `${summary.name}: ${summary.rows} rows, ${summary.pods} pods, ${summary.minutes} minutes, ${seconds} s`,
  );
  const tally = tallyCase(recording, scores, unscoredMinutes(recording, scores, chunks), faults);
  const onCall = sensitivities.map((_, index) =>
    tallyOnCall(recording, chunks, tally.faults, changes, description.kinds, index),
  );
  const nab = nabCaseOf(recording, scores, faults, onCall[chosen] as OnCallTally);
  return { summary, tally, onCall, nab };
}

/**
 * Replays a case in pieces, a few at the same time, and writes their scores in order of time.
 *
 * @returns the scores, and the chunks in order of time.
 */
async function replayCase(recording: Case, work: Work, show: (share: number) => void) {
  const scores = emptyScores(recording);
  const chunks: ChunkResult[] = [];
  const { pool, scoresFile, signal } = work;
  const parameters = { ...work.parameters, features: recording.features };
  const pieces = piecesOf(recording, parameters);
  const replays = pool.map(pieces, async (piece) => ({ piece: await piece(), parameters }), signal, show);
  for await (const [, { result, scores: own }] of replays) {
    const first = minuteOf(recording, result.startSeconds);
    addPiece(recording, scores, own, first);
    chunks.push(result);
    await scoresFile?.write(scoreRowsText(recording, scores, first, first + result.minutes));
  }
  return { scores, chunks };
}

/** Complete pod-minutes after the learning minutes without a score, by reason. */
function unscoredMinutes(
  { pods, learningMinutes }: Case,
  { detector }: CaseScores,
  chunks: readonly ChunkResult[],
): Counts {
  const unscored = pods.reduce((sum, { firstMinute, complete }, index) => {
    const isUnscored = (isComplete: number, offset: number) =>
      firstMinute + offset >= learningMinutes && isComplete === 1 && Number.isNaN(detector[index]?.[offset]);
    return sum + complete.filter(isUnscored).length;
  }, 0);
  const reasons = new Map<string, number>();
  // Of the pods that detections saw and did not score, the others lack a feature, as do some of those that warm up.
  const warmUp = Math.min(
    unscored,
    chunks.reduce((sum, chunk) => sum + (chunk.unscored.warmup ?? 0), 0),
  );
  count(reasons, 'warmup', warmUp);
  const hadNoModel = chunks.some(({ minutesWithoutModel }) => minutesWithoutModel > 0);
  count(reasons, hadNoModel ? 'no_model' : 'not_scored', unscored - warmUp);
  return reasons;
}

function nothingUsable(finished: readonly FinishedCase[]): DataError {
  const found = finished.map(({ summary }) => {
    const reasons = [...summary.defects].map(([reason, times]) => `${times} ${reason}`);
    return `${summary.name} has ${summary.rows} rows (${reasons.join(', ') || 'no defects'})`;
  });
  return new DataError(
    `Expected rows with a Unix timestamp in seconds, a namespace, a pod, CPU and memory, got none: ${found.join('; ')}. ` +
      'Compare the files with the documented form.',
  );
}
