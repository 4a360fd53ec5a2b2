/** A cluster in trouble, watched by a real Prometheus with the shipped rules, in which each query of a runbook has an answer. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RULES_FILE } from '../../scripts/prometheus-rules.js';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { type RunningService, startService } from '../../src/exporter/serve.js';
import { EXPOSITION_CONTENT_TYPE, expositionText, openMetricsHistory } from '../../src/tools/demo/exposition.js';
import { freePort, listen } from '../../src/tools/demo/listen.js';
import { createWorld, type World } from '../../src/tools/simulation/cluster.js';
import type { ScriptedIncident } from '../../src/tools/simulation/incidents.js';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';
import { incidentUnderWay } from './incident-under-way.js';
import { startPrometheus, writeHistory } from './real-servers.js';
import { recordingLogger } from './recording-logger.js';

const MINUTE_SECONDS = 60;

/** One pod that crashes, one that leaks, and three workloads of a namespace as a whole: more than a fifth of all pods. */
const INCIDENTS: readonly ScriptedIncident[] = [
  // For the next eight minutes, two of its restarts are at most ten minutes ago.
  incidentUnderWay('crash-loop', ['platform', 'config-sync', 0], 8),
  // Its container is at its limit in an hour.
  incidentUnderWay('memory-leak', ['payments', 'ledger', 1], 5 * 60),
  incidentUnderWay('fast-leak', ['payments', 'checkout', 0], 12),
  ...[0, 1, 2].map((replica) => incidentUnderWay('runaway-cpu', ['shop', 'cart', replica], 15)),
  ...[0, 1, 2, 3].map((replica) => incidentUnderWay('runaway-cpu', ['shop', 'catalog', replica], 15)),
  ...[0, 1, 2, 3].map((replica) => incidentUnderWay('runaway-cpu', ['shop', 'frontend', replica], 15)),
];

/** Old enough that its pods are scored, and known: a quarter of an hour before the trouble. */
const RELEASE = { namespace: 'shop', workload: 'cart', startOffsetSeconds: -30 * MINUTE_SECONDS };

/** A pod without CPU, and one of which cAdvisor has nothing. */
const UNMEASURED = [
  'container_memory_usage_bytes{namespace="dark",pod="half-0",container="app",id="/half"} 1e8',
  ...['half-0', 'unseen-0'].flatMap((pod) => [
    `kube_pod_info{namespace="dark",pod="${pod}",node="node-9"} 1`,
    `kube_pod_status_phase{namespace="dark",pod="${pod}",phase="Running"} 1`,
    `kube_pod_container_status_restarts_total{namespace="dark",pod="${pod}",container="app"} 0`,
  ]),
];

const MEMORY = 'container_memory_usage_bytes';

/** The same with the memory that cannot be given back, which every kubelet exposes, and the simulated cluster does not. */
function withWorkingSet(text: string): string {
  const lines = text.split('\n').filter((line) => line.startsWith(`${MEMORY}{`));
  return lines.map((line) => `container_memory_working_set_bytes${line.slice(MEMORY.length)}\n`).join('');
}

/** The past of all of that. */
function* wholeHistory(history: Iterable<string>): Generator<string> {
  const workingSet: string[] = [];
  for (const piece of history) {
    if (piece.startsWith('# EOF')) yield* ['# TYPE container_memory_working_set_bytes gauge\n', ...workingSet];
    yield piece;
    if (piece.startsWith(`${MEMORY}{`)) workingSet.push(withWorkingSet(piece));
  }
}

/** As the scrapes: pods that have just come are no problem. */
function* unmeasuredHistory(endSeconds: number, targetLabels: string): Generator<string> {
  for (const line of UNMEASURED) {
    const [, series = '', value = ''] = /^(.+)\} (\S+)$/.exec(line) ?? [];
    for (let time = endSeconds - 20 * MINUTE_SECONDS; time <= endSeconds; time += 15) {
      yield `${series},${targetLabels}} ${value} ${time}\n`;
    }
  }
  yield '# EOF\n';
}

export interface RunbookCluster {
  readonly world: World;
  readonly prometheusUrl: string;
  readonly exporterUrl: string;
  /** Between the exporter and Prometheus. */
  readonly proxy: FaultProxy;
  /** Mutes pods by the file of the installation: a regular expression for their names. */
  mute(pod: string): Promise<void>;
  stopExporter(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts all of it, with an hour of history. Two more exporters are scraped under another job: one whose namespaces do not
 * exist, so that it has no model and its check finds an error, and one of another number of shards.
 */
export async function startRunbookCluster(): Promise<RunbookCluster> {
  const nowSeconds = () => Date.now() / 1000;
  const start = Math.floor(nowSeconds());
  const world = createWorld({ seed: 7, startSeconds: start, rollouts: [RELEASE], incidents: INCIDENTS });
  const directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-runbooks-'));
  const running: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const part of running.reverse()) await part.close();
    await rm(directory, { recursive: true, force: true });
  };
  const started = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    running.push(part);
    return part;
  };
  try {
    const cluster = started(
      await listen((_, response) => {
        response.writeHead(200, { 'content-type': EXPOSITION_CONTENT_TYPE });
        const text = expositionText(world, nowSeconds());
        response.end(`${text}${withWorkingSet(text)}${UNMEASURED.join('\n')}\n`);
      }),
    );
    const instance = new URL(cluster.url).host;
    const [port, misdirectedPort, shardPort] = [await freePort(), await freePort(), await freePort()];
    const configuration = join(directory, 'prometheus.yml');
    await writeFile(
      configuration,
      JSON.stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
        rule_files: [join(directory, 'rules.yaml')],
        scrape_configs: [
          scrape('cluster', [instance], '5s'),
          // As where two replicas run.
          scrape('k8s-anomaly-detector', [`127.0.0.1:${port}`, `localhost:${port}`], '2s'),
          scrape('others', [`127.0.0.1:${misdirectedPort}`, `127.0.0.1:${shardPort}`], '2s'),
        ],
      }),
    );
    const rules = await readFile(RULES_FILE, 'utf8');
    // Readings are counted, so they may be near each other.
    await writeFile(join(directory, 'rules.yaml'), rules.replaceAll('interval: 30s', 'interval: 1s'));
    await writeHistory(
      directory,
      wholeHistory(
        openMetricsHistory(world, {
          startSeconds: start - 70 * MINUTE_SECONDS,
          endSeconds: start,
          stepSeconds: 15,
          daysBefore: 0.3,
          targetLabels: { job: 'cluster', instance },
        }),
      ),
    );
    await writeHistory(directory, unmeasuredHistory(start, `job="cluster",instance="${instance}"`));
    const prometheus = started(await startPrometheus({ directory, port: await freePort(), configuration }));
    const proxy = started(await startFaultProxy(prometheus.url));
    const tuningFile = join(directory, 'tuning.yaml');
    await writeFile(tuningFile, 'rules: []\n');
    const exporterOf = async (ofPort: number, environment: Readonly<Record<string, string>>) => {
      const { settings } = parseSettings({
        PROMETHEUS_URL: prometheus.url,
        HOST: '127.0.0.1',
        PORT: String(ofPort),
        // An hour is all that there is: what lasts is judged by it, and would be usual after the next training.
        HISTORY_DAYS: '0',
        RETRAIN_SCHEDULE: '0 4 29 2 *',
        ...environment,
      });
      return startService(settings, recordingLogger());
    };
    let exporter: RunningService | undefined = await exporterOf(port, {
      PROMETHEUS_URL: proxy.url,
      TUNING_FILE: tuningFile,
    });
    const stopExporter = async () => {
      await exporter?.close();
      exporter = undefined;
    };
    const { url: exporterUrl } = exporter;
    started({ close: stopExporter });
    started(await exporterOf(misdirectedPort, { NAMESPACE_REGEX: 'no-such-namespace' }));
    started(await exporterOf(shardPort, { SHARD: '1', TOTAL_SHARDS: '3', EXPLAIN: 'off' }));
    return {
      world,
      prometheusUrl: prometheus.url,
      exporterUrl,
      proxy,
      mute: (pod) => writeFile(tuningFile, `rules: [{ match: { pod: "${pod}" }, mute: [{}] }]\n`),
      stopExporter,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function scrape(job: string, targets: readonly string[], timeout: string) {
  return {
    job_name: job,
    honor_labels: true,
    scrape_interval: timeout,
    scrape_timeout: timeout,
    static_configs: [{ targets }],
  };
}
