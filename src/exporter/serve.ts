/** Puts the service together: the only place where the parts meet. */

import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../lib/deadline.js';
import type { Logger } from '../lib/logging/logger.js';
import { comparePassword } from '../lib/web-config/compare-password.js';
import { openWebConfig } from '../lib/web-config/live-config.js';
import { createFindingsKeeper } from './check/findings.js';
import type { Settings } from './config/settings.js';
import { describeSource, openPrometheus } from './connect.js';
import { isUpstreamFailure, logOutcome } from './detection/log-outcome.js';
import { DetectionPass } from './detection/pass.js';
import { RecentPass } from './detection/recent-pass.js';
import { requireSoundQueries } from './features/queries/check-features.js';
import { loadFeatures } from './features/queries/load-features.js';
import { healthReport, type PassHistory } from './health.js';
import { createApp } from './http/app.js';
import { listen } from './http/server.js';
import { HistoryReader } from './http/status-page/history-reader.js';
import { createMetrics } from './metrics/registry.js';
import { ModelSlot } from './model/slot.js';
import { SnapshotKeeper } from './model/snapshot/manager.js';
import type { TrainingConfiguration } from './model/snapshot/snapshot.js';
import { ModelStore } from './model/snapshot/store.js';
import { parseBaseUrl } from './prometheus/url.js';
import { shardingWarnings } from './sharding/plan.js';
import { emptyShardMessage } from './sharding/shard.js';
import { modelParameters, type TrainingScope, trainingRequest } from './training/request.js';
import { NothingToTrainOnError, trainInWorker, trainingLimitSeconds } from './training/run-in-worker.js';
import { longestIntervalSeconds, startSchedule } from './training/schedule.js';
import { Trainer } from './training/trainer.js';
import { VERSION } from './version.js';

/** A running service. */
export interface Service {
  /** Where it listens: `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Answers what is under way, ends a training, and lets go of the port. */
  close(): Promise<void>;
}

/** How soon a shard without namespaces looks again whether it has something to train on. */
const EMPTY_SHARD_RETRY_SECONDS = 60;

/** Time for a pass that is under way when the service ends. */
const PASS_GRACE_MILLISECONDS = 5_000;

/** What a caller may change besides the settings. */
export interface ServiceOptions {
  /** Whether to check the installation after each training; `false` where Prometheus only answers what serves scores. */
  readonly checkInstallation: boolean;
}

/**
 * Starts the exporter: loads the model of an earlier run where there is one, listens, then trains.
 *
 * @throws {FeatureFileError} when the feature file cannot be read, or is wrong.
 * @throws {WebConfigError} when the web configuration, or a file that it names, cannot be read or is wrong.
 * @throws {Error} when the address cannot be listened on.
 */
export async function startService(
  settings: Settings,
  logger: Logger,
  { checkInstallation }: ServiceOptions = { checkInstallation: true },
): Promise<Service> {
  const prometheusUrl = parseBaseUrl(settings.prometheusUrl).display;
  const featureSet = await loadFeatures(settings.featuresFile, settings);
  const web = await openWebConfig(settings.webConfigFile, { logger, now: Date.now });
  const slot = new ModelSlot();
  const requests = new Map<string, number>();
  /** How many of its namespaces a shard has, where that begins, ends, or is told for the first time. */
  let hadNamespaces: boolean | undefined;
  const logNamespaces = ({ length }: readonly string[]) => {
    if (sharding === undefined || hadNamespaces === length > 0) return;
    hadNamespaces = length > 0;
    const { ordinal, total } = sharding.shard;
    if (length === 0) logger.warn({}, emptyShardMessage(sharding.shard));
    else
      logger.info(
        { namespaces: length },
        `Shard ${ordinal} of ${total} (counted from 0) watches its namespaces.`,
      );
  };
  const onRequest = (code: string) => void requests.set(code, (requests.get(code) ?? 0) + 1);
  const onWarning = (sentence: string) => logger.warn({}, sentence);
  const { source, api, namespaces } = openPrometheus(settings, featureSet, {
    onRequest,
    onWarning,
    now: Date.now,
    onNamespaces: logNamespaces,
  });
  const { sharding } = source;
  if (sharding !== undefined) for (const warning of shardingWarnings(featureSet)) onWarning(warning);
  const scope: TrainingScope = {
    features: featureSet.features,
    ownerQueries: featureSet.ownerQueries,
    parameters: modelParameters(settings),
    lookbackSeconds: settings.trainingLookbackMinutes * 60,
    stepSeconds: settings.queryStepSeconds,
    maximumPods: settings.maximumPods,
    queryOffsetSeconds: settings.queryOffsetSeconds,
  };
  const configuration: TrainingConfiguration = { ...scope, source: describeSource(source) };
  const snapshots = snapshotKeeper(settings, configuration, logger);
  const findings = createFindingsKeeper(settings, featureSet, api, logger);
  const trainer = new Trainer({
    slot,
    logger,
    now: Date.now,
    ...(snapshots && { save: (encoded, trainedSeconds) => snapshots.save(encoded, trainedSeconds) }),
    delay: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
    startSchedule: (work) => startSchedule(settings.retrainSchedule, settings.retrainTimezone, work, logger),
    train: async (signal, occasion) => {
      if (sharding !== undefined && (await namespaces?.get(signal))?.length === 0) {
        throw new NothingToTrainOnError(emptyShardMessage(sharding.shard), EMPTY_SHARD_RETRY_SECONDS);
      }
      if (trainer.state().lastSuccessSeconds === undefined) {
        const newestSeconds = Date.now() / 1000 - settings.queryOffsetSeconds;
        const limited = withDeadline(signal, settings.requestTimeoutSeconds);
        await requireSoundQueries(api, featureSet, newestSeconds, limited);
      }
      const input = { source, request: trainingRequest(scope, occasion), encode: snapshots !== undefined };
      const limitSeconds = trainingLimitSeconds(occasion.untilNextTrainingSeconds);
      // A training that failed is when the findings are wanted most.
      return trainInWorker(input, signal, onRequest, limitSeconds).finally(() => {
        if (checkInstallation) void findings.refresh();
      });
    },
  });
  const snapshot = await snapshots?.load();
  if (snapshot !== undefined) trainer.restore(snapshot);

  let passes: PassHistory = { last: undefined, lastUpstreamError: undefined };
  const pass = new DetectionPass({
    api,
    ownerQueries: featureSet.ownerQueries,
    queryOffsetSeconds: settings.queryOffsetSeconds,
    model: () => slot.get(),
    timeoutSeconds: settings.requestTimeoutSeconds,
    maximumPods: settings.maximumPods,
    now: Date.now,
    whyNoModel: () => {
      const { lastError } = trainer.state();
      if (sharding !== undefined && namespaces?.current?.length === 0)
        return emptyShardMessage(sharding.shard);
      return lastError === undefined
        ? 'The first training has not ended yet.'
        : `There is no model yet: ${lastError.message}`;
    },
    onOutcome: (outcome) => {
      logOutcome(logger, passes.last, outcome);
      passes = {
        last: outcome,
        lastUpstreamError: isUpstreamFailure(outcome)
          ? { message: outcome.message, timeSeconds: outcome.timeSeconds }
          : passes.lastUpstreamError,
      };
    },
  });

  const recent = new RecentPass({
    run: (seconds) => pass.run(seconds),
    last: () => passes.last,
    now: Date.now,
  });
  const histories = new HistoryReader(api);

  const metrics = createMetrics(() => ({
    model: slot.get(),
    training: trainer.state(),
    snapshot: snapshots?.state(),
    findings: findings.state(),
    sharding: namespaces?.state,
    prometheusRequests: requests,
    webConfigReload: web.state,
    explain: settings.explain,
    version: VERSION,
  }));
  const app = createApp({
    version: VERSION,
    renderMetrics: ({ scrapeTimeoutSeconds }) => metrics.render(() => recent.scrape(scrapeTimeoutSeconds)),
    detect: ({ scrapeTimeoutSeconds }) => pass.run(scrapeTimeoutSeconds),
    recentPass: () => recent.recent(),
    history: (detection, rows) => histories.read(detection, rows),
    now: Date.now,
    health: () =>
      healthReport({
        version: VERSION,
        prometheusUrl,
        baseline: settings.baseline,
        model: slot.get(),
        training: trainer.state(),
        snapshot: snapshots?.state(),
        findings: findings.state(),
        sharding: namespaces?.state,
        passes,
        nowSeconds: Date.now() / 1000,
      }),
    access: {
      webConfig: () => web.current,
      comparePassword,
      now: Date.now,
      maxRequests: settings.maxRequests,
    },
    logError: (error, context) => logger.error({ err: error }, `${context} failed.`),
  });

  const { tls } = web.current;
  const server = await listen(
    app,
    {
      host: settings.host,
      port: settings.port,
      onError: (error) =>
        logger.error({ err: error }, 'The HTTP server reported an error and keeps running.'),
    },
    tls && { settings: tls, onChange: web.onTls.bind(web) },
  );
  logger.info(
    { version: VERSION, prometheus: prometheusUrl, baseline: settings.baseline },
    `Listening on ${server.url}.`,
  );
  trainer.start();
  return {
    url: server.url,
    async close() {
      // A scrape under way may end by itself, but a Prometheus that hangs must not hold the service up.
      const impatience = setTimeout(() => pass.close(), PASS_GRACE_MILLISECONDS);
      await Promise.all([trainer.stop(), findings.stop(), server.close()]);
      clearTimeout(impatience);
      namespaces?.close();
      web.close();
      pass.close();
    },
  };
}

/**
 * A training remembers the usual level of up to three hours before (`historySlices`): what is older than that, a
 * model of today would not know either.
 */
const MEMORY_SECONDS = 3 * 3600;

/** Where trainings are rarer, models serve for longer by choice: one training may be missed. */
const INTERVALS_TO_KEEP = 2;

function snapshotKeeper(
  settings: Settings,
  configuration: TrainingConfiguration,
  logger: Logger,
): SnapshotKeeper | undefined {
  if (settings.modelPath === '') return undefined;
  const interval = longestIntervalSeconds(settings.retrainSchedule, settings.retrainTimezone) ?? 0;
  return new SnapshotKeeper({
    store: new ModelStore({ path: settings.modelPath, now: Date.now }),
    configuration,
    maximumAgeSeconds: Math.max(MEMORY_SECONDS, INTERVALS_TO_KEEP * interval),
    logger,
    now: Date.now,
  });
}
