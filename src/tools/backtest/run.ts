/** The course of a backtest: what there is, how long it will take, chunk after chunk, and what came of it. */

import { availableParallelism } from 'node:os';
import { addMatchers } from '../../exporter/features/queries/matchers.js';
import { fetchHours, instantsOfHours } from '../../exporter/history/fetch-hours.js';
import { hourOf, lastSettledHour } from '../../exporter/history/grid.js';
import type { HourSummary } from '../../exporter/history/hour-summary.js';
import type { PrometheusApi } from '../../exporter/prometheus/api.js';
import { PartialAnswers } from '../../exporter/prometheus/partial-answers.js';
import { modelParameters } from '../../exporter/training/job.js';
import { VERSION } from '../../exporter/version.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { ChunkResult } from '../replay/chunk-result.js';
import { Fetcher } from '../replay/fetch.js';
import { History } from '../replay/history.js';
import { firstRememberedHour, type PastHours, PastHoursSupply } from '../replay/past-hours.js';
import {
  type Chunk,
  cutIntoChunks,
  firstNeeded,
  gridStepSeconds,
  longestInterval,
  MINUTE_SECONDS,
  reachSeconds,
  trainingTimesOf,
} from '../replay/plan.js';
import { ThreadPool } from '../replay/pool.js';
import type { Progress } from '../replay/progress.js';
import { gridBetween, lastOf, type Slab } from '../replay/range-matrix.js';
import { historyDaysOf, type ReplayParameters } from '../replay/replay.js';
import type { ChunkStore } from './checkpoint.js';
import { describeCost, type Survey } from './estimate.js';
import { type ExistingAlert, existingAlerts, FIRING_ALERTS_QUERY } from './existing-alerts.js';
import { type BacktestPlan, trainingTimes } from './plan.js';
import { formatInstant } from './time-range.js';
import type { ReplayedChunk, ReplayTask } from './worker.js';

export interface RunSurroundings {
  /** Polite (`politeApi`). */
  readonly api: PrometheusApi;
  readonly store: ChunkStore;
  readonly progress: Progress;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** What becomes of the chunks that are done when the signal aborts, as a sentence. */
  readonly afterStop: string;
}

export interface BacktestOutcome {
  /** In order of time. */
  readonly chunks: readonly Chunk[];
  readonly results: readonly ChunkResult[];
  /** `undefined` where Prometheus could not be asked. */
  readonly existing: readonly ExistingAlert[] | undefined;
  /** Sentences about what was missing. */
  readonly notes: readonly string[];
}

/** The signal came first. The message says how to go on. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** The labels of a scrape of the exporter, so that dashboard and rules find what is loaded. */
export const TARGET_LABELS = { job: 'k8s-anomaly-detector', instance: 'backtest' };

/** Owners are looked for so often: pods that live for less have no score. */
const OWNER_STEP_SECONDS = 300;

const ALERT_STEP_SECONDS = 60;

/** Minutes of the first chunk that are replayed to see how long it takes. */
const TRIAL_SECONDS = 30 * MINUTE_SECONDS;

/**
 * Replays the range.
 *
 * @param survey of the same range (`surveyHistory`).
 * @throws {PrometheusError} when Prometheus does not answer.
 * @throws {InterruptedError} when the signal aborts.
 */
export async function runBacktest(
  plan: BacktestPlan,
  survey: Survey,
  { api, store, progress, say, signal, afterStop }: RunSurroundings,
): Promise<BacktestOutcome> {
  const chunks = cutIntoChunks(plan.startSeconds, plan.endSeconds, survey.pods);
  const results = new Map<Chunk, ChunkResult>();
  const threads = availableParallelism();
  const pool = new ThreadPool<ReplayTask, ReplayedChunk>(new URL('./worker.js', import.meta.url), threads);
  const fetcher = new Fetcher(api);
  const supply = new TaskSupply(plan, survey, chunks, { api, fetcher, store, progress, signal });
  try {
    for (const chunk of chunks) {
      const result = await store.load(chunk);
      if (result !== undefined) results.set(chunk, result);
    }
    const toDo = chunks.filter((chunk) => !results.has(chunk));
    const writesMetrics = toDo.some((chunk) => store.metricsFile(chunk) !== undefined);
    const trainings = supply.trainingTimes.length;
    // Of an earlier run, the first piece is done after all that it remembers was read.
    const hoursBefore = toDo[0] === chunks[0] ? supply.hoursBefore : 0;
    const cost = { plan, chunks, toDo, trainings, hoursBefore, threads, writesMetrics };
    say(describeCost(survey, { ...cost, ...(await measure(toDo[0], supply, pool)) }));

    const show = (share: number, { startSeconds }: Chunk) =>
      progress.show(share, formatInstant(startSeconds).slice(0, 16).replace('T', ' '));
    for await (const [chunk, replayed] of pool.map(toDo, (own) => supply.taskOf(own), signal, show)) {
      await store.save(chunk, replayed);
      results.set(chunk, replayed.result);
      const [from, to] = [formatInstant(chunk.startSeconds), formatInstant(chunk.endSeconds)];
      progress.caseDone(`${results.size} of ${chunks.length} pieces done: ${from} to ${to}`);
    }
    const existing = await supply.existingAlerts();
    signal.throwIfAborted();
    return {
      chunks,
      results: chunks.map((chunk) => results.get(chunk) as ChunkResult),
      existing,
      notes: [...supply.notes, ...fetcher.remarks.texts.map((text) => `Prometheus says: ${text}`)],
    };
  } catch (cause) {
    if (!signal.aborted) throw cause;
    const done = `${results.size} of ${chunks.length} pieces are done`;
    throw new InterruptedError(`Stopped on ${signal.reason}, before the report: ${done}. ${afterStop}`, {
      cause,
    });
  } finally {
    progress.end();
    await pool.close();
  }
}

/** Fetches what the first chunk needs and replays its first minutes, to tell how long the whole will take. */
async function measure(chunk: Chunk | undefined, supply: TaskSupply, pool: ThreadPool<ReplayTask, ReplayedChunk>) {
  if (chunk === undefined) return { fetchSecondsPerPoint: 0, replaySecondsPerMinute: 0 };
  const { fetcher, signal } = supply;
  const { points } = fetcher.traffic;
  const started = performance.now();
  const task = await supply.withoutHours(chunk);
  const fetched = performance.now();
  signal.throwIfAborted();
  const endSeconds = Math.min(chunk.endSeconds, chunk.startSeconds + TRIAL_SECONDS);
  await pool.run({ ...task, chunk: { ...chunk, endSeconds }, metrics: undefined }, signal, () => undefined);
  const minutes = (endSeconds - chunk.startSeconds) / MINUTE_SECONDS;
  return {
    fetchSecondsPerPoint: (fetched - started) / 1000 / Math.max(1, fetcher.traffic.points - points),
    replaySecondsPerMinute: (performance.now() - fetched) / 1000 / minutes,
  };
}

/** Gets for each chunk what a thread needs to replay it, in order of time: what two chunks need is fetched once. */
class TaskSupply {
  /** From a while before the start to the end; Unix times in seconds. */
  readonly trainingTimes: readonly number[];
  readonly notes = new Set<string>();
  /** Hours before the range that its first training remembers, as far as there is data. */
  readonly hoursBefore: number;
  readonly fetcher: Fetcher;
  readonly signal: AbortSignal;
  readonly #api: PrometheusApi;
  readonly #store: ChunkStore;
  readonly #progress: Progress;
  readonly #parameters: ReplayParameters;
  readonly #hours: PastHoursSupply | undefined;
  readonly #firstHour: number;
  /** The chunks that come next, of all those of the range. */
  readonly #comingChunks: Chunk[];
  /** The slabs of each query that the next chunk may need, in order of time. */
  readonly #slabs = new Map<string, Slab[]>();

  constructor(
    readonly plan: BacktestPlan,
    survey: Survey,
    chunks: readonly Chunk[],
    surroundings: Pick<RunSurroundings, 'api' | 'store' | 'progress' | 'signal'> & { readonly fetcher: Fetcher },
  ) {
    this.fetcher = surroundings.fetcher;
    this.signal = surroundings.signal;
    this.#api = surroundings.api;
    this.#store = surroundings.store;
    this.#progress = surroundings.progress;
    this.#comingChunks = [...chunks];
    this.trainingTimes = trainingTimes(plan);
    const { settings, features, ownerQueries, tuningRules, sensitivities, chosen } = plan;
    const historyDays = historyDaysOf(settings);
    this.#parameters = {
      features,
      ownerQueries,
      model: modelParameters(settings),
      sensitivities,
      chosen,
      lookbackSeconds: settings.trainingLookbackMinutes * 60,
      stepSeconds: settings.queryStepSeconds,
      trainingIntervalSeconds: longestInterval(this.trainingTimes),
      historyDays,
      tuningRules,
    };
    const first = this.trainingTimes[0] ?? plan.startSeconds;
    const firstRemembered = firstRememberedHour(first, historyDays);
    // Where the range begins with the first data, there is nothing to remember of the time before.
    this.#firstHour = survey.isFirst ? Math.max(firstRemembered, hourOf(plan.startSeconds)) : firstRemembered;
    if (historyDays === 0) this.hoursBefore = 0;
    else {
      this.#hours = new PastHoursSupply(historyDays, features, this.#firstHour, this.#readHours.bind(this));
      this.hoursBefore = Math.max(0, lastSettledHour(first) - this.#firstHour + 1);
    }
  }

  /** Fetches what is not here yet. Chunks come in order of time, without those that are done. */
  async taskOf(chunk: Chunk): Promise<ReplayTask> {
    return { ...(await this.withoutHours(chunk)), hours: await this.#remembered(chunk) };
  }

  /** The chunks that are done have read their hours too: the same ones again, in the same order. */
  async #remembered(chunk: Chunk): Promise<PastHours | undefined> {
    let remembered: PastHours | undefined;
    for (let next = this.#comingChunks[0]; next !== undefined && next.startSeconds <= chunk.startSeconds; ) {
      const times = trainingTimesOf(next, this.trainingTimes);
      remembered = times.length === 0 ? undefined : await this.#hours?.of(times);
      this.#comingChunks.shift();
      next = this.#comingChunks[0];
    }
    return remembered;
  }

  /** Of hours that an earlier run has not read: from what is here, else from Prometheus. */
  async #readHours(firstHour: number, lastHour: number): Promise<readonly HourSummary[]> {
    const hours = Array.from({ length: lastHour - firstHour + 1 }, (_, index) => firstHour + index);
    const stored = (await Promise.all(hours.map((hour) => this.#store.loadHour(hour)))).filter(
      (own) => own !== undefined,
    );
    if (stored.length === hours.length) return stored;
    this.#progress.show((firstHour - this.#firstHour) / Math.max(1, this.hoursBefore), 'the days before');
    const { features, ownerQueries } = this.#parameters;
    const range = { firstHour, lastHour };
    const source = new PartialAnswers(this.#hasHere(range) ? new History(this.#slabs) : this.#api);
    const summaries = await fetchHours(source, { features, ownerQueries, ...range }, this.signal);
    // Another run asks again for what may be incomplete.
    const isComplete = source.warning === undefined && !this.fetcher.remarks.isPartial;
    if (isComplete) for (const summary of summaries) await this.#store.saveHour(summary);
    return summaries;
  }

  #hasHere(range: { readonly firstHour: number; readonly lastHour: number }): boolean {
    const { startSeconds, endSeconds } = instantsOfHours(range);
    return this.#parameters.features.every(({ query }) => {
      const slabs = this.#slabs.get(query) ?? [];
      const [oldest, newest] = [slabs[0], slabs.at(-1)];
      if (oldest === undefined || newest === undefined) return false;
      return oldest.grid.startSeconds <= startSeconds && lastOf(newest.grid) >= endSeconds;
    });
  }

  /** Fetches what the trainings and detections of a chunk look at themselves. */
  async withoutHours(chunk: Chunk): Promise<ReplayTask> {
    const trainings = trainingTimesOf(chunk, this.trainingTimes);
    const { features, ownerQueries, lookbackSeconds, stepSeconds } = this.#parameters;
    const step = gridStepSeconds(stepSeconds);
    const from = firstNeeded(chunk, trainings, reachSeconds(lookbackSeconds, stepSeconds), step);
    const to = chunk.endSeconds - MINUTE_SECONDS;
    await Promise.all([
      ...features.map(({ query }) => this.#extend(query, step, from, to)),
      ...Object.values(ownerQueries).map((query) =>
        this.#extend(query, OWNER_STEP_SECONDS, from, to).catch((error: unknown) =>
          this.#note(`Workloads are taken from pod names where \`${query}\` was not answered`, error),
        ),
      ),
    ]);
    const file = this.#store.metricsFile(chunk);
    const { explain } = this.plan.settings;
    return {
      chunk,
      slabs: [...this.#slabs].map(([query, slabs]) => [query, [...slabs]] as const),
      trainingTimes: trainings,
      hours: undefined,
      parameters: this.#parameters,
      metrics:
        file === undefined ? undefined : { file, options: { targetLabels: TARGET_LABELS, explain, version: VERSION } },
    };
  }

  /** Fetches a query up to an instant, and lets go of what is before the first that is needed. */
  async #extend(query: string, step: number, from: number, to: number): Promise<void> {
    const first = Math.floor(from / step) * step;
    const last = Math.floor(to / step) * step;
    const slabs = (this.#slabs.get(query) ?? []).filter(({ grid }) => lastOf(grid) >= first);
    this.#slabs.set(query, slabs);
    const newest = slabs.at(-1);
    const grid = gridBetween(newest === undefined ? first : lastOf(newest.grid) + step, last, step);
    slabs.push(...(await this.fetcher.fetch(query, grid, this.signal)));
  }

  /** Notes what an optional query failed with. @throws when the signal aborts. */
  #note(consequence: string, error: unknown): void {
    this.signal.throwIfAborted();
    this.notes.add(`${consequence}: ${messageOf(error)}`);
  }

  async existingAlerts(): Promise<readonly ExistingAlert[] | undefined> {
    const { startSeconds, endSeconds, settings } = this.plan;
    const query = addMatchers(FIRING_ALERTS_QUERY, settings.matchers);
    const grid = gridBetween(startSeconds, endSeconds - MINUTE_SECONDS, ALERT_STEP_SECONDS);
    try {
      return existingAlerts(await this.fetcher.fetch(query, grid, this.signal));
    } catch (error) {
      this.#note('Alerts that were firing then could not be asked for', error);
      return undefined;
    }
  }
}
