import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { DetectResponse } from '../../src/exporter/http/schemas.js';
import { get } from '../support/http-client.js';
import { requireTool } from '../support/real-tools.js';
import { type RunbookCluster, startRunbookCluster } from '../support/runbook-cluster.js';
import { commandsIn, queriesIn, readRunbook, runbookNames } from '../support/runbooks.js';
import { healthOf } from '../support/scraping.js';
import { eventually } from '../support/waiting.js';

/** One series of an answer. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What the page says of an answer. */
type Holds = (samples: readonly Sample[]) => unknown;

const values = (samples: readonly Sample[]) => samples.map(({ value }) => value);
const namesOf = (samples: readonly Sample[], label: string) => [...new Set(samples.map(({ labels }) => labels[label]))];
const onlyOf = (samples: readonly Sample[]) => {
  expect(samples).to.have.lengthOf(1);
  return (samples[0] as Sample).value;
};

/** A single number in a range. */
const one =
  (least: number, most: number): Holds =>
  (samples) =>
    expect(onlyOf(samples)).to.be.within(least, most);
/** Series for each of these values of a label, and maybe others. */
const among =
  (label: string, ...names: readonly string[]): Holds =>
  (samples) =>
    expect(namesOf(samples, label)).to.include.members([...names]);
/** Series with values in a range. */
const all =
  (least: number, most = Number.POSITIVE_INFINITY): Holds =>
  (samples) => {
    expect(samples).to.not.be.empty;
    for (const value of values(samples)) expect(value).to.be.within(least, most);
  };
const both =
  (...checks: readonly Holds[]): Holds =>
  (samples) =>
    checks.forEach((holds) => {
      holds(samples);
    });
const nothing: Holds = (samples) => expect(samples).to.deep.equal([]);
const withLabels =
  (...expected: readonly Readonly<Record<string, string>>[]): Holds =>
  (samples) =>
    expect(samples.map(({ labels }) => labels)).to.deep.include.members([...expected]);

/** What is exchanged in a page: the namespace, the workload and the pod of its example. */
interface Subject {
  readonly namespace: string;
  readonly workload: string;
  /** How its pod is called. */
  readonly pod: RegExp;
}

const CART: Subject = { namespace: 'shop', workload: 'cart', pod: /^cart-/ };
const CRASHING: Subject = { namespace: 'platform', workload: 'config-sync', pod: /^config-sync-/ };
const LEAKING: Subject = { namespace: 'payments', workload: 'checkout', pod: /^checkout-/ };

const FULL_SOON: Subject = { namespace: 'payments', workload: 'ledger', pod: /^ledger-/ };

/** A query of a page: how it begins, whom it is asked about, and what comes. */
type Answer = readonly [begins: string, holds: Holds, subject?: Subject];

const [MINUTE, HOUR] = [60, 3600];
const GIB = 2 ** 30;
const EXPORTERS = 4;

/** While pods are in trouble and the exporter is well, by alert: all of the queries of each page, in its order. */
const IN_TROUBLE: Readonly<Record<string, readonly Answer[]>> = {
  PodAnomalous: [
    ['max by (feature) (anomaly_feature_deviation', both(among('feature', 'cpu', 'memory', 'restarts'), someAbove(4))],
    ['time() - min(anomaly_since', one(0, 20 * MINUTE)],
    ['max by (feature) (anomaly_feature_value', among('feature', 'cpu', 'memory', 'restarts')],
    ['max by (feature) (anomaly_feature_expected', among('feature', 'cpu', 'memory', 'restarts')],
    ['max(anomaly_feature_value', one(0.2, 1.2), LEAKING],
    ['max(anomaly_feature_value', one(0.1, 1.2)],
    ['max(anomaly_pod_cpu_throttled_ratio', one(0, 1)],
    ['max by (container, reason, exit_code)', withLabels(lastEnd('config-sync')), CRASHING],
    ['max by (container, reason)', among('reason', 'CrashLoopBackOff'), CRASHING],
    ['max(anomaly_workload_pods_flagged', one(3, 3)],
    ['max by (node, image)', (samples) => expect(namesOf(samples, 'node')[0]).to.match(/^node-\d$/)],
    ['max by (node) (anomaly_node_pods_lasting)', all(2)],
    ['time() - max(anomaly_workload_release', one(25 * MINUTE, HOUR)],
    ['max by (pod, reason) (anomaly_ended', nothing],
  ],
  WorkloadAnomalous: [
    ['count(max by (pod) (anomaly_lasting', one(3, 3)],
    ['max(anomaly_workload_pods_scored', one(3, 3)],
    ['namespace_workload_pod_feature:', both(among('feature', 'cpu', 'memory', 'restarts'), someAbove(4))],
    ['time() - max(anomaly_workload_release', one(25 * MINUTE, HOUR)],
    ['time() - min(anomaly_since', one(0, 20 * MINUTE)],
    ['max by (pod) (anomaly_pod_cpu_throttled', both(all(0, 1), (samples) => expect(samples).to.have.lengthOf(3))],
    ['count by (reason, exit_code)', withLabels({ reason: 'Error', exit_code: '1' }), CRASHING],
    ['count by (namespace, workload)', among('workload', 'cart', 'catalog', 'frontend', 'config-sync')],
    ['max by (node) (anomaly_node_pods_lasting)', all(2)],
  ],
  AnomalyMassFlagging: [
    ['cluster:anomaly_lasting:ratio', one(0.2, 0.6)],
    ['count by (namespace)', among('namespace', 'shop', 'platform', 'payments')],
    ['time() - quantile(0.5, anomaly_since', one(0, 20 * MINUTE)],
    ['count by (feature)', both(among('feature', 'cpu'), someAbove(9))],
    // The pod that crashes has less memory, and no CPU while it waits.
    ['count by (feature)', both(among('feature', 'memory'), all(1, 1))],
    ['sort_desc(max by (node)', both(all(0, 1), among('node'))],
    ['time() - k8s_anomaly_detector_model_trained', all(0, 20 * MINUTE)],
    ['changes(k8s_anomaly_detector_model_trained', all(0, 10)],
    ['count by (namespace, reason)', nothing],
  ],
  PodMemoryFull: [
    ['sort(min by (pod) (anomaly_memory_time_to_limit', one(0.5, 2), FULL_SOON],
    ['sum by (pod) (max by (pod, container) (container_memory', one(5 * GIB, 8 * GIB), FULL_SOON],
    ['sum by (pod) (max by (pod, container) (kube_pod_container_resource_limits', one(8 * GIB, 8 * GIB), FULL_SOON],
    ['max by (container)', both(among('container', 'ledger'), one(0.7, 1)), FULL_SOON],
    ['time() - max(anomaly_workload_release', one(25 * MINUTE, HOUR)],
    ['max by (container, reason)', withLabels({ container: 'config-sync', reason: 'Error' }), CRASHING],
  ],
  NodeAnomalous: [
    ['node_namespace_workload_pod:anomaly_lasting:count', (samples) => expect(samples).to.have.lengthOf.at.least(2)],
    ['node:anomaly_node_pods_scored:sum', one(5, 15)],
    ['count by (feature)', both(among('feature', 'cpu'), someAbove(1))],
  ],
  NamespaceAnomalous: [
    ['namespace_workload:anomaly_lasting:share', both(among('workload', 'cart', 'catalog', 'frontend'), all(1, 1))],
    ['sort(min by (workload) (anomaly_since', among('workload', 'cart', 'catalog', 'frontend')],
    ['count by (workload, feature)', both(among('workload', 'cart', 'catalog', 'frontend'), among('feature', 'cpu'))],
    [
      'sort(time() - max by (workload) (anomaly_workload_release',
      both(among('workload', 'cart'), all(25 * MINUTE, HOUR)),
    ],
  ],
  AnomalyExporterDown: [
    ['up{', (samples) => expect(values(samples)).to.deep.equal([1, 1])],
    ['scrape_duration_seconds{', all(0, 5)],
  ],
  AnomalyExporterSlowScrape: [
    ['k8s_anomaly_detector_scrape_duration', all(0, 10)],
    ['max by (query)', among('query', 'cpu', 'memory', 'restarts')],
    ['scrape_duration_seconds{', all(0, 10)],
    ['max_over_time(k8s_anomaly_detector_pods_scored', someAbove(30)],
    ['rate(process_cpu_seconds_total', all(0, 2)],
    ['nodejs_eventloop_lag_p99_seconds', all(0, 5)],
  ],
  AnomalyExporterUpstreamDown: [
    ['k8s_anomaly_detector_query_success == 0', nothing],
    ['k8s_anomaly_detector_query_duration', among('query', 'cpu', 'memory', 'restarts')],
    ['sum by (code)', both(among('code', '200'), someAbove(0))],
  ],
  AnomalyInstallationFault: [
    ['k8s_anomaly_detector_finding_severity == 2', among('check', 'series')],
    ['time() - k8s_anomaly_detector_findings', all(0, 20 * MINUTE)],
  ],
  AnomalyModelMissing: [
    ['k8s_anomaly_detector_training_runs_total', all(1)],
    ['k8s_anomaly_detector_training_failures_total', someAbove(0)],
    ['k8s_anomaly_detector_training_duration', all(0, MINUTE)],
    ['count(container_memory_usage_bytes', one(40, 60)],
    ['count(rate(container_cpu_usage', one(40, 60)],
  ],
  AnomalyModelStale: [
    ['time() - k8s_anomaly_detector_model_trained', all(0, 20 * MINUTE)],
    ['k8s_anomaly_detector_trainings_missed', all(0, 2)],
    ['k8s_anomaly_detector_last_training_success', (samples) => expect(values(samples)).to.include.members([0, 1])],
    ['increase(k8s_anomaly_detector_training_failures', all(0)],
  ],
  AnomalyPodsUnscored: [
    [
      'k8s_anomaly_detector_pods_unscored',
      (samples) => {
        const reasons = namesOf(
          samples.filter(({ value }) => value > 0),
          'reason',
        );
        expect(reasons).to.include.members(['missing_cpu', 'no_usage', 'completed']);
      },
    ],
    ['k8s_anomaly_detector_series_dropped', nothing],
    ['k8s_anomaly_detector_pods_scored', someAbove(30)],
    ['count by (namespace, pod) (container_memory', withLabels({ namespace: 'dark', pod: 'half-0' })],
    ['max by (namespace, pod, node)', withLabels({ namespace: 'dark', pod: 'unseen-0', node: 'node-9' })],
  ],
  AnomalyShardMismatch: [
    ['k8s_anomaly_detector_total_shards', (samples) => expect(values(samples)).to.include.members([1, 3])],
    ['max by (shard_ordinal, instance)', all(0, 2)],
    ['count(count by (namespace, pod) (anomaly_flag) > 1)', one(30, 60)],
  ],
  AnomalyShardMissing: [
    ['max by (shard_ordinal, instance)', (samples) => expect(samples).to.have.lengthOf(EXPORTERS)],
    ['max(k8s_anomaly_detector_total_shards)', one(3, 3)],
    ['up{', (samples) => expect(values(samples)).to.deep.equal([1, 1])],
  ],
};

/** What some of these queries answer once it has happened. */
const MUTED: readonly (readonly [alert: string, query: number, holds: Holds])[] = [
  ['PodAnomalous', 13, among('reason', 'muted')],
  ['AnomalyMassFlagging', 8, withLabels({ namespace: 'shop', reason: 'muted' })],
];
const UPSTREAM_DOWN: typeof MUTED = [
  ['AnomalyExporterUpstreamDown', 0, among('query', 'cpu', 'memory')],
  ['AnomalyExporterUpstreamDown', 2, among('code', 'error')],
];
const EXPORTER_DOWN: typeof MUTED = [
  ['AnomalyExporterDown', 0, (samples) => expect(values(samples)).to.deep.equal([0, 0])],
  ['AnomalyShardMissing', 2, (samples) => expect(values(samples)).to.deep.equal([0, 0])],
];

function someAbove(least: number): Holds {
  return (samples) => expect(Math.max(...values(samples))).to.be.above(least);
}

function lastEnd(container: string) {
  return { container, reason: 'Error', exit_code: '1' };
}

describe('the runbooks on a real Prometheus', function () {
  this.timeout(240_000);

  let cluster: RunbookCluster;

  const ask = async (query: string): Promise<readonly Sample[]> => {
    const response = await fetch(`${cluster.prometheusUrl}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query }),
      signal: AbortSignal.timeout(20_000),
    });
    const { data, error } = (await response.json()) as {
      data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
      error?: string;
    };
    if (data === undefined) throw new Error(`Prometheus said: ${error}`);
    return data.result.map(({ metric: { __name__: _, ...labels }, value }) => ({ labels, value: Number(value[1]) }));
  };
  /** The node that most of the pods in trouble have in common. */
  const nodeInTrouble = () => {
    const pods = new Set(cluster.world.incidents.map(({ pod }) => pod));
    const counts = new Map<string, number>();
    for (const { pod, node } of cluster.world.pods(Date.now() / 1000)) {
      if (pods.has(pod)) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
    return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? expect.fail('Expected pods in trouble.');
  };
  /** The example of a page as somebody exchanges it. */
  const about = (text: string, { namespace, workload, pod }: Subject) => {
    const name =
      cluster.world.incidents.find((own) => own.namespace === namespace && pod.test(own.pod))?.pod ?? expect.fail();
    return text
      .replaceAll('"n7"', `"${nodeInTrouble()}"`)
      .replaceAll('cart-0', name)
      .replaceAll(/\bcart(?=")/g, workload)
      .replaceAll(/\bshop\b/g, namespace);
  };
  const requireAnswer = (alert: string, index: number, holds: Holds, subject = CART, milliseconds = 60_000) => {
    const query = queriesIn(readRunbook(alert))[index] ?? expect.fail(`${alert} has no query ${index + 1}.`);
    return eventually(async () => holds(await ask(about(query, subject))), milliseconds);
  };

  before(async function () {
    for (const tool of ['prometheus', 'promtool', 'jq']) requireTool(this, tool);
    cluster = await startRunbookCluster();
    // The second of two passes has the context of the pods that the first one found.
    await eventually(async () => {
      expect(await ask('anomaly_pod_info')).to.not.be.empty;
      expect(await ask('cluster:anomaly_lasting:ratio')).to.not.be.empty;
      expect(await ask('k8s_anomaly_detector_finding_severity')).to.not.be.empty;
      expect(await ask('anomaly_memory_time_to_limit_seconds')).to.not.be.empty;
    }, 150_000);
  });
  after(() => cluster?.close());

  it('are all here, with each of their queries', () => {
    expect(Object.keys(IN_TROUBLE).sort()).to.deep.equal([...runbookNames()].sort());
    for (const [alert, answers] of Object.entries(IN_TROUBLE)) {
      const queries = queriesIn(readRunbook(alert));
      expect(queries.length, alert).to.equal(answers.length);
      answers.forEach(([begins], index) => {
        expect(queries[index]?.startsWith(begins), `${alert}: ${queries[index]}`).to.equal(true);
      });
    }
  });

  for (const [alert, answers] of Object.entries(IN_TROUBLE)) {
    answers.forEach(([begins, holds, subject], index) => {
      it(`${alert}, query ${index + 1}: ${begins} …`, () => requireAnswer(alert, index, holds, subject));
    });
  }

  it('PodAnomalous shows a pod by curl and jq', async () => {
    const command = commandsIn(readRunbook('PodAnomalous')).find((text) => text.startsWith('curl -s')) ?? expect.fail();
    const there = about(command.replaceAll('localhost:8000', new URL(cluster.exporterUrl).host), CRASHING);
    // The exporter is in this process: nothing here may wait for a program without letting it answer.
    const { stdout } = await promisify(execFile)('bash', ['-c', there], { timeout: 60_000 });
    const shown = JSON.parse(stdout) as DetectResponse['pods'][number];
    expect(Object.keys(shown)).to.deep.equal(['since', 'release', 'context', 'features']);
    expect(shown.since).to.be.a('string');
    expect(shown.context?.waiting?.reason).to.equal('CrashLoopBackOff');
    expect(shown.features.map(({ feature }) => feature)).to.include('restarts');
  });

  it('those of pods, workloads and namespaces lead to views of the page', async () => {
    for (const alert of ['PodAnomalous', 'WorkloadAnomalous', 'NamespaceAnomalous']) {
      const [, path = ''] = /`(\/\?namespace=[^`]+)`/.exec(readRunbook(alert)) ?? expect.fail(alert);
      const shown = about(path.replace(/=cart$/, '="cart"'), CART).replaceAll('"', '');
      const { status, text } = await get(`${cluster.exporterUrl}${shown}`);
      expect(status, shown).to.equal(200);
      expect(text).to.match(/cart-\w+-\w+/);
    }
  });

  it('a pod that somebody mutes in the file ends as muted', async () => {
    await cluster.mute('cart-.*');
    for (const [alert, query, holds] of MUTED) await requireAnswer(alert, query, holds, CART, 150_000);
    const { text } = await get(`${cluster.exporterUrl}/detect?limit=0`);
    expect(DetectResponse.parse(JSON.parse(text)).muted).to.equal(3);
  });

  it('an exporter without Prometheus names the queries that fail, and the error is in /healthz', async () => {
    await cluster.proxy.switchTo('refuse');
    for (const [alert, query, holds] of UPSTREAM_DOWN) await requireAnswer(alert, query, holds, CART, 150_000);
    const { prometheus } = await healthOf(cluster.exporterUrl);
    expect(prometheus.last_error?.message).to.match(/ECONNREFUSED|Is Prometheus running/);
  });

  it('an exporter that is gone is down', async () => {
    await cluster.stopExporter();
    for (const [alert, query, holds] of EXPORTER_DOWN) await requireAnswer(alert, query, holds);
  });
});
