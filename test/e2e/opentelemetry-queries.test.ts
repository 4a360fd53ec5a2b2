import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createGrafana } from '../../scripts/dashboard/grafana.js';
import { panelsOf, readDashboard, type TargetJson } from '../../scripts/dashboard/json.js';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { PROMOTED_ATTRIBUTES } from '../../src/exporter/features/opentelemetry/names.js';
import { startService } from '../../src/exporter/serve.js';
import { EXPOSITION_CONTENT_TYPE } from '../../src/tools/demo/exposition.js';
import { freePort, listen } from '../../src/tools/demo/listen.js';
import { type CollectorPod, sendAsCollector, startOtlpPrometheus } from '../support/collector.js';
import { ON_NEWEST_RELEASE, requireTool } from '../support/real-tools.js';
import { recordingLogger } from '../support/recording-logger.js';
import { queriesIn, readRunbook, runbookNames } from '../support/runbooks.js';
import { eventually } from '../support/waiting.js';

const NOW = Math.floor(Date.now() / 1000);
// Some of it lies ahead, so that it is not old on a slow machine; Prometheus takes up to ten minutes.
const SPAN = { startSeconds: NOW - 4200, endSeconds: NOW + 520, stepSeconds: 15 };

const wave = (base: number) => (seconds: number) => base * (1 + 0.03 * Math.sin(seconds / 50));
const everyTwoMinutes = (seconds: number) => Math.floor((seconds - SPAN.startSeconds) / 120);
const USAGE = { cpuAt: wave(0.2), memoryAt: wave(6e8) };

const PODS: readonly CollectorPod[] = [
  { namespace: 'shop', pod: 'cart-0', ...USAGE },
  { namespace: 'shop', pod: 'cart-1', ...USAGE },
  { namespace: 'shop', pod: 'loop-0', ...USAGE, restartsAt: everyTwoMinutes },
  { namespace: 'dark', pod: 'half-0', memoryAt: wave(6e8) },
  { namespace: 'dark', pod: 'unseen-0', node: 'node-9' },
  // As if the Collector were one of the pods, and Prometheus scraped it.
].map((pod) => ({ ...pod, collector: 'cart-0' }));

/** What cAdvisor has of a pod that the Collector measures as well. */
const IN_BOTH = 'container_memory_usage_bytes{namespace="shop",pod="cart-1",container="app"} 7e8\n';

const SELECTED = ['cart-0', 'loop-0'];

type Range = readonly [least: number, most: number];

const CPU: Range = [0.19, 0.21];
const MEMORY: Range = [5.8e8, 6.2e8];
const ANY: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** What the charts of the selected pods show of each of them, by title and name of the query; `undefined` is nothing. */
const CHARTS: Readonly<Record<string, Range | undefined>> = {
  'Score, A': ANY,
  'Deviation by feature, A': ANY,
  'CPU, A': CPU,
  'CPU, B': CPU,
  'CPU, C': [0.5, 0.5],
  'CPU, D': [2, 2],
  'Memory, A': MEMORY,
  'Memory, B': MEMORY,
  'Memory, C': [2 ** 29, 2 ** 29],
  'Memory, D': [2 ** 30, 2 ** 30],
  'CPU throttled, A': undefined,
  'Restarts within ten minutes, A': [0, 5],
};

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What the queries of the runbooks answer, in the order of each page. */
const RUNBOOKS: Readonly<Record<string, readonly (Range | Readonly<Record<string, string>>)[]>> = {
  AnomalyModelMissing: [
    [4, 4],
    [3, 3],
  ],
  AnomalyPodsUnscored: [
    { k8s_namespace_name: 'dark', k8s_pod_name: 'half-0' },
    { k8s_namespace_name: 'dark', k8s_pod_name: 'unseen-0', k8s_node_name: 'node-9' },
  ],
  PodMemoryFull: [MEMORY, [2 ** 30, 2 ** 30], [0.5, 0.6]],
};

// Debian's Prometheus 2 takes no OTLP.
if (ON_NEWEST_RELEASE) {
  describe('with OpenTelemetry as the source', function () {
    this.timeout(180_000);

    let prometheusUrl: string;
    const closing: (() => Promise<void> | void)[] = [];

    before(async function () {
      requireTool(this, 'prometheus');
      const directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-otlp-queries-'));
      closing.push(() => rmSync(directory, { recursive: true, force: true }));
      const cadvisor = await listen((_, response) => {
        response.writeHead(200, { 'content-type': EXPOSITION_CONTENT_TYPE });
        response.end(IN_BOTH);
      });
      closing.push(() => cadvisor.close());
      const port = await freePort();
      const prometheus = await startOtlpPrometheus(directory, {
        otlp: { promote_resource_attributes: [...PROMOTED_ATTRIBUTES, 'namespace', 'pod', 'container'] },
        scrape_configs: [
          {
            job_name: 'both',
            honor_labels: true,
            scrape_interval: '1s',
            scrape_timeout: '1s',
            static_configs: [{ targets: [new URL(cadvisor.url).host, `127.0.0.1:${port}`] }],
          },
        ],
      });
      closing.push(() => prometheus.close());
      prometheusUrl = prometheus.url;
      await sendAsCollector(`${prometheusUrl}/api/v1/otlp/v1/metrics`, PODS, SPAN);
      const { settings } = parseSettings({
        PROMETHEUS_URL: prometheusUrl,
        METRICS_SOURCE: 'opentelemetry',
        MEMORY_METRIC: 'working_set',
        HISTORY_DAYS: '0',
        EXPLAIN: 'all',
        HOST: '127.0.0.1',
        PORT: String(port),
      });
      const exporter = await startService(settings, recordingLogger());
      closing.push(() => exporter.close());
      await eventually(async () => expect(await chart('Memory, B')).to.have.lengthOf(2), 120_000);
    });
    after(async () => {
      for (const close of closing.reverse()) await close();
    });

    const panels = panelsOf(readDashboard()).filter(({ row }) => row.startsWith('The selected pods'));
    const targets = new Map<string, TargetJson>(
      panels.flatMap(({ panel: { title, targets: own } }) =>
        own.map((one) => [`${title}, ${one.refId}`, one] as const),
      ),
    );

    /** The newest value of each series. */
    const chart = async (name: string, pods = SELECTED): Promise<readonly Sample[]> => {
      const toSeconds = Date.now() / 1000;
      const selected = { namespace: ['shop'], pod: pods };
      const range = { fromSeconds: toSeconds - 900, toSeconds, stepSeconds: 15 };
      const target = targets.get(name) ?? expect.fail(`Expected a query ${name}.`);
      const series = await createGrafana({ prometheusUrl, ...range, selected }).runTarget(target);
      return series.map(({ labels, samples }) => ({ labels, value: samples.at(-1)?.[1] ?? Number.NaN }));
    };
    const ask = async (query: string): Promise<readonly Sample[]> => {
      const range = { fromSeconds: NOW, toSeconds: Date.now() / 1000, stepSeconds: 15 };
      const target = { refId: 'A', expr: query, instant: true, range: false };
      const series = await createGrafana({ prometheusUrl, ...range }).runTarget(target);
      return series.map(({ labels, samples }) => ({ labels, value: samples[0]?.[1] ?? Number.NaN }));
    };

    it('the charts of single pods are all looked at here', () => {
      expect([...targets.keys()]).to.have.members(Object.keys(CHARTS));
    });

    for (const [name, range] of Object.entries(CHARTS)) {
      it(`the dashboard: ${name} ${range === undefined ? 'is empty' : 'shows both pods'}`, async () => {
        const series = await chart(name);
        expect(new Set(series.map(({ labels }) => labels.pod))).to.deep.equal(new Set(range && SELECTED));
        for (const { labels, value } of series) {
          expect(labels.namespace).to.equal('shop');
          expect(value).to.be.within(...(range ?? ANY));
        }
      });
    }

    it('the dashboard shows a pod once that cAdvisor has as well, and as cAdvisor has it', async () => {
      await eventually(async () => {
        const series = await chart('Memory, A', ['cart-1']);
        expect(series.map(({ value }) => value)).to.deep.equal([7e8]);
      });
    });

    it('the dashboard shows restarts of the pod that restarts', async () => {
      const of = new Map(
        (await chart('Restarts within ten minutes, A')).map(({ labels, value }) => [labels.pod, value]),
      );
      expect(of.get('cart-0')).to.equal(0);
      expect(of.get('loop-0')).to.be.within(4, 5);
    });

    it('the runbooks are all here, with each of their queries', () => {
      const asked = runbookNames().map(
        (alert) => [alert, queriesIn(readRunbook(alert), 'opentelemetry').length] as const,
      );
      const expected = Object.entries(RUNBOOKS).map(([alert, answers]) => [alert, answers.length]);
      expect(asked.filter(([, count]) => count > 0)).to.have.deep.members(expected);
    });

    for (const [alert, answers] of Object.entries(RUNBOOKS)) {
      answers.forEach((answer, index) => {
        it(`${alert}, query ${index + 1}`, async () => {
          const samples = await ask(queriesIn(readRunbook(alert), 'opentelemetry')[index] ?? expect.fail());
          expect(samples).to.have.lengthOf(1);
          const [{ labels, value }] = samples as [Sample];
          if (isRange(answer)) expect(value).to.be.within(...answer);
          else expect(labels).to.deep.equal(answer);
        });
      });
    }
  });
}

const isRange = (answer: Range | Readonly<Record<string, string>>): answer is Range => Array.isArray(answer);
