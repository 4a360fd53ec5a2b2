import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { type RunningService, startService } from '../../src/exporter/serve.js';
import type { RunningServer } from '../../src/tools/demo/listen.js';
import { startRealPrometheus } from '../../src/tools/demo/real-prometheus.js';
import { exposedValue, samplesOf } from '../support/exposition.js';
import { type Behaviour, type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { get } from '../support/http-client.js';
import { requireTool } from '../support/real-tools.js';
import { recordingLogger } from '../support/recording-logger.js';
import { type FakePod, namedPods, SmallCluster } from '../support/small-cluster.js';
import { smallClusterHistory } from '../support/small-cluster-history.js';
import { eventually } from '../support/waiting.js';

/** Workloads of five pods each, the first of which misbehaves. */
const WORKLOADS = [
  ['shop', 'cart'],
  ['shop', 'search'],
  ['pay', 'ledger'],
  ['pay', 'till'],
  ['ci', 'build'],
  ['ops', 'probe'],
] as const;

/** Hides what is said of the pod in `ops`: it is annotated when the test says. */
const withoutOps: Behaviour = async ({ response, upstream }) => {
  const { status, body } = await upstream();
  const answer = JSON.parse(body) as { data?: { result?: { metric: Record<string, string> }[] } };
  const { result } = answer.data ?? {};
  if (answer.data !== undefined && Array.isArray(result)) {
    answer.data.result = result.filter(
      ({ metric }) => metric.namespace !== 'ops' || metric.__name__ !== 'kube_pod_annotations',
    );
  }
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
};

const owned = (namespace: string, workload: string): FakePod[] =>
  namedPods(5, workload, namespace).map((pod) => ({ ...pod, owner: workload }));

describe('annotations on a real Prometheus', function () {
  this.timeout(400_000);

  let prometheus: RunningServer;
  let proxy: FaultProxy;
  let replicas: RunningService[];
  let shards: RunningService[];
  let deaf: RunningService;

  const start = (environment: Record<string, string> = {}) =>
    startService(
      parseSettings({
        PROMETHEUS_URL: proxy.url,
        HOST: '127.0.0.1',
        PORT: '0',
        HISTORY_DAYS: '0',
        RETRAIN_SCHEDULE: '0 4 29 2 *',
        ...environment,
      }).settings,
      recordingLogger(),
    );
  const scrape = async ({ url }: RunningService) => (await get(`${url}/metrics`)).text;
  const namesIn = (text: string, metric: string, value: number) =>
    samplesOf(text, metric)
      .filter((sample) => sample.value === value)
      .map(({ labels }) => `${labels.namespace}/${labels.pod}`)
      .sort();
  const scored = (text: string) =>
    samplesOf(text, 'anomaly_score').map(({ labels }) => `${labels.namespace}/${labels.pod}`);

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    const started = Math.floor(Date.now() / 1000);
    const times = { startSeconds: started - 75 * 60, endSeconds: started + 600, stepSeconds: 15 };
    const cluster = new SmallCluster(WORKLOADS.flatMap(([namespace, workload]) => owned(namespace, workload)));
    for (const [, workload] of WORKLOADS) cluster.misbehave(`${workload}-0`, started - 600, 4);
    // kube-state-metrics names its own pod in each series that has no pod.
    const scrapeLabels = { job: 'kube-state-metrics', pod: 'kube-state-metrics-0' };
    const tuned = [
      ['kube_pod_annotations', { namespace: 'shop', pod: 'cart-0' }, { annotation_ignore: 'true' }],
      ['kube_deployment_annotations', { namespace: 'pay', deployment: 'ledger' }, { annotation_sensitivity: '40' }],
      ['kube_namespace_labels', { namespace: 'ci' }, { label_mute_until: String(started + 3600) }],
      [
        'kube_statefulset_annotations',
        { namespace: 'pay', statefulset: 'till' },
        { annotation_mute_until: isoOf(started - 60) },
      ],
      ['kube_pod_annotations', { namespace: 'ops', pod: 'probe-0' }, { annotation_ignore: 'true' }],
    ] as const;
    const families = new Map<string, string>();
    for (const [metric, object, keys] of tuned) {
      const labels = { ...scrapeLabels, ...object, ...prefixed(keys) };
      const key = `${metric}{${Object.entries(labels)
        .map(([name, text]) => `${name}="${text}"`)
        .join(',')}}`;
      let lines = families.get(metric) ?? `# TYPE ${metric} gauge\n`;
      for (let time = times.startSeconds; time <= times.endSeconds; time += times.stepSeconds)
        lines += `${key} 1 ${time}\n`;
      families.set(metric, lines);
    }
    prometheus = await startRealPrometheus({
      path: process.env.PATH ?? '',
      configuration: 'global: { scrape_interval: 1m }\n',
      history: [...[...smallClusterHistory(cluster, times)].slice(0, -1), ...families.values(), '# EOF\n'],
    });
    proxy = await startFaultProxy(prometheus.url);
    await proxy.switchTo(withoutOps);
    replicas = [await start(), await start()];
    shards = [await start({ SHARD: '0', TOTAL_SHARDS: '2' }), await start({ SHARD: '1', TOTAL_SHARDS: '2' })];
    deaf = await start({ TUNING_ANNOTATIONS: 'off' });
    await eventually(async () => {
      for (const service of [...replicas, ...shards, deaf]) {
        expect(exposedValue(await scrape(service), 'k8s_anomaly_detector_up')).to.equal(1);
      }
    }, 180_000);
  });

  after(async () => {
    for (const service of [...(replicas ?? []), ...(shards ?? []), deaf]) await service?.close();
    await proxy?.close();
    await prometheus?.close();
  });

  it('tune pods, and leave the others as they are', async () => {
    const text = await scrape(replicas[0] as RunningService);
    // shop/search-0 is not annotated, and the time of pay/till is over.
    expect(namesIn(text, 'anomaly_flag', 1)).to.deep.equal(['ops/probe-0', 'pay/till-0', 'shop/search-0']);
    expect(scored(text)).not.to.include('shop/cart-0');
    expect(scored(text)).to.include.members(['pay/ledger-0', 'ci/build-0', 'shop/cart-1']);
    const untuned = await scrape(deaf);
    expect(namesIn(untuned, 'anomaly_flag', 1)).to.deep.equal(WORKLOADS.map(([ns, name]) => `${ns}/${name}-0`).sort());
  });

  it('act when they come, in replicas and shards alike', async () => {
    await proxy.switchTo(undefined);
    await eventually(async () => {
      const [first = '', second = ''] = await Promise.all(replicas.map(scrape));
      const parts = await Promise.all(shards.map(scrape));
      for (const metric of ['anomaly_flag', 'anomaly_lasting']) {
        const flagged = namesIn(first, metric, 1);
        expect(flagged).to.deep.equal(['pay/till-0', 'shop/search-0']);
        expect(namesIn(second, metric, 1)).to.deep.equal(flagged);
        expect(parts.flatMap((part) => namesIn(part, metric, 1)).sort()).to.deep.equal(flagged);
      }
      expect(scored(second).sort()).to.deep.equal(scored(first).sort());
      expect(parts.flatMap(scored).sort()).to.deep.equal(scored(first).sort());
      expect(scored(first)).not.to.include('ops/probe-0');
    }, 180_000);
  });
});

const isoOf = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000', '');

/** `annotation_ignore` as kube-state-metrics writes the whole key. */
const prefixed = (keys: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(keys).map(([key, value]) => [key.replace('_', '_k8s_anomaly_detector_'), value]));
