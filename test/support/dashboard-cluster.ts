/** A simulated cluster in trouble, a real Prometheus that scrapes it, and the exporter beside it. */

import { parseSettings } from '../../src/exporter/config/parse.js';
import { type RunningService, startService } from '../../src/exporter/serve.js';
import { openMetricsHistory } from '../../src/tools/demo/exposition.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { startRealPrometheus } from '../../src/tools/demo/real-prometheus.js';
import { startExposition } from '../../src/tools/demo/sources.js';
import { createWorld, type World } from '../../src/tools/simulation/cluster.js';
import type { ScriptedIncident } from '../../src/tools/simulation/incidents.js';
import { recordingLogger } from './recording-logger.js';

const EXPORTER_JOB = 'k8s-anomaly-detector';

/** Where people reach the page of the exporter, as it is told. */
export const PAGE_URL = 'https://anomalies.example.org';

export interface MonitoredCluster {
  readonly world: World;
  readonly prometheusUrl: string;
  close(): Promise<void>;
}

/**
 * Starts all of it, with an hour of history. Prometheus scrapes the exporter under two names, as it does where two
 * replicas run.
 *
 * @param incidents offsets count from now; those that have begun are in the history.
 * @param cluster the label `cluster` of all series; without it, none has one.
 */
export async function startMonitoredCluster(
  incidents: readonly ScriptedIncident[],
  cluster?: string,
): Promise<MonitoredCluster> {
  const clusterLabel = cluster === undefined ? {} : { cluster };
  const nowSeconds = () => Date.now() / 1000;
  const start = Math.floor(nowSeconds());
  const world = createWorld({ seed: 7, startSeconds: start, rollouts: [], incidents });
  const running: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const part of running.reverse()) await part.close();
  };
  try {
    const exposition: RunningServer = await startExposition(world, nowSeconds);
    running.push(exposition);
    const instance = new URL(exposition.url).host;
    const port = await freePort();
    const prometheus = await startRealPrometheus({
      path: process.env.PATH ?? '',
      configuration: configuration(instance, [`127.0.0.1:${port}`, `localhost:${port}`], clusterLabel),
      history: openMetricsHistory(world, {
        startSeconds: start - 70 * 60,
        endSeconds: start,
        stepSeconds: 15,
        targetLabels: { job: 'cluster', instance, ...clusterLabel },
      }),
    });
    running.push(prometheus);
    const { settings } = parseSettings({
      PROMETHEUS_URL: prometheus.url,
      HOST: '127.0.0.1',
      PORT: String(port),
      PAGE_URL,
    });
    const exporter: RunningService = await startService(settings, recordingLogger());
    running.push(exporter);
    return { world, prometheusUrl: prometheus.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function configuration(
  cluster: string,
  exporters: readonly string[],
  labels: Readonly<Record<string, string>>,
): string {
  const quoted = (list: readonly string[]) => list.map((target) => `'${target}'`).join(', ');
  const targets = (list: readonly string[]) => `[{ targets: [${quoted(list)}], labels: ${JSON.stringify(labels)} }]`;
  return `global: { scrape_interval: 2s, scrape_timeout: 2s }
scrape_configs:
  - { job_name: cluster, honor_labels: true, scrape_interval: 5s, static_configs: ${targets([cluster])} }
  - { job_name: ${EXPORTER_JOB}, honor_labels: true, static_configs: ${targets(exporters)} }
`;
}
