/** The demo: a simulated cluster, the real exporter on top of it, and a terminal that shows what it finds. */

import { setTimeout as delay } from 'node:timers/promises';
import { parseSettings } from '../../exporter/config/parse.js';
import type { Environment } from '../../exporter/config/settings.js';
import { DetectResponse, ErrorResponse, HealthReport } from '../../exporter/http/schemas.js';
import { startService } from '../../exporter/serve.js';
import { createLogger } from '../../lib/logging/logger.js';
import { messageOf } from '../../lib/logging/message-of.js';
import { createWorld, type World } from '../simulation/cluster.js';
import { DAILY_JOB, HEAVIER_RELEASE, ROLLOUTS } from '../simulation/workloads.js';
import { freePort, portError, type RunningServer } from './listen.js';
import { advance, beginProgress, type Observation } from './progress.js';
import { startPrometheusApi } from './prometheus-api.js';
import { worldQueries } from './queries.js';
import { startScrapingPrometheus } from './sources.js';
import { createView, type Output } from './terminal.js';
import { describeModel } from './words.js';

export interface DemoOptions {
  /** Port of the exporter on 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** Factor by which incidents start and develop faster. */
  readonly speed: number;
  /** Port of the simulated Prometheus on 127.0.0.1; 0 takes a free one. */
  readonly prometheusPort?: number;
  /** Whether a real Prometheus, which must be installed, scrapes the simulated cluster. */
  readonly prometheus: boolean;
}

export interface DemoContext {
  readonly stdout: Output;
  /** Ends the demo. */
  readonly signal: AbortSignal;
  readonly environment: Environment;
}

const SEED = 1;
/** What a real Prometheus is given of the past: as much as the exporter asks for, and an hour for the first comparison. */
const HISTORY_DAYS = 8.1;
/** Writing it takes about as long. */
const PREPARATION_SECONDS = 15;
const POLL_MILLISECONDS = 2_000;
const REQUEST_LIMIT_MILLISECONDS = 5_000;
const nowSeconds = () => Date.now() / 1000;

/** Settings of the detector that can be tried on the demo. The demo sets the others itself. */
const TUNABLE = /^(IFOREST_|ANOMALY_|BASELINE$|HISTORY_DAYS$|ALERT_BUDGET_PER_DAY$|TUNING_FILE$)/;

/**
 * Runs until the signal.
 *
 * @throws {Error} when a part cannot be started; the parts that were started are stopped.
 */
export async function runDemo(
  options: DemoOptions,
  { stdout, signal, environment }: DemoContext,
  start: typeof startService = startService,
): Promise<void> {
  // A real Prometheus has to be given its history first.
  const startSeconds = nowSeconds() + (options.prometheus ? PREPARATION_SECONDS : 0);
  if (options.prometheus) stdout.write('Prometheus gets eight days of history, which takes some seconds.\n');
  const world = createWorld({
    ...{ seed: SEED, startSeconds, speed: options.speed },
    rollouts: [...ROLLOUTS, HEAVIER_RELEASE],
    dailyJob: DAILY_JOB,
  });
  const running: Pick<RunningServer, 'close'>[] = [];
  try {
    const port = options.prometheus && options.port === 0 ? await freePort() : options.port;
    const path = environment.PATH ?? '';
    const prometheus = options.prometheus
      ? await startScrapingPrometheus({
          world,
          nowSeconds,
          exporterPort: port,
          historyDays: HISTORY_DAYS,
          path,
          signal,
        })
      : await startPrometheusApi(worldQueries(world), nowSeconds, options.prometheusPort);
    running.push(prometheus);
    const { settings } = parseSettings({
      ...Object.fromEntries(Object.entries(environment).filter(([name]) => TUNABLE.test(name))),
      PROMETHEUS_URL: prometheus.url,
      HOST: '127.0.0.1',
      PORT: String(port),
      // This Prometheus serves nobody else.
      HISTORY_LOAD_PERCENT: '100',
      // Nobody who watches waits for a quarter of an hour until a level is accepted.
      RETRAIN_SCHEDULE: '* * * * *',
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'text',
    });
    const logger = createLogger({ level: settings.logLevel, format: settings.logFormat });
    const exporter = await start(settings, logger, { checkInstallation: options.prometheus }).catch((error) => {
      throw portError(error, port);
    });
    running.push(exporter);

    let progress = beginProgress(world.incidents, startSeconds, world.pods(startSeconds).length);
    const colours = !environment.NO_COLOR;
    // The simulated Prometheus has an API but no pages.
    const page = options.prometheus ? '/' : '/api/v1/query?query=kube_pod_owner';
    const links = { exporter: exporter.url, prometheus: `${prometheus.url}${page}` };
    const view = createView(stdout, links, colours, progress);
    while (!signal.aborted) {
      const observation = await observe(exporter.url, world, signal);
      if (signal.aborted) break;
      progress = advance(progress, observation);
      view.show(progress);
      await delay(POLL_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
    view.end(progress);
  } catch (error) {
    // An interruption by the signal is not a failure.
    if (!signal.aborted) throw error;
  } finally {
    for (const part of running.reverse()) await part.close();
  }
}

async function observe(url: string, world: World, signal: AbortSignal): Promise<Observation> {
  const timeSeconds = nowSeconds();
  const observed = {
    timeSeconds,
    pods: world.pods(timeSeconds).length,
    flagged: undefined,
    ended: [],
    history: undefined,
  };
  const get = (path: string) =>
    fetch(`${url}${path}`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_LIMIT_MILLISECONDS)]),
    });
  try {
    const detect = await get('/detect?flagged=true');
    if (!detect.ok) {
      const { error } = ErrorResponse.parse(await detect.json());
      return { ...observed, status: error.message };
    }
    const { pods: flagged, ended } = DetectResponse.parse(await detect.json());
    const health = HealthReport.parse(await (await get('/healthz')).json());
    const { known_days: knownDays = 0, missing_hours: missing = 1 } = health.history ?? {};
    // What was read last is in the model once it is trained.
    const isComplete = missing === 0 && !health.training.running;
    return { ...observed, flagged, ended, status: describeModel(health), history: { knownDays, isComplete } };
  } catch (error) {
    return { ...observed, status: `The exporter did not answer: ${messageOf(error)}` };
  }
}
