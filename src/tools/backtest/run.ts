/** The course of a backtest: what there is, how long it will take, chunk after chunk, and what came of it. */

import type { PrometheusApi } from '../../exporter/prometheus/api.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { ChunkResult } from '../replay/chunk-result.js';
import { Fetcher, type Traffic } from '../replay/fetch.js';
import type { OpenMetricsOptions } from '../replay/open-metrics.js';
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
import { type Grid, gridBetween, lastOf, type Slab } from '../replay/range-matrix.js';
import type { ReplayParameters } from '../replay/replay.js';
import type { ChunkStore } from './checkpoint.js';
import { type Estimate, estimate, type Survey } from './estimate.js';
import { type ExistingAlert, existingAlerts } from './existing-alerts.js';
import type { ReplayedChunk, ReplayTask } from './worker.js';

/** What to replay, and with what. */
export interface BacktestRequest {
  /** Unix times in seconds, multiples of 60; the end is exclusive. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly parameters: Omit<ReplayParameters, 'trainingIntervalSeconds'>;
  /** When trainings ran, from a while before the start to the end; Unix times in seconds. */
  readonly trainingTimes: readonly number[];
  readonly openMetrics: OpenMetricsOptions;
  /** Asks for the alerts that fired (`FIRING_ALERTS_QUERY`, with the matchers of the settings). */
  readonly alertsQuery: string;
  /** Threads that replay. */
  readonly threads: number;
}

/** Learns how far a backtest is. */
export interface BacktestObserver {
  /** Once, before the work. */
  estimated(estimate: Estimate): void;
  /** @param share of the work, in [0, 1]. */
  progress(share: number, what: string): void;
  chunkDone(chunk: Chunk, done: number, all: number): void;
}

/** What it needs of its surroundings. */
export interface BacktestSurroundings {
  /** Polite (`politeApi`). */
  readonly api: PrometheusApi;
  readonly store: ChunkStore;
  readonly observer: BacktestObserver;
  /** Seconds of a clock, to measure with. */
  readonly clockSeconds: () => number;
  readonly signal: AbortSignal;
}

/** What was replayed. */
export interface BacktestOutcome {
  /** In order of time. */
  readonly chunks: readonly Chunk[];
  readonly results: readonly ChunkResult[];
  /** `undefined` where Prometheus could not be asked. */
  readonly existing: readonly ExistingAlert[] | undefined;
  /** Sentences about what was missing. */
  readonly notes: readonly string[];
  readonly traffic: Traffic;
}

/** How many of the chunks of a backtest were done when it was stopped. */
export class BacktestStopped extends Error {
  override readonly name = 'BacktestStopped';

  constructor(
    readonly done: number,
    readonly all: number,
    cause: unknown,
  ) {
    super(`Stopped when ${done} of ${all} pieces were done.`, { cause });
  }
}

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
 * @throws {BacktestStopped} when the signal aborts.
 */
export async function runBacktest(
  request: BacktestRequest,
  survey: Survey,
  surroundings: BacktestSurroundings,
): Promise<BacktestOutcome> {
  const run = new BacktestRun(request, survey, surroundings);
  return run.run();
}

class BacktestRun {
  readonly #request: BacktestRequest;
  readonly #survey: Survey;
  readonly #surroundings: BacktestSurroundings;
  readonly #parameters: ReplayParameters;
  readonly #fetcher: Fetcher;
  readonly #chunks: readonly Chunk[];
  readonly #pool: ThreadPool<ReplayTask, ReplayedChunk>;
  readonly #results = new Map<Chunk, ChunkResult>();
  readonly #notes: string[] = [];
  /** The slabs of each query that the next chunk may need, in order of time. */
  readonly #slabs = new Map<string, Slab[]>();
  /** Share of each chunk that is under way. */
  readonly #shares = new Map<Chunk, number>();
  #toDo = 0;

  constructor(request: BacktestRequest, survey: Survey, surroundings: BacktestSurroundings) {
    this.#request = request;
    this.#survey = survey;
    this.#surroundings = surroundings;
    const trainingIntervalSeconds = longestInterval(request.trainingTimes);
    this.#parameters = { ...request.parameters, trainingIntervalSeconds };
    this.#fetcher = new Fetcher(surroundings.api);
    this.#chunks = cutIntoChunks(request.startSeconds, request.endSeconds, survey.pods);
    this.#pool = new ThreadPool(new URL('./worker.js', import.meta.url), request.threads);
  }

  async run(): Promise<BacktestOutcome> {
    const { signal } = this.#surroundings;
    try {
      const toDo = await this.#loadDone();
      await this.#estimate(toDo);
      await this.#replayAll(toDo);
      const existing = await this.#existingAlerts();
      signal.throwIfAborted();
      return {
        chunks: this.#chunks,
        results: this.#chunks.map((chunk) => this.#results.get(chunk) as ChunkResult),
        existing,
        notes: [...this.#notes, ...[...this.#fetcher.warnings].map((text) => `Prometheus says: ${text}`)],
        traffic: this.#fetcher.traffic,
      };
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new BacktestStopped(this.#results.size, this.#chunks.length, error);
    } finally {
      await this.#pool.close();
    }
  }

  async #loadDone(): Promise<readonly Chunk[]> {
    for (const chunk of this.#chunks) {
      const result = await this.#surroundings.store.load(chunk);
      if (result !== undefined) this.#results.set(chunk, result);
    }
    return this.#chunks.filter((chunk) => !this.#results.has(chunk));
  }

  /** Fetches what the first chunk needs and replays its first minutes, to tell how long the whole will take. */
  async #estimate(toDo: readonly Chunk[]): Promise<void> {
    const { observer, clockSeconds, signal } = this.#surroundings;
    const [first] = toDo;
    let fetchSecondsPerPoint = 0;
    let replaySecondsPerMinute = 0;
    if (first !== undefined) {
      const before = clockSeconds();
      const pointsBefore = this.#fetcher.traffic.points;
      const task = await this.#taskOf(first);
      fetchSecondsPerPoint =
        (clockSeconds() - before) / Math.max(1, this.#fetcher.traffic.points - pointsBefore);
      signal.throwIfAborted();
      const endSeconds = Math.min(first.endSeconds, first.startSeconds + TRIAL_SECONDS);
      const trial = { ...task, chunk: { ...first, endSeconds }, metrics: undefined };
      const started = clockSeconds();
      await this.#pool.run(trial, signal, () => undefined);
      replaySecondsPerMinute =
        ((clockSeconds() - started) * MINUTE_SECONDS) / (endSeconds - first.startSeconds);
    }
    observer.estimated(
      estimate(this.#survey, {
        startSeconds: this.#request.startSeconds,
        endSeconds: this.#request.endSeconds,
        gridStepSeconds: this.#gridStep(),
        features: this.#parameters.features.length,
        chunks: this.#chunks.length,
        doneChunks: this.#chunks.length - toDo.length,
        minutesToDo:
          toDo.reduce((sum, chunk) => sum + (chunk.endSeconds - chunk.startSeconds), 0) / MINUTE_SECONDS,
        trainings: this.#request.trainingTimes.length,
        writesMetrics: toDo.some((chunk) => this.#surroundings.store.metricsFile(chunk) !== undefined),
        threads: this.#request.threads,
        fetchSecondsPerPoint,
        replaySecondsPerMinute,
      }),
    );
  }

  async #replayAll(toDo: readonly Chunk[]): Promise<void> {
    this.#toDo = toDo.length;
    const { store, observer, signal } = this.#surroundings;
    const replays = this.#pool.map(
      toDo,
      (chunk) => this.#taskOf(chunk),
      signal,
      (chunk, share) => this.#show(chunk, share),
    );
    for await (const [chunk, replayed] of replays) {
      await store.save(chunk, replayed);
      this.#results.set(chunk, replayed.result);
      this.#show(chunk, 1);
      observer.chunkDone(chunk, this.#results.size, this.#chunks.length);
    }
  }

  #show(chunk: Chunk, share: number): void {
    this.#shares.set(chunk, share);
    const done = [...this.#shares.values()].reduce((sum, own) => sum + own, 0);
    const day = new Date(chunk.startSeconds * 1000).toISOString().slice(0, 16).replace('T', ' ');
    this.#surroundings.observer.progress(done / this.#toDo, day);
  }

  #gridStep(): number {
    return gridStepSeconds(this.#parameters.stepSeconds);
  }

  /** What a thread needs to replay a chunk; fetches what is not here yet. */
  async #taskOf(chunk: Chunk): Promise<ReplayTask> {
    const trainingTimes = trainingTimesOf(chunk, this.#request.trainingTimes);
    const step = this.#gridStep();
    const from = firstNeeded(
      chunk,
      trainingTimes,
      reachSeconds(this.#parameters.lookbackSeconds, this.#parameters.stepSeconds),
      step,
    );
    const to = chunk.endSeconds - MINUTE_SECONDS;
    // Two at a time: the server may answer one while the other is decoded.
    const queries = [
      ...this.#parameters.features.map(({ query }) => ({ query, step, optional: false })),
      ...Object.values(this.#parameters.ownerQueries).map((query) => ({
        query,
        step: OWNER_STEP_SECONDS,
        optional: true,
      })),
    ];
    await Promise.all(queries.map((query) => this.#extend(query, from, to)));
    const file = this.#surroundings.store.metricsFile(chunk);
    return {
      chunk,
      slabs: [...this.#slabs].map(([query, slabs]) => [query, [...slabs]] as const),
      trainingTimes,
      parameters: this.#parameters,
      metrics: file === undefined ? undefined : { file, options: this.#request.openMetrics },
    };
  }

  /** Fetches a query up to an instant, and lets go of what is before the first that is needed. */
  async #extend(
    { query, step, optional }: { readonly query: string; readonly step: number; readonly optional: boolean },
    from: number,
    to: number,
  ): Promise<void> {
    const first = Math.floor(from / step) * step;
    const last = Math.floor(to / step) * step;
    const kept = (this.#slabs.get(query) ?? []).filter(({ grid }) => lastOf(grid) >= first);
    const newest = kept[kept.length - 1];
    // Where chunks between were done already, there is a gap.
    const continues = newest !== undefined && lastOf(newest.grid) + step >= first;
    const slabs = continues ? kept : [];
    const begin = continues ? lastOf((newest as Slab).grid) + step : first;
    const grid: Grid = gridBetween(begin, last, step);
    try {
      slabs.push(...(await this.#fetcher.fetch(query, grid, this.#surroundings.signal)));
    } catch (error) {
      if (!optional || this.#surroundings.signal.aborted) throw error;
      this.#note(
        `Workloads are taken from pod names where \`${query}\` was not answered: ${messageOf(error)}`,
      );
    }
    this.#slabs.set(query, slabs);
  }

  #note(note: string): void {
    if (!this.#notes.includes(note)) this.#notes.push(note);
  }

  async #existingAlerts(): Promise<readonly ExistingAlert[] | undefined> {
    const { startSeconds, endSeconds } = this.#request;
    const grid = gridBetween(startSeconds, endSeconds - MINUTE_SECONDS, ALERT_STEP_SECONDS);
    try {
      return existingAlerts(
        await this.#fetcher.fetch(this.#request.alertsQuery, grid, this.#surroundings.signal),
      );
    } catch (error) {
      this.#surroundings.signal.throwIfAborted();
      this.#note(`Alerts that were firing then could not be asked for: ${messageOf(error)}`);
      return undefined;
    }
  }
}
