/** What an exporter exposes over some time, recorded in seconds. */

import { join } from 'node:path';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { openPrometheus } from '../../src/exporter/connect.js';
import { loadFeatures } from '../../src/exporter/features/queries/feature-file.js';
import { Service } from '../../src/exporter/service.js';
import { readHoursInWorker, trainInWorker } from '../../src/exporter/training/run-in-worker.js';
import { startPrometheusApi } from '../../src/tools/demo/prometheus-api.js';
import { worldQueries } from '../../src/tools/demo/queries.js';
import type { World } from '../../src/tools/simulation/cluster.js';
import { requireDays } from './known-days.js';
import { recordingLogger } from './recording-logger.js';
import { eventually } from './waiting.js';

export interface TapeOptions {
  /** What was before: the exporter learns from it, once for all tapes. */
  readonly past: World;
  /** Unix time of the first scrape. */
  readonly startSeconds: number;
  readonly minutes: number;
  /** An empty one, for the model. */
  readonly directory: string;
  /** `PAGE_URL` and `DASHBOARD_URL` of the exporter. */
  readonly links: { readonly page: string; readonly dashboard: string };
}

const MINUTE_SECONDS = 60;
/** Seconds of the simulated time from one scrape to the next. */
export const TAPE_STEP_SECONDS = 30;
/** For three days of history on a busy machine. */
const LEARN_LIMIT_MILLISECONDS = 400_000;

/**
 * Lets an exporter learn the days before `startSeconds`, and then, for each world, one that has its model scrape that world
 * every half minute, with a clock that is set from one scrape to the next. It is the exporter of the product without its socket;
 * it trains no more after the start.
 *
 * @returns for each world the text of each scrape.
 */
export async function recordTapes(
  worlds: readonly World[],
  { past, startSeconds, minutes, directory, links }: TapeOptions,
): Promise<string[][]> {
  let world = past;
  let nowSeconds = startSeconds;
  const now = () => 1000 * nowSeconds;
  const prometheus = await startPrometheusApi(
    (query) => worldQueries(world)(query),
    () => nowSeconds,
  );
  const { settings } = parseSettings({
    PROMETHEUS_URL: prometheus.url,
    // The least from which boundaries are calibrated: the last day is not learned from.
    HISTORY_DAYS: '4',
    HISTORY_LOAD_PERCENT: '100',
    MODEL_PATH: join(directory, 'model'),
    // Once a year.
    RETRAIN_SCHEDULE: '0 0 1 1 *',
    REQUEST_TIMEOUT_SECONDS: '30',
    PAGE_URL: links.page,
    DASHBOARD_URL: links.dashboard,
  });
  const featureSet = await loadFeatures(settings.featuresFile, settings);
  const newService = () =>
    new Service({
      ...{ settings, featureSet, logger: recordingLogger(), now },
      open: (callbacks) => openPrometheus(settings, featureSet, { ...callbacks, now }),
      train: trainInWorker,
      readHours: readHoursInWorker,
      droppedLogLines: () => 0,
      webConfigReload: () => undefined,
      tuning: undefined,
      checkInstallation: false,
    });
  const use = async <Result>(task: (service: Service) => Promise<Result>): Promise<Result> => {
    const service = newService();
    try {
      return await task(service);
    } finally {
      await service.close(Promise.resolve());
    }
  };
  const scrapes = async (service: Service) => {
    // The worker has stamped the model with the time of the machine, which no later time than that may restore.
    nowSeconds = Date.now() / 1000;
    await service.restore();
    const texts: string[] = [];
    for (let second = 0; second < MINUTE_SECONDS * minutes; second += TAPE_STEP_SECONDS) {
      nowSeconds = startSeconds + second;
      const { body } = await service.renderMetrics(undefined);
      if (!/^anomaly_flag\{/m.test(body)) throw new Error('Expected scores in each scrape of the tape.');
      texts.push(body);
      // What is asked beside the pass comes with the next scrape: half a minute is enough for it.
      if (/^anomaly_flag\{.*\} 1$/m.test(body)) await eventually(() => requireContext(service, nowSeconds));
    }
    return texts;
  };
  try {
    await use(async (service) => {
      service.start();
      await eventually(() => requireDays(service.health()), LEARN_LIMIT_MILLISECONDS);
    });
    const tapes: string[][] = [];
    for (const next of worlds) {
      world = next;
      tapes.push(await use(scrapes));
    }
    return tapes;
  } finally {
    await prometheus.close();
  }
}

function requireContext(service: Service, nowSeconds: number): void {
  const { askedSeconds = 0, lastError } = service.context();
  if (askedSeconds > nowSeconds - MINUTE_SECONDS) return;
  throw new Error(`The context of flagged pods is not there: ${lastError?.message}`);
}
