/** The exporter without its socket: what it keeps in memory, and what it does when. */

import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../lib/deadline.js';
import type { LiveFile, ReloadState } from '../lib/files/live-file.js';
import type { Logger } from '../lib/logging/logger.js';
import { inspect } from './check/gather.js';
import { CheckRunner } from './check/runner.js';
import type { Settings } from './config/settings.js';
import { describeSource, type OpenOptions, type OpenPrometheus } from './connect.js';
import { ContextReader } from './context/context-reader.js';
import type { ContextState } from './context/pod-context.js';
import type { Detection, PassOutcome } from './detection/detection.js';
import { isUpstreamFailure, logOutcome } from './detection/log-outcome.js';
import { DetectionPass } from './detection/pass.js';
import { advance, type EpisodesState, NO_EPISODES } from './episodes/episodes.js';
import { countIncidents, NO_INCIDENTS } from './episodes/incidents.js';
import { requireSoundQueries } from './features/queries/check-features.js';
import type { FeatureSet } from './features/queries/feature-file.js';
import type { ForecastState } from './forecast/forecast-state.js';
import { MemoryForecaster } from './forecast/memory-forecaster.js';
import { healthReport, type PassHistory } from './health.js';
import type { Exporter } from './http/dependencies.js';
import type { HealthReport } from './http/schemas.js';
import { type DayOutcome, DayReader } from './http/status-page/day-reader.js';
import { type HistoryOutcome, HistoryReader } from './http/status-page/history-reader.js';
import { HistoryFile } from './keeper/history-file.js';
import { HistoryKeeper } from './keeper/keeper.js';
import { createMetrics, type Metrics } from './metrics/registry.js';
import { knownWorkload } from './model/model.js';
import { featureNames } from './model/snapshot/history-codec.js';
import { SnapshotManager } from './model/snapshot/manager.js';
import { ModelStore } from './model/snapshot/store.js';
import { parseBaseUrl } from './prometheus/url.js';
import { shardingWarnings } from './sharding/plan.js';
import { emptyShardMessage } from './sharding/shard.js';
import {
  modelLifeSeconds,
  modelParameters,
  type TrainingOccasion,
  type TrainingScope,
  trainingRequest,
} from './training/job.js';
import type { KeptSamples } from './training/known-samples.js';
import {
  NothingToTrainOnError,
  type readHoursInWorker,
  type TrainedModel,
  type trainInWorker,
  trainingLimitSeconds,
} from './training/run-in-worker.js';
import { longestIntervalSeconds, startSchedule } from './training/schedule.js';
import { Trainer } from './training/trainer.js';
import { buildAnnotationQuery } from './tuning/annotation-query.js';
import type { TuningFile } from './tuning/tuning-file.js';
import { VERSION } from './version.js';

export interface ServiceOptions {
  readonly settings: Settings;
  readonly featureSet: FeatureSet;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Opens Prometheus, which calls back for each request, warning and list of namespaces. */
  readonly open: (callbacks: Required<Pick<OpenOptions, 'onRequest' | 'onWarning' | 'onNamespaces'>>) => OpenPrometheus;
  /** Trains a model, beside everything else. */
  readonly train: typeof trainInWorker;
  /** Reads hours of the past, beside everything else. */
  readonly readHours: typeof readHoursInWorker;
  /** Lines of the log so far that nobody read. */
  readonly droppedLogLines: () => number;
  /** How the last reading of the web configuration went; `undefined` without one. */
  readonly webConfigReload: () => ReloadState | undefined;
  /** The rules of the tuning file, which may change; `undefined` without one. */
  readonly tuning: LiveTuning | undefined;
  /** Whether to check the installation after trainings; `false` where Prometheus only answers what serves scores. */
  readonly checkInstallation: boolean;
}

type LiveTuning = Pick<LiveFile<TuningFile>, 'current' | 'state' | 'failure'>;

/** How soon a shard without namespaces looks again whether it has something to train on. */
const EMPTY_SHARD_RETRY_SECONDS = 60;

/** For how long people who look are shown a failure, so that they do not wait for a server that hangs, nor add to its load. */
const FAILURE_SHOWN_SECONDS = 15;

/** Time for a pass that is under way when the service ends. */
const PASS_GRACE_MILLISECONDS = 5_000;

/** Everything between Prometheus and the HTTP endpoints. */
export class Service implements Exporter {
  readonly #prometheus: OpenPrometheus;
  readonly #scope: TrainingScope;
  readonly #snapshots: SnapshotManager | undefined;
  readonly #checks: CheckRunner;
  readonly #trainer: Trainer;
  /** `undefined` where nothing is remembered. */
  readonly #keeper: HistoryKeeper | undefined;
  readonly #pass: DetectionPass;
  readonly #context: ContextReader;
  readonly #forecaster: MemoryForecaster;
  readonly #histories: HistoryReader;
  readonly #days: DayReader;
  readonly #metrics: Metrics;
  /** Requests to Prometheus so far, by HTTP status or `error`. */
  readonly #requests = new Map<string, number>();
  #episodes = NO_EPISODES;
  #incidents = NO_INCIDENTS;
  #passes: PassHistory = { last: undefined, lastUpstreamError: undefined };
  /** Whether the shard had namespaces when that was logged; `undefined` before the first list. */
  #hadNamespaces: boolean | undefined;
  #hasTrained = false;
  /** What the last training has read; lost where its thread is ended, so that the next one asks for all. */
  #samples: KeptSamples | undefined;

  constructor(private readonly options: ServiceOptions) {
    const { settings, featureSet, logger, now, open, tuning } = options;
    this.#prometheus = open({
      onRequest: (code) => this.#countRequest(code),
      onWarning: (sentence) => logger.warn({}, sentence),
      onNamespaces: (namespaces) => this.#logNamespaces(namespaces),
    });
    const { api, wholeApi, source } = this.#prometheus;
    if (source.sharding !== undefined) {
      for (const warning of shardingWarnings(featureSet, settings)) logger.warn({}, warning);
    }
    this.#scope = trainingScope(settings, featureSet);
    this.#snapshots = snapshotManager(options, this.#scope, describeSource(source));
    const check = (signal: AbortSignal) =>
      inspect(settings, featureSet, api, now, signal, () => ({
        keeper: this.#keeper?.state(),
        model: this.#trainer.model,
        tuningFile: tuning && { file: tuning.current, failure: tuning.failure },
        workloadOf: (namespace, pod) => knownWorkload(this.#trainer.model, namespace, pod),
      }));
    this.#checks = new CheckRunner({ inspect: check, logger, now });
    this.#keeper = this.#createKeeper();
    this.#trainer = new Trainer({
      logger,
      now,
      save: async (snapshot, trainedSeconds) => this.#snapshots?.save(snapshot, trainedSeconds),
      delay,
      startSchedule: (work) => {
        const { retrainSchedule: expression, retrainTimezone: timezone } = settings;
        return startSchedule({ expression, timezone, work, logger, now, delay });
      },
      train: (signal, occasion) => this.#train(signal, occasion),
    });
    this.#pass = new DetectionPass({
      api,
      ownerQueries: featureSet.ownerQueries,
      phaseQueries: featureSet.phaseQueries,
      annotationQuery: settings.tuningAnnotations === 'on' ? buildAnnotationQuery(settings) : undefined,
      tuningRules: tuning && (() => tuning.current.layersOf),
      queryOffsetSeconds: settings.queryOffsetSeconds,
      model: () => this.#trainer.model,
      timeoutSeconds: settings.requestTimeoutSeconds,
      maximumPods: settings.maximumPods,
      now,
      whyNoModel: () => this.#whyNoModel(),
      onOutcome: (outcome) => this.#record(outcome),
    });
    this.#context = new ContextReader({ api, wholeApi, queryOptions: settings, logger, now });
    this.#forecaster = new MemoryForecaster({ api: wholeApi, queryOptions: settings, logger });
    this.#histories = new HistoryReader(api);
    this.#days = new DayReader(api);
    this.#metrics = createMetrics(() => ({
      ...this.#state(),
      prometheusRequests: this.#requests,
      links: { page: settings.pageUrl, dashboard: settings.dashboardUrl },
      droppedLogLines: options.droppedLogLines(),
      webConfigReload: options.webConfigReload(),
      tuningReload: tuning?.state,
      explain: settings.explain,
      requestTimeoutSeconds: settings.requestTimeoutSeconds,
    }));
  }

  /** Takes over the model and the history of an earlier run, where there are some. Call it before `start`. */
  async restore(): Promise<void> {
    await this.#keeper?.restore();
    const snapshot = await this.#snapshots?.load();
    if (snapshot !== undefined) this.#trainer.restore(snapshot);
  }

  /**
   * Trains, and goes on to train on schedule. Returns at once. With a model of an earlier run, scores come first: the first
   * pass reads more than any other, and the training waits for it.
   */
  start(): void {
    void this.#scoreFirst().then(() => this.#trainer.start());
  }

  async #scoreFirst(): Promise<void> {
    if (this.#trainer.model === undefined) return;
    await this.#pass.run(undefined).catch((error: unknown) => {
      this.options.logger.error({ err: error }, 'The first pass failed unexpectedly. Please report this.');
    });
  }

  /**
   * Ends everything: trainings and readings of the past at once, a pass after a few seconds.
   *
   * @param answered resolves when no request is answered any more.
   */
  async close(answered: Promise<void>): Promise<void> {
    // A scrape under way may end by itself, but a Prometheus that hangs must not hold the service up.
    const impatience = setTimeout(() => this.#pass.close(), PASS_GRACE_MILLISECONDS);
    const asking = [this.#context.stop(), this.#forecaster.stop()];
    const ended = [this.#trainer.stop(), this.#keeper?.stop(), this.#checks.stop(), ...asking];
    await Promise.all([...ended, answered]);
    clearTimeout(impatience);
    this.#prometheus.namespaces?.close();
    this.#pass.close();
  }

  renderMetrics(scrapeTimeoutSeconds: number | undefined): ReturnType<Metrics['render']> {
    return this.#metrics.render(() => this.#pass.run(scrapeTimeoutSeconds));
  }

  detect(scrapeTimeoutSeconds: number | undefined): Promise<PassOutcome> {
    return this.#pass.run(scrapeTimeoutSeconds);
  }

  async recentPass(): Promise<PassOutcome> {
    const { last } = this.#passes;
    const hasFailed = last !== undefined && last.kind !== 'detection' && last.kind !== 'no_model';
    const endSeconds = hasFailed ? last.timeSeconds + last.durationSeconds : Number.NaN;
    // The clock may have been set back.
    if (Math.abs(this.options.now() / 1000 - endSeconds) < FAILURE_SHOWN_SECONDS) return last as PassOutcome;
    return this.#pass.run(undefined);
  }

  episodes(): EpisodesState {
    return this.#episodes;
  }

  context(): ContextState {
    return this.#context.state();
  }

  forecast(): ForecastState {
    return this.#forecaster.state();
  }

  history(detection: Detection, rows: readonly number[]): Promise<HistoryOutcome> {
    return this.#histories.read(detection, rows);
  }

  day(detection: Detection, row: number): Promise<DayOutcome> {
    return this.#days.read(detection, row);
  }

  health(): HealthReport {
    const { settings } = this.options;
    return healthReport({
      ...this.#state(),
      prometheusUrl: parseBaseUrl(settings.prometheusUrl).display,
      baseline: settings.baseline,
      incidents: this.#incidents,
      passes: this.#passes,
      nowSeconds: this.options.now() / 1000,
    });
  }

  /** What the metrics and the health report are made from. */
  #state() {
    return {
      version: VERSION,
      model: this.#trainer.model,
      training: this.#trainer.state(),
      snapshot: this.#snapshots?.state(),
      history: this.#keeper?.state(),
      episodes: this.#episodes,
      context: this.#context.state(),
      forecast: this.#forecaster.state(),
      findings: this.#checks.state(),
      sharding: this.#prometheus.namespaces?.state,
    };
  }

  async #train(signal: AbortSignal, occasion: TrainingOccasion): Promise<TrainedModel> {
    const { settings, featureSet, train, checkInstallation, now } = this.options;
    const { api, source, namespaces } = this.#prometheus;
    if (namespaces !== undefined && (await namespaces.get(signal)).length === 0) {
      throw new NothingToTrainOnError(emptyShardMessage(namespaces.state.shard), EMPTY_SHARD_RETRY_SECONDS);
    }
    let seriesSeen: ReadonlyMap<string, number> | undefined;
    // After a success, the queries are sound.
    if (!this.#hasTrained) {
      const newestSeconds = now() / 1000 - settings.queryOffsetSeconds;
      const limited = withDeadline(signal, settings.requestTimeoutSeconds);
      seriesSeen = await requireSoundQueries(api, featureSet, newestSeconds, limited);
    }
    const release = await this.#keeper?.hold();
    const samples = this.#samples;
    this.#samples = undefined;
    let hasSucceeded = false;
    try {
      const result = await train(
        {
          source,
          request: trainingRequest(this.#scope, occasion, {
            history: await this.#keeper?.historyState(),
            seriesSeen,
          }),
          previous: this.#trainer.snapshot,
          samples,
          onSamples: (left) => {
            this.#samples = left;
          },
        },
        signal,
        (code) => this.#countRequest(code),
        trainingLimitSeconds(occasion.untilNextTrainingSeconds),
      );
      this.#hasTrained = true;
      hasSucceeded = true;
      this.#samples = result.samples;
      // Scores come first.
      this.#keeper?.start();
      return result;
    } finally {
      release?.();
      // After a training that failed, the findings are needed most.
      if (checkInstallation) void this.#checks.afterTraining(hasSucceeded);
    }
  }

  #createKeeper(): HistoryKeeper | undefined {
    const { settings, featureSet, logger, now, readHours } = this.options;
    const { historyDays: days, historyLoadPercent: loadPercent, queryOffsetSeconds, maximumPods, modelPath } = settings;
    if (days === 0 || settings.baseline === 'cluster') return undefined;
    const { features, ownerQueries } = featureSet;
    const { source } = this.#prometheus;
    const configuration = { features, source: describeSource(source) };
    const store = new ModelStore(`${modelPath}.history`, now);
    const request = { features, ownerQueries, maximumPods };
    return new HistoryKeeper({
      days,
      loadPercent,
      queryOffsetSeconds,
      ...featureNames({ features }),
      read: (stretch, signal) => {
        const expectedPods = this.#trainer.model?.pods;
        return readHours({ source, request: { ...request, ...stretch, expectedPods } }, signal, (code) =>
          this.#countRequest(code),
        );
      },
      retrain: () => this.#trainer.train(),
      file: modelPath === '' ? undefined : new HistoryFile({ store, configuration, days, logger, now }),
      logger,
      now,
      delay,
    });
  }

  #whyNoModel(): string {
    const { namespaces, shard } = this.#prometheus.namespaces?.state ?? {};
    if (namespaces === 0 && shard !== undefined) return emptyShardMessage(shard);
    const { lastError } = this.#trainer.state();
    return lastError === undefined
      ? 'The first training has not finished yet.'
      : `There is no model yet: ${lastError.message}`;
  }

  #record(outcome: PassOutcome): void {
    const { last, lastUpstreamError } = this.#passes;
    logOutcome(this.options.logger, last, outcome);
    if (outcome.kind === 'detection') {
      this.#episodes = advance(this.#episodes, outcome.detection, outcome.isPartial);
      this.#incidents = countIncidents(this.#incidents, this.#episodes);
      void this.#context.ask(outcome.detection);
      void this.#forecaster.ask(outcome.detection);
    }
    this.#passes = {
      last: outcome,
      lastUpstreamError: isUpstreamFailure(outcome) ? outcome : lastUpstreamError,
    };
  }

  #countRequest(code: string): void {
    this.#requests.set(code, (this.#requests.get(code) ?? 0) + 1);
  }

  /** Logs the first list, and when the shard gets its first namespace or loses its last one. */
  #logNamespaces({ length }: readonly string[]): void {
    const { logger } = this.options;
    const shard = this.#prometheus.source.sharding?.shard;
    if (shard === undefined || this.#hadNamespaces === length > 0) return;
    this.#hadNamespaces = length > 0;
    if (length === 0) logger.warn({}, emptyShardMessage(shard));
    else {
      const message = `Shard ${shard.ordinal} of ${shard.total} (counted from 0) watches its namespaces.`;
      logger.info({ namespaces: length }, message);
    }
  }
}

async function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

function trainingScope(settings: Settings, { features, ownerQueries }: FeatureSet): TrainingScope {
  return {
    features,
    ownerQueries,
    parameters: modelParameters(settings),
    lookbackSeconds: settings.trainingLookbackMinutes * 60,
    stepSeconds: settings.queryStepSeconds,
    maximumPods: settings.maximumPods,
    queryOffsetSeconds: settings.queryOffsetSeconds,
  };
}

/** `undefined` where no model is kept. */
function snapshotManager(
  { settings, logger, now }: ServiceOptions,
  scope: TrainingScope,
  source: readonly string[],
): SnapshotManager | undefined {
  if (settings.modelPath === '') return undefined;
  const interval = longestIntervalSeconds(settings.retrainSchedule, settings.retrainTimezone, now() / 1000) ?? 0;
  return new SnapshotManager({
    store: new ModelStore(settings.modelPath, now),
    configuration: { ...scope, source },
    maximumAgeSeconds: modelLifeSeconds(interval),
    logger,
    now,
  });
}
