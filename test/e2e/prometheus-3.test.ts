import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { prometheusConnection } from '../../src/exporter/connect.js';
import { isPartial } from '../../src/exporter/prometheus/api.js';
import { PrometheusClient } from '../../src/exporter/prometheus/client.js';
import { PrometheusError } from '../../src/exporter/prometheus/errors.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { startRealPrometheus } from '../../src/tools/demo/real-prometheus.js';
import { craftedHistory } from '../support/crafted-history.js';
import { type FakePrometheus, startFakePrometheus } from '../support/fake-prometheus.js';
import { endPrograms, startProgram } from '../support/program.js';
import { startPrometheus, writeHistory } from '../support/real-servers.js';
import { ON_NEWEST_RELEASE, requireTool } from '../support/real-tools.js';
import { rejection } from '../support/rejection.js';
import { checkOf } from '../support/run-check.js';
import { SmallCluster } from '../support/small-cluster.js';
import { eventually } from '../support/waiting.js';

const PROTOCOLS = [
  'PrometheusProto',
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];

/** In each, a request says how names shall be written that are not those of Prometheus 2: `escaping=allow-utf-8`. */
const ESCAPING = ['allow-utf-8', 'underscores', 'dots', 'values'];

/** What changes scrapes and answers and is off by default in 3.16. */
const FEATURES = [
  'created-timestamp-zero-ingestion',
  'openmetrics2',
  'promql-delayed-name-removal',
  'type-and-unit-labels',
  'zstd-scrape',
];

/** The labels of cAdvisor's series as an OpenTelemetry Collector names them. */
const DOTTED = { namespace: 'k8s.namespace.name', pod: 'k8s.pod.name', container: 'k8s.container.name' };
const LABELS = { NAMESPACE_LABEL: DOTTED.namespace, POD_LABEL: DOTTED.pod };

/** A history whose series of cAdvisor have those, and one more metric that has dots itself. */
function* dottedHistory(startSeconds: number, endSeconds: number): Generator<string> {
  const span = { startSeconds, endSeconds, scrapeIntervalSeconds: 15 };
  for (const family of craftedHistory({ ...span, containers: ['app', 'sidecar'] })) {
    if (family.startsWith('# EOF')) yield dottedFamily(startSeconds, endSeconds);
    if (family.startsWith('container_')) {
      yield family.replaceAll(
        /\b(namespace|pod|container)="/g,
        (_, name: keyof typeof DOTTED) => `"${DOTTED[name]}"="`,
      );
    } else yield family;
  }
}

function dottedFamily(startSeconds: number, endSeconds: number): string {
  const lines = Array.from({ length: 8 }, (_, index) => `cart-${index}`).flatMap((pod) =>
    Array.from(
      { length: Math.floor((endSeconds - startSeconds) / 15) },
      (_, step) =>
        `{"k8s.pod.volume.used","${DOTTED.namespace}"="shop","${DOTTED.pod}"="${pod}"} ${1000 * step} ${startSeconds + 15 * step}\n`,
    ),
  );
  return `# TYPE "k8s.pod.volume.used" gauge\n${lines.join('')}`;
}

const FEATURES_FILE = `builtin: [cpu, memory, restarts]
features:
  - name: volume
    help: Bytes in volumes
    pod_label: k8s.pod.name
    query: |
      max by ({{namespace_label}}, "k8s.pod.name") (
        {"k8s.pod.volume.used", {{namespace_label}}=~"{{namespace_regex}}"}
      )
    unit: bytes
    direction: both
    spread_floor: 1024
`;

// Debian's Prometheus 2 has nothing of this.
if (ON_NEWEST_RELEASE) {
  describe('a Prometheus of today', function () {
    this.timeout(180_000);

    let folder: string;

    before(function () {
      for (const tool of ['prometheus', 'promtool']) requireTool(this, tool);
      folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-today-'));
    });
    after(() => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });

    /** An exporter to scrape; its address. */
    async function startTarget(upstream: FakePrometheus): Promise<string> {
      const exporter = startProgram(['serve'], {
        PROMETHEUS_URL: upstream.url,
        HOST: '127.0.0.1',
        PORT: String(await freePort()),
        IFOREST_N_ESTIMATORS: '25',
      });
      return new URL(await exporter.listening()).host;
    }

    describe('that scrapes the exporter, and itself with native histograms', () => {
      let upstream: FakePrometheus;
      let prometheus: RunningServer;
      let client: PrometheusClient;
      let names: readonly string[];

      before(async () => {
        upstream = await startFakePrometheus(new SmallCluster().answer);
        const target = await startTarget(upstream);
        const port = await freePort();
        const jobs = [
          ...PROTOCOLS.map((protocol) => ({ name: protocol, more: `scrape_protocols: [${protocol}]` })),
          { name: 'defaults', more: 'honor_labels: true' },
          { name: 'native', more: 'scrape_native_histograms: true' },
          ...ESCAPING.map((scheme) => ({ name: scheme, more: `metric_name_escaping_scheme: ${scheme}` })),
          { name: 'legacy', more: 'metric_name_validation_scheme: legacy' },
        ];
        names = jobs.map(({ name }) => name);
        const job = (name: string, address: string, more: string) =>
          `  - job_name: ${name}\n    ${more}\n    static_configs: [targets: ["${address}"]]\n`;
        const configuration = join(folder, 'prometheus.yml');
        writeFileSync(
          configuration,
          `global: { scrape_interval: 2s, scrape_timeout: 2s }\nscrape_configs:\n` +
            jobs.map(({ name, more }) => job(name, target, more)).join('') +
            job('self', `127.0.0.1:${port}`, 'convert_classic_histograms_to_nhcb: true'),
        );
        prometheus = await startPrometheus({ directory: folder, port, configuration });
        client = new PrometheusClient(prometheusConnection(parseSettings({ PROMETHEUS_URL: prometheus.url }).settings));
      });
      after(async () => {
        await prometheus?.close();
        await endPrograms();
        await upstream?.close();
      });

      const ask = (query: string) => ({ query, timeSeconds: Date.now() / 1000, signal: AbortSignal.timeout(20_000) });

      it('takes the text whatever format it asks for', async () => {
        await eventually(async () => {
          const { labels } = await client.query(ask('count by (job) (anomaly_flag)'));
          expect(labels.map(({ job }) => job)).to.have.members(names);
        });
        const response = await fetch(`${prometheus.url}/api/v1/targets?state=active`);
        const { data } = (await response.json()) as {
          readonly data: { readonly activeTargets: readonly { readonly health: string; readonly lastError: string }[] };
        };
        expect(data.activeTargets.map(({ lastError }) => lastError).filter(Boolean)).to.deep.equal([]);
      });

      it('answers with native histograms, which are reported as no numbers, with what to do', async () => {
        const histogram = 'prometheus_http_request_duration_seconds';
        await eventually(async () => {
          const { values } = await client.query(ask(`sum(histogram_count(${histogram}))`));
          expect(values[0]).to.be.above(0);
        });
        const error = await rejection(client.query(ask(`sum(${histogram})`)), PrometheusError);
        expect(error.kind).to.equal('bad_answer');
        expect(String(error)).to.include('a native histogram instead of numbers').and.to.include('histogram_quantile');
      });

      it('answers with numbers and native histograms in one series, of which the numbers count', async () => {
        const histogram = 'sum(prometheus_http_request_duration_seconds)';
        // A histogram at every other of the instants.
        const query = `(${histogram} and on () (vector(time()) % 4 == 0)) or on () vector(7)`;
        await eventually(async () => {
          const endSeconds = Math.floor(Date.now() / 4000) * 4;
          const signal = AbortSignal.timeout(20_000);
          const range = { query, startSeconds: endSeconds - 8, endSeconds, stepSeconds: 2, signal };
          const { labels, values, timestampsSeconds } = await client.queryRange(range);
          expect(labels).to.have.lengthOf(1);
          expect([...values]).to.deep.equal([7, 7]);
          expect([...timestampsSeconds]).to.deep.equal([endSeconds - 6, endSeconds - 2]);
        });
      });

      it('warns about the query, which does not make the answer partial', async () => {
        await eventually(async () => {
          const { labels, warnings } = await client.query(
            ask('sum({__name__=~"prometheus_http_request_duration_seconds|up"})'),
          );
          expect(labels).to.deep.equal([]);
          expect(warnings.join()).to.include('mix of histograms and floats');
          expect(isPartial({ warnings })).to.equal(false);
        });
      });

      it('hands on what it remarks on a query', async () => {
        await eventually(async () => {
          const { infos, warnings, labels } = await client.query(ask('sum(rate(anomaly_flag[1m]))'));
          expect(labels).to.have.lengthOf(1);
          expect(infos.join()).to.include('anomaly_flag');
          expect(warnings).to.deep.equal([]);
        });
      });
    });

    describe('whose labels and metrics have dots', () => {
      let prometheus: RunningServer;

      before(async () => {
        const now = Math.floor(Date.now() / 1000);
        const history = dottedHistory(now - 4 * 3600, now + 600);
        const path = process.env.PATH ?? '';
        prometheus = await startRealPrometheus({ path, configuration: 'scrape_configs: []\n', history });
        writeFileSync(join(folder, 'features.yaml'), FEATURES_FILE);
      });
      after(() => prometheus?.close());

      const check = async (settings: Readonly<Record<string, string>>) => {
        const { text } = await checkOf(
          { PROMETHEUS_URL: prometheus.url, HISTORY_DAYS: '0', ...settings },
          { json: true },
        );
        return JSON.parse(text) as {
          readonly findings: readonly { readonly check: string; readonly severity: string; readonly summary: string }[];
          readonly not_checked: readonly unknown[];
        };
      };

      it('is understood with these labels, in the built-in queries and in those of a feature file', async () => {
        for (const more of [{}, { FEATURES_FILE: join(folder, 'features.yaml') }]) {
          const report = await check({ ...LABELS, ...more });
          const notWell = report.findings.filter(({ severity }) => severity !== 'ok');
          expect(notWell, JSON.stringify(notWell)).to.deep.equal([]);
          expect(report.not_checked).to.deep.equal([]);
          const summaries = report.findings.map(({ summary }) => summary).join('\n');
          expect(summaries).to.include('8 pods').and.to.include('Prometheus answered without warnings.');
        }
      });
    });

    describe('with features that are off by default', () => {
      let upstream: FakePrometheus | undefined;
      const servers: RunningServer[] = [];

      async function start(name: string, jobs: string, history?: Iterable<string>): Promise<RunningServer> {
        const directory = join(folder, name);
        mkdirSync(directory);
        if (history !== undefined) await writeHistory(directory, history);
        const configuration = join(directory, 'prometheus.yml');
        writeFileSync(
          configuration,
          `global: { scrape_interval: 2s, scrape_timeout: 2s }\nscrape_configs: [${jobs}]\n`,
        );
        const parameters = [`--enable-feature=${FEATURES.join(',')}`];
        const server = await startPrometheus({ directory, port: await freePort(), configuration, parameters });
        servers.push(server);
        return server;
      }
      after(async () => {
        for (const server of servers) await server.close();
        await endPrograms();
        await upstream?.close();
      });

      it('is understood', async () => {
        const now = Math.floor(Date.now() / 1000);
        const span = { startSeconds: now - 4 * 3600, endSeconds: now + 600, scrapeIntervalSeconds: 15 };
        const { url } = await start('asked', '', craftedHistory(span));
        const response = await fetch(`${url}/api/v1/features`);
        const { data } = (await response.json()) as { readonly data: Record<string, Record<string, boolean>> };
        expect(data.promql).to.include({ delayed_name_removal: true, type_and_unit_labels: true });
        expect(data.scrape).to.include({ openmetrics2: true, type_and_unit_labels: true });
        const { text } = await checkOf({ PROMETHEUS_URL: url, HISTORY_DAYS: '0' }, { json: true });
        const { findings } = JSON.parse(text) as { readonly findings: readonly { readonly severity: string }[] };
        expect(findings.filter(({ severity }) => severity !== 'ok')).to.deep.equal([]);
      });

      it('understands the exporter, whose metrics have the types that they should', async () => {
        upstream = await startFakePrometheus(new SmallCluster().answer);
        const target = await startTarget(upstream);
        const job = `{ job_name: exporter, honor_labels: true, static_configs: [{ targets: ["${target}"] }] }`;
        const { url } = await start('scraping', job);
        const client = new PrometheusClient(prometheusConnection(parseSettings({ PROMETHEUS_URL: url }).settings));
        const typesOf = async (metric: string) => {
          const query = `count by (__type__) (${metric})`;
          const signal = AbortSignal.timeout(20_000);
          const { labels } = await client.query({ query, timeSeconds: Date.now() / 1000, signal });
          return labels.map(({ __type__: type }) => type);
        };
        await eventually(async () => expect(await typesOf('anomaly_flag')).to.deep.equal(['gauge']));
        expect(await typesOf('k8s_anomaly_detector_training_runs_total')).to.deep.equal(['counter']);
      });
    });
  });
}
