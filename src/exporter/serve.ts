/** Starts the service: wires it to the settings, the clock, the training thread and the socket. */

import type { ProcessLogger } from '../lib/logging/logger.js';
import { comparePassword } from '../lib/web-config/compare-password.js';
import { openWebConfig } from '../lib/web-config/live-config.js';
import type { Settings } from './config/settings.js';
import { openPrometheus } from './connect.js';
import { loadFeatures } from './features/queries/feature-file.js';
import { createApp } from './http/app.js';
import { listen } from './http/server.js';
import { parseBaseUrl } from './prometheus/url.js';
import { Service, type ServiceOptions } from './service.js';
import { readHoursInWorker, trainInWorker } from './training/run-in-worker.js';
import { openTuningFile } from './tuning/tuning-file.js';
import { VERSION } from './version.js';

export interface RunningService {
  /** Where it listens: `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Answers what is under way, ends a training, and lets go of the port. */
  close(): Promise<void>;
}

/**
 * Starts the exporter: loads the model of an earlier run where there is one, listens, then trains.
 *
 * @throws {MistakesError} when the feature file, the tuning file or the web configuration cannot be read, or is wrong.
 * @throws {Error} when the address cannot be listened on.
 */
export async function startService(
  settings: Settings,
  logger: ProcessLogger,
  { checkInstallation }: Pick<ServiceOptions, 'checkInstallation'> = { checkInstallation: true },
): Promise<RunningService> {
  const now = Date.now;
  const featureSet = await loadFeatures(settings.featuresFile, settings);
  const tuning = await openTuningFile(settings.tuningFile, { logger, now });
  const web = await openWebConfig(settings.webConfigFile, { logger, now });
  const service = new Service({
    settings,
    featureSet,
    logger,
    now,
    open: (callbacks) => openPrometheus(settings, featureSet, { ...callbacks, now }),
    train: trainInWorker,
    readHours: readHoursInWorker,
    droppedLogLines: () => logger.dropped(),
    webConfigReload: () => web.state,
    tuning,
    checkInstallation,
  });
  await service.restore();
  const app = createApp({
    version: VERSION,
    exporter: service,
    now,
    dashboardUrl: settings.dashboardUrl,
    access: { webConfig: () => web.current, comparePassword, now, maxRequests: settings.maxRequests },
    logError: (error, context) => logger.error({ err: error }, `${context} failed.`),
  });
  const { tls } = web.current;
  const { host, port, baseline } = settings;
  const onError = (error: Error) =>
    logger.error({ err: error }, 'The HTTP server reported an error and keeps running.');
  const server = await listen(app, { host, port, onError }, tls && { settings: tls, onChange: web.onTls.bind(web) });
  const prometheus = parseBaseUrl(settings.prometheusUrl).display;
  logger.info({ version: VERSION, prometheus, baseline }, `Listening on ${server.url}.`);
  service.start();
  return {
    url: server.url,
    async close() {
      await service.close(server.close());
      web.close();
      tuning?.close();
    },
  };
}
