import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { openPrometheus } from '../../src/exporter/connect.js';
import { nodesOfPods, podsOnNodesQuery } from '../../src/exporter/context/nodes.js';
import { contextQueries, LIMIT_PARTS } from '../../src/exporter/context/queries.js';
import { readContexts } from '../../src/exporter/context/read-answers.js';
import { PROMOTED_ATTRIBUTES, TRANSLATIONS } from '../../src/exporter/features/opentelemetry/names.js';
import { loadFeatures } from '../../src/exporter/features/queries/feature-file.js';
import type { NamedPod } from '../../src/exporter/features/table.js';
import { floorsQuery } from '../../src/exporter/forecast/queries.js';
import { freePort } from '../../src/tools/demo/listen.js';
import {
  type CollectorOptions,
  type CollectorPod,
  importAsCollector,
  sendAsCollector,
  startOtlpPrometheus,
} from '../support/collector.js';
import { craftedHistory } from '../support/crafted-history.js';
import { detectAt, flaggedIn } from '../support/detect-at.js';
import { type RealServer, startPrometheus, startVictoriaMetrics, writeHistory } from '../support/real-servers.js';
import { ON_NEWEST_RELEASE, requireTool } from '../support/real-tools.js';
import { checkOf } from '../support/run-check.js';

// A pass asks for whole minutes. What happened 40 s ago is within the newest one at this moment of a minute.
const NOW = 60 * Math.floor(Date.now() / 60_000) + 20;
const SOURCE = { METRICS_SOURCE: 'opentelemetry', HISTORY_DAYS: '0' };

const wave = (base: number, index: number) => (seconds: number) =>
  base * (1 + 0.03 * Math.sin((seconds + 97 * index) / 50) + 0.01 * Math.sin((seconds + 31 * index) / 7));
const usage = (index: number) => ({ cpuAt: wave(0.2, index), memoryAt: wave(2e8, index) });
const restartsEvery = (seconds: number, sinceAgo: number) => (time: number) =>
  Math.max(0, Math.floor((time - NOW + sinceAgo) / seconds));

/** The names of most pods do not say what owns them. */
const PODS: readonly CollectorPod[] = [
  ...Array.from({ length: 6 }, (_, index) => ({
    namespace: 'shop',
    pod: `web-${index}-blue`,
    owners: { 'k8s.deployment.name': 'storefront', 'k8s.replicaset.name': 'web-7d9f8b6c5d' },
    node: `node-${index % 2}`,
    ...usage(index),
  })),
  {
    namespace: 'shop',
    pod: 'web-hot-blue',
    owners: { 'k8s.deployment.name': 'storefront', 'k8s.replicaset.name': 'web-7d9f8b6c5d' },
    node: 'node-1',
    cpuAt: (seconds) => (seconds > NOW - 150 ? 12 : 1) * wave(0.2, 9)(seconds),
    memoryAt: wave(2e8, 9),
  },
  ...Array.from({ length: 3 }, (_, index) => ({
    namespace: 'agents',
    pod: `on-node-${index}`,
    owners: { 'k8s.daemonset.name': 'agent' },
    ...usage(20 + index),
  })),
  { namespace: 'shop', pod: 'db-0', owners: { 'k8s.statefulset.name': 'db' }, ...usage(30) },
  // Its attributes name what the processor was told to extract: the ReplicaSet and no Deployment.
  {
    namespace: 'shop',
    pod: 'cart-6d4cf56db6-x2b4z',
    owners: { 'k8s.replicaset.name': 'cart-6d4cf56db6' },
    ...usage(31),
  },
  { namespace: 'shop', pod: 'unowned-5d4cf56db6-x2b4z', ...usage(32) },
  {
    namespace: 'shop',
    pod: 'loop',
    owners: { 'k8s.job.name': 'migrate-29399040', 'k8s.cronjob.name': 'migrate' },
    waitsFor: 'CrashLoopBackOff',
    ...usage(33),
    restartsAt: restartsEvery(120, 720),
  },
  // The kubelet forgets the containers that ended: the number begins again.
  {
    namespace: 'shop',
    pod: 'pruned-0',
    owners: { 'k8s.statefulset.name': 'pruned' },
    ...usage(34),
    restartsAt: (seconds) => (seconds > NOW - 300 ? 0 : 7),
  },
  { namespace: 'shop', pod: 'done', owners: { 'k8s.job.name': 'done' }, phase: 3 },
  { namespace: 'shop', pod: 'waiting', phase: 1 },
];

// Some of it lies ahead, so that it is not old on a slow machine; Prometheus takes up to ten minutes.
const SPAN = { startSeconds: NOW - 4200, endSeconds: NOW + 520, stepSeconds: 15 };

const SCORED = PODS.filter(({ cpuAt }) => cpuAt !== undefined);

interface Stored extends CollectorOptions {
  /** What is written as `otlp` into the configuration. */
  readonly otlp: Readonly<Record<string, unknown>>;
  readonly parameters?: readonly string[];
  readonly pods?: readonly CollectorPod[];
}

// Debian's Prometheus 2 takes no OTLP, and its VictoriaMetrics no names in quotes.
if (ON_NEWEST_RELEASE) {
  describe('OpenTelemetry as the source, in VictoriaMetrics', function () {
    this.timeout(180_000);

    let directory: string;
    let server: RealServer | undefined;

    before(async function () {
      requireTool(this, 'victoria-metrics');
      directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-otlp-victoria-'));
      server = await startVictoriaMetrics({
        directory,
        port: await freePort(),
        parameters: ['-search.latencyOffset=0s'],
      });
      await importAsCollector(server.url, PODS, SPAN);
      await fetch(`${server.url}/internal/force_flush`);
    });

    after(async () => {
      await server?.close();
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    });

    it('is read by its own names, with dots', async () => {
      const environment = {
        ...SOURCE,
        PROMETHEUS_URL: server?.url ?? '',
        PROMETHEUS_MATCHERS: '"k8s.pod.uid"!=""',
        OTLP_TRANSLATION_STRATEGY: 'NoTranslation',
      };
      const detection = await detectAt(environment, NOW, 900);
      expect(flaggedIn(detection)).to.have.members(['web-hot-blue', 'loop']);
      expect(Object.fromEntries(detection.unscored)).to.deep.equal({ completed: 1, pending: 1 });
      const workloads = Object.fromEntries(detection.table.pods.map(({ pod, workload }) => [pod, workload]));
      expect(workloads).to.include({ 'web-hot-blue': 'storefront', 'on-node-1': 'agent', loop: 'migrate' });
      const loop = (await contextsOf(environment, [{ namespace: 'shop', pod: 'loop' }])).get('shop/loop');
      expect(loop).to.deep.include({ node: 'node-1', images: ['shop/app:v1.2'], limits: { cpu: 2, memory: 2 ** 30 } });
      const shards = await Promise.all(
        ['0', '1'].map((SHARD) => detectAt({ ...environment, SHARD, TOTAL_SHARDS: '2' }, NOW, 900)),
      );
      expect(shards.flatMap(({ table }) => table.pods)).to.have.lengthOf(SCORED.length);
    });
  });

  describe('OpenTelemetry as the source', function () {
    this.timeout(180_000);

    let directory: string;
    let servers: RealServer[] = [];
    const closeServers = async () => {
      await Promise.all(servers.map((server) => server.close()));
      servers = [];
    };

    before(function () {
      for (const tool of ['prometheus', 'promtool']) requireTool(this, tool);
      directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-otlp-'));
    });
    after(async () => {
      await closeServers();
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    });

    /** A Prometheus that has received the last hour from a Collector. */
    async function storing({ otlp, parameters = [], pods = PODS, ...options }: Stored): Promise<string> {
      const server = await startOtlpPrometheus(mkdtempSync(join(directory, 'prometheus-')), { otlp }, parameters);
      servers.push(server);
      await sendAsCollector(`${server.url}/api/v1/otlp/v1/metrics`, pods, SPAN, options);
      return server.url;
    }

    const findingsOf = async (environment: Readonly<Record<string, string>>) => {
      const { text } = await checkOf({ CPU_RATE_WINDOW: '1m', ...environment }, { json: true });
      const report = JSON.parse(text) as {
        readonly findings: readonly Readonly<Record<'check' | 'severity' | 'summary' | 'meaning' | 'advice', string>>[];
        readonly not_checked: readonly { readonly check: string; readonly because: string }[];
      };
      const found = new Map(report.findings.map((finding) => [finding.check, finding]));
      return { ...report, found };
    };

    for (const translation of TRANSLATIONS) {
      describe(`with ${translation}`, () => {
        let environment: Readonly<Record<string, string>>;

        before(async () => {
          const otlp = { promote_resource_attributes: PROMOTED_ATTRIBUTES, translation_strategy: translation };
          environment = { ...SOURCE, PROMETHEUS_URL: await storing({ otlp }), OTLP_TRANSLATION_STRATEGY: translation };
        });

        after(closeServers);

        it('flags the faulty pods and nothing else, by the workloads that attributes name', async () => {
          const detection = await detectAt(environment, NOW, 900);
          expect(flaggedIn(detection)).to.have.members(['web-hot-blue', 'loop']);
          const workloads = Object.fromEntries(detection.table.pods.map(({ pod, workload }) => [pod, workload]));
          expect(workloads).to.deep.equal({
            ...Object.fromEntries(SCORED.map(({ pod }) => [pod, 'storefront'])),
            'on-node-0': 'agent',
            'on-node-1': 'agent',
            'on-node-2': 'agent',
            'db-0': 'db',
            'cart-6d4cf56db6-x2b4z': 'cart',
            'unowned-5d4cf56db6-x2b4z': 'unowned',
            'pruned-0': 'pruned',
            loop: 'migrate',
          });
          expect(Object.fromEntries(detection.unscored)).to.deep.equal({ completed: 1, pending: 1 });
          expect(detection.table.pods.every(({ namespace }) => /^(?:shop|agents)$/.test(namespace))).to.equal(true);
        });

        it('is checked without a fault', async () => {
          const {
            findings,
            not_checked: notChecked,
            found,
          } = await findingsOf({ ...environment, BASELINE: 'cluster' });
          const faults = findings.filter(({ severity }) => severity !== 'ok');
          expect(faults, JSON.stringify(faults)).to.deep.equal([]);
          expect(notChecked).to.deep.equal([]);
          expect(found.get('metrics_source')?.summary).to.include('METRICS_SOURCE=opentelemetry');
          expect(found.get('memory_metric')?.summary).to.include('working set');
          expect(found.get('series')?.summary).to.include(`${PODS.length} pods`);
        });

        it('knows nodes, images, limits and why containers wait', async () => {
          const { settings } = parseSettings(environment);
          const { api } = openPrometheus(settings, await loadFeatures('', settings), { now: () => NOW * 1000 });
          const signal = AbortSignal.timeout(60_000);
          const ask = (query: string) => api.query({ query, timeSeconds: NOW, signal });
          const pods = [
            { namespace: 'shop', pod: 'web-hot-blue' },
            { namespace: 'shop', pod: 'loop' },
          ];
          const answers = await Promise.all(contextQueries(pods, settings).map(ask));
          const common = {
            images: ['shop/app:v1.2'],
            limits: { cpu: 2, memory: 2 ** 30 },
            requests: { cpu: 0.5, memory: 2 ** 29 },
            pressure: {},
          };
          expect(Object.fromEntries(readContexts(answers, pods, settings))).to.deep.equal({
            'shop/web-hot-blue': { ...common, node: 'node-1' },
            'shop/loop': { ...common, node: 'node-1', waiting: { container: 'app', reason: 'CrashLoopBackOff' } },
          });
          const onNode = nodesOfPods(await ask(podsOnNodesQuery(['node-0'], settings)));
          expect([...onNode.keys()]).to.have.members(['shop/web-0-blue', 'shop/web-2-blue', 'shop/web-4-blue']);
          const limits = await Promise.all(contextQueries(pods, settings, LIMIT_PARTS).map(ask));
          const ofPods = [...readContexts(limits, pods, settings).values()];
          expect(ofPods.map((one) => one.limits.memory)).to.deep.equal([2 ** 30, 2 ** 30]);
          const floors = await ask(floorsQuery(pods, 'working_set', '10m', settings));
          expect(floors.labels).to.have.lengthOf(2);
        });

        it('is shared out among shards', async () => {
          const shards = await Promise.all(
            ['0', '1'].map((SHARD) => detectAt({ ...environment, SHARD, TOTAL_SHARDS: '2' }, NOW, 900)),
          );
          const pods = shards.map(({ table }) => table.pods.map(({ namespace }) => namespace));
          expect(new Set(pods[0])).to.not.deep.equal(new Set(pods[1]));
          expect(pods.flat()).to.have.lengthOf(SCORED.length);
        });
      });
    }

    it('is read where two Collectors report the same pods, and a label names each of them', async () => {
      const url = await storing({
        otlp: { promote_resource_attributes: [...PROMOTED_ATTRIBUTES, 'pod'] },
        pods: ['collector-1', 'collector-2'].flatMap((collector) => PODS.map((pod) => ({ ...pod, collector }))),
      });
      const environment = { ...SOURCE, PROMETHEUS_URL: url };
      const { table, unscored } = await detectAt(environment, NOW, 900);
      const workloads = Object.fromEntries(table.pods.map(({ pod, workload }) => [pod, workload]));
      expect(workloads).to.include({ 'web-hot-blue': 'storefront', 'on-node-1': 'agent', loop: 'migrate' });
      expect(Object.fromEntries(unscored)).to.deep.equal({ completed: 1, pending: 1 });
      const loop = (await contextsOf(environment, [{ namespace: 'shop', pod: 'loop' }])).get('shop/loop');
      expect(loop).to.deep.include({ node: 'node-1', images: ['shop/app:v1.2'], limits: { cpu: 2, memory: 2 ** 30 } });
    });

    describe('that is recognised by check', () => {
      afterEach(closeServers);

      it('where the settings say nothing of it', async () => {
        const otlp = { promote_resource_attributes: PROMOTED_ATTRIBUTES };
        const url = await storing({ otlp });
        const { found, not_checked: notChecked } = await findingsOf({ PROMETHEUS_URL: url, HISTORY_DAYS: '0' });
        expect(found.get('metrics_source')).to.include({
          severity: 'error',
          advice: 'Set METRICS_SOURCE=opentelemetry.',
        });
        expect(found.get('metrics_source')?.summary).to.include('container_cpu_time_seconds_total');
        const because = new Map(notChecked.map(({ check, because: reason }) => [check, reason]));
        expect(because.get('series')).to.include('metrics_source');
        // The other spelling of the same thing.
        const other = await findingsOf({ ...SOURCE, PROMETHEUS_URL: url, OTLP_TRANSLATION_STRATEGY: 'NoTranslation' });
        expect(other.found.get('metrics_source')?.advice).to.equal(
          'Set OTLP_TRANSLATION_STRATEGY=UnderscoreEscapingWithSuffixes.',
        );
      });

      it('where the settings expect it, and cAdvisor is there', async () => {
        const own = mkdtempSync(join(directory, 'cadvisor-'));
        await writeHistory(
          own,
          craftedHistory({ startSeconds: NOW - 3600, endSeconds: NOW + 900, scrapeIntervalSeconds: 15 }),
        );
        const configuration = join(own, 'prometheus.yml');
        writeFileSync(configuration, '{}');
        const server = await startPrometheus({ directory: own, port: await freePort(), configuration });
        servers.push(server);
        const { found } = await findingsOf({ ...SOURCE, PROMETHEUS_URL: server.url });
        expect(found.get('metrics_source')).to.include({ severity: 'error', advice: 'Set METRICS_SOURCE=cadvisor.' });
      });

      it('where attributes are not promoted, so that all pods fall into one series', async () => {
        const url = await storing({ otlp: {} });
        const { found } = await findingsOf({ ...SOURCE, PROMETHEUS_URL: url });
        const finding = found.get('metrics_source');
        expect(finding).to.include({ severity: 'error', meaning: 'No pod can be scored.' });
        expect(finding?.summary)
          .to.include('1 series of container_cpu_time_seconds_total')
          .and.to.include('no labels k8s_namespace_name, k8s_pod_name and k8s_container_name');
        expect(finding?.advice).to.include(`promote_resource_attributes: [${PROMOTED_ATTRIBUTES.join(', ')}]`);
      });

      it('where only target_info has the attributes, or some are not promoted', async () => {
        const url = await storing({ otlp: {}, withService: true });
        const { found } = await findingsOf({ PROMETHEUS_URL: url, HISTORY_DAYS: '0' });
        const finding = found.get('metrics_source');
        expect(finding?.summary).to.include(`target_info names ${PODS.length} pods.`);
        expect(finding?.advice).to.match(/^Set METRICS_SOURCE=opentelemetry\. .*promote_resource_attributes/);
        const part = await storing({
          otlp: { promote_resource_attributes: ['k8s.namespace.name', 'k8s.container.name'] },
        });
        const partly = (await findingsOf({ ...SOURCE, PROMETHEUS_URL: part })).found.get('metrics_source');
        expect(partly?.summary).to.match(
          /no label k8s_pod_name \(labels of one: k8s_container_name and k8s_namespace_name\)/,
        );
      });

      it('where counters are deltas', async () => {
        const url = await storing({
          otlp: { promote_resource_attributes: PROMOTED_ATTRIBUTES },
          parameters: ['--enable-feature=otlp-native-delta-ingestion'],
          deltas: true,
        });
        const { found } = await findingsOf({ ...SOURCE, PROMETHEUS_URL: url });
        expect(found.get('metrics_source')).to.include({ severity: 'error' });
        expect(found.get('metrics_source')?.summary).to.match(/^100 % of the counters of CPU fall again and again/);
      });

      it('where only usage is collected', async () => {
        const names = ['k8s.namespace.name', 'k8s.pod.name', 'k8s.container.name'];
        const url = await storing({ otlp: { promote_resource_attributes: names }, pods: PODS.map(withoutOwners) });
        const { found } = await findingsOf({ ...SOURCE, PROMETHEUS_URL: url });
        expect(found.get('kube_state_metrics')).to.include({ severity: 'warning' });
        expect(found.get('kube_state_metrics')?.advice).to.include('the processor k8sattributes');
      });
    });

    it('takes owners from target_info where the series do not have them', async () => {
      const names = ['k8s.namespace.name', 'k8s.pod.name', 'k8s.container.name'];
      const url = await storing({ otlp: { promote_resource_attributes: names }, withService: true });
      const { table } = await detectAt({ ...SOURCE, PROMETHEUS_URL: url }, NOW, 900);
      const workloads = Object.fromEntries(table.pods.map(({ pod, workload }) => [pod, workload]));
      expect(workloads).to.include({ 'web-hot-blue': 'storefront', 'on-node-1': 'agent', loop: 'migrate' });
    });
  });
}

/** What is known of some pods. */
async function contextsOf(environment: Readonly<Record<string, string>>, pods: readonly NamedPod[]) {
  const { settings } = parseSettings(environment);
  const { api } = openPrometheus(settings, await loadFeatures('', settings), { now: () => NOW * 1000 });
  const signal = AbortSignal.timeout(60_000);
  const queries = contextQueries(pods, settings);
  const answers = await Promise.all(queries.map((query) => api.query({ query, timeSeconds: NOW, signal })));
  return readContexts(answers, pods, settings);
}

const withoutOwners = ({ owners: _, ...pod }: CollectorPod): CollectorPod => pod;
