/** A real Prometheus that scrapes the world. */

import type { World } from '../simulation/cluster.js';
import { EXPOSITION_CONTENT_TYPE, expositionText, openMetricsHistory } from './exposition.js';
import { listen, type RunningServer } from './listen.js';
import { type RealPrometheusOptions, startRealPrometheus } from './real-prometheus.js';

/** Exposes the world at the time of each request, at any path. */
export function startExposition(world: World, nowSeconds: () => number): Promise<RunningServer> {
  return listen((_, response) => {
    response.writeHead(200, { 'content-type': EXPOSITION_CONTENT_TYPE });
    response.end(expositionText(world, nowSeconds()));
  });
}

export interface ScrapedWorldOptions extends Pick<RealPrometheusOptions, 'path' | 'signal'> {
  readonly world: World;
  readonly nowSeconds: () => number;
  /** The port of 127.0.0.1 on which the exporter will listen. */
  readonly exporterPort: number;
  /** How many days of history it has. */
  readonly historyDays: number;
}

/** Somewhat more than the training window, at a usual scrape interval. The days before are sparse. */
const SCRAPED_SECONDS = 75 * 60;
const SCRAPED_STEP_SECONDS = 15;
/** Shorter than in the history, so that incidents show soon. */
const SCRAPE_SECONDS = 5;

/** A real Prometheus with a history, which scrapes the world and the exporter. */
export async function startScrapingPrometheus(options: ScrapedWorldOptions): Promise<RunningServer> {
  const { world, nowSeconds, exporterPort, historyDays, ...ofPrometheus } = options;
  const cluster = await startExposition(world, nowSeconds);
  // The same labels in history and scrapes: otherwise each series would end and another begin.
  const target = { job: 'cluster', instance: new URL(cluster.url).host };
  const end = Math.floor(nowSeconds());
  try {
    const prometheus = await startRealPrometheus({
      ...ofPrometheus,
      configuration: configuration(target, `127.0.0.1:${exporterPort}`),
      history: openMetricsHistory(world, {
        startSeconds: end - SCRAPED_SECONDS,
        endSeconds: end,
        stepSeconds: SCRAPED_STEP_SECONDS,
        daysBefore: historyDays,
        targetLabels: target,
      }),
      // On a busy machine more than a minute, in which the exporter would find nothing.
      laterHistory: () => {
        const startSeconds = end + SCRAPED_STEP_SECONDS;
        const endSeconds = Math.floor(nowSeconds());
        if (startSeconds > endSeconds) return undefined;
        const times = { startSeconds, endSeconds, stepSeconds: SCRAPED_STEP_SECONDS };
        return openMetricsHistory(world, { ...times, targetLabels: target });
      },
    });
    return { url: prometheus.url, close: () => prometheus.close().then(cluster.close) };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/** `honor_labels`: the labels `namespace` and `pod` of the exporter name the scored pod, not the exporter itself. */
function configuration(cluster: { job: string; instance: string }, exporter: string): string {
  return `global:
  scrape_interval: ${SCRAPE_SECONDS}s
  scrape_timeout: ${SCRAPE_SECONDS}s
scrape_configs:
  - job_name: ${cluster.job}
    honor_labels: true
    static_configs: [{ targets: ['${cluster.instance}'] }]
  - job_name: k8s-anomaly-detector
    honor_labels: true
    static_configs: [{ targets: ['${exporter}'] }]
`;
}
