/** `evaluate`: measures the detector on recordings with known faults. */

import type { FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { setImmediate as breathe } from 'node:timers/promises';
import { parseSettings } from '../../exporter/config/parse.js';
import type { ModelParameters } from '../../exporter/model/fit.js';
import { modelParameters } from '../../exporter/training/request.js';
import { DataError, UsageError } from '../../lib/usage-error.js';
import { createProgress, type Progress, type ProgressOutput } from '../replay/progress.js';
import type { Case } from './case.js';
import { outcomeWithoutCase } from './fault-outcomes.js';
import { type Labels, readLabels } from './labels.js';
import { parseAdditionalColumns } from './layout.js';
import { addTallies, measure, type Tally, tallyCase } from './measures.js';
import { type CaseFile, listCases, readCase } from './read-case.js';
import { type CaseSummary, type Evaluation, reportText } from './report.js';
import { reportJson } from './report-json.js';
import { openForWriting, openScoresFile, type ScoresFile, scoreRowsText } from './scores-file.js';
import { type CaseScores, emptyScores, type TrainingSelection, walkForward } from './walk.js';

/** What is asked on the command line. */
export interface EvaluateOptions {
  /** Directory with `*.csv`, `*.csv.gz` and `labels.json`. */
  readonly data: string;
  /** File for every score, gzip when it ends in `.gz`. */
  readonly scores?: string | undefined;
  /** File for the report as JSON. */
  readonly json?: string | undefined;
  /** As the setting `BASELINE`. */
  readonly baseline?: string | undefined;
  /** As the setting `ANOMALY_SENSITIVITY`. */
  readonly sensitivity?: number | undefined;
  /** As the setting `IFOREST_RANDOM_STATE`. */
  readonly seed?: number | undefined;
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
  /** What trainings get; for experiments, and no option. */
  readonly select?: TrainingSelection;
}

/** Of the work on a case, how much is reading: an estimate for the progress. */
const READING_SHARE = 0.1;

/** What the work on each case needs. */
interface Work {
  readonly parameters: ModelParameters;
  readonly additional: readonly string[];
  readonly labels: Labels;
  readonly scoresFile: ScoresFile | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly select: TrainingSelection | undefined;
}

/** A case that is done: its minutes are let go, the counts stay. */
interface FinishedCase {
  readonly summary: CaseSummary;
  readonly tally: Tally;
}

/**
 * Runs the evaluation and writes the report.
 *
 * @throws {UsageError | SettingsError} when it is asked for wrongly.
 * @throws {DataError} when the data cannot be evaluated.
 */
export async function runEvaluate(
  options: EvaluateOptions,
  { stdout, progress: progressOutput, signal, select }: EvaluateSurroundings,
): Promise<void> {
  const started = Date.now();
  const additional = parseAdditionalColumns(options.columns);
  const parameters = parametersOf(options);
  const files = await listCases(options.data);
  const labels = await readLabels(options.data);
  const outputs = await openOutputs(options);
  const progress = createProgress(progressOutput, Date.now);
  try {
    const work = { parameters, additional, labels, scoresFile: outputs.scores, progress, signal, select };
    const finished = await evaluateCases(files, work);
    progress.end();
    const tally = tallySet(finished, files, labels);
    const evaluation: Evaluation = {
      cases: finished.map((done) => ({ summary: done.summary, measures: measure(done.tally) })),
      set: measure(tally),
      labels,
      durationSeconds: (Date.now() - started) / 1000,
    };
    const json = reportJson(evaluation, tally, { data: options.data, columns: additional, ...parameters });
    await outputs.json?.writeFile(`${JSON.stringify(json, undefined, 2)}\n`);
    await closeOutputs(outputs);
    stdout.write(reportText(evaluation));
  } catch (error) {
    progress.end();
    // What went wrong first is what matters.
    await closeOutputs(outputs).catch(() => undefined);
    throw signal.aborted ? interruption(signal, error) : error;
  }
}

/** The service's own settings, with what the options change. */
function parametersOf(options: EvaluateOptions): ModelParameters {
  const { settings } = parseSettings({
    BASELINE: options.baseline,
    ANOMALY_SENSITIVITY: options.sensitivity?.toString(),
    IFOREST_RANDOM_STATE: options.seed?.toString(),
  });
  return modelParameters(settings);
}

/** The files that are asked for, open. */
interface Outputs {
  readonly json: FileHandle | undefined;
  readonly scores: ScoresFile | undefined;
}

/** Opens them before the work, so that a wrong name costs no time. */
async function openOutputs({ json, scores }: EvaluateOptions): Promise<Outputs> {
  if (scores !== undefined && scores === json) {
    throw new UsageError(`Expected two files in --scores and --json, got ${scores} twice. Name another one.`);
  }
  const jsonFile = json === undefined ? undefined : await openForWriting(json, '--json');
  try {
    return { json: jsonFile, scores: scores === undefined ? undefined : await openScoresFile(scores) };
  } catch (error) {
    await jsonFile?.close();
    throw error;
  }
}

async function closeOutputs({ json, scores }: Outputs): Promise<void> {
  await json?.close();
  await scores?.close();
}

function interruption(signal: AbortSignal, cause: unknown): Error {
  return new Error(
    `Stopped on ${String(signal.reason)}, before the report. The files hold what was done so far.`,
    {
      cause,
    },
  );
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

async function evaluateCase(
  file: CaseFile,
  work: Work,
  show: (share: number) => void,
): Promise<FinishedCase> {
  const { additional, signal, labels, progress } = work;
  const started = Date.now();
  const onProgress = (share: number) => show(READING_SHARE * share);
  const recording = await readCase(file, { additional, onProgress, signal });
  const scores = await scoreCase(recording, work, (share) =>
    show(READING_SHARE + (1 - READING_SHARE) * share),
  );
  const faults = labels.faults.filter((fault) => fault.case === file.name);
  const summary = summaryOf(recording);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  progress.caseDone(
    `${summary.name}: ${summary.rows} rows, ${summary.pods} pods, ${summary.minutes} minutes, ${seconds} s`,
  );
  return { summary, tally: tallyCase(recording, scores, faults) };
}

/** Walks through a case, and writes the scores as they come. */
async function scoreCase(recording: Case, work: Work, show: (share: number) => void): Promise<CaseScores> {
  const scores = emptyScores(recording);
  for (const stretch of walkForward(recording, work.parameters, scores, work.select)) {
    await work.scoresFile?.write(scoreRowsText(recording, scores, stretch));
    show(stretch.to / recording.minutes);
    // Signals and streams get their turn.
    await breathe();
    work.signal.throwIfAborted();
  }
  return scores;
}

function summaryOf({
  name,
  minutes,
  rows,
  defects,
  gapMinutes,
  emptyColumns,
  pods,
  features,
}: Case): CaseSummary {
  return {
    name,
    minutes,
    rows,
    defects,
    gapMinutes,
    emptyColumns,
    pods: pods.length,
    features: features.map((feature) => feature.name),
  };
}

/** All cases together, and the faults that belong to none. */
function tallySet(finished: readonly FinishedCase[], files: readonly CaseFile[], labels: Labels): Tally {
  const tally = addTallies(finished.map((done) => done.tally));
  const strangers = labels.faults.filter((fault) => files.every(({ name }) => name !== fault.case));
  return { ...tally, faults: [...tally.faults, ...strangers.map(outcomeWithoutCase)] };
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
