import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { type KnownMetrics, knownMetrics, selectorsIn, unknownNames } from '../../scripts/dashboard/promql.js';
import {
  type AlertingRule,
  alertsOf,
  CHART_RULES_FILE,
  chartRules,
  labelsOfRecord,
  PROMETHEUS_RULE_FILE,
  parseRules,
  prometheusRule,
  RULES_FILE,
  RULES_TESTS,
  type RulesFile,
  recordsOf,
  templateQueries,
  withRunbooksAt,
} from '../../scripts/prometheus-rules.js';
import { RUNBOOKS_URL } from '../../src/exporter/version.js';
import { ON_NEWEST_RELEASE, requireTool } from '../support/real-tools.js';

const DIRECTORY = 'deploy/prometheus';
const RUNBOOKS = 'docs/runbooks';
const JOB = 'k8s-anomaly-detector';

interface ScrapeConfig {
  readonly job_name: string;
  readonly honor_labels?: boolean;
  readonly kubernetes_sd_configs?: readonly Readonly<Record<string, unknown>>[];
}

const read = (path: string) => readFileSync(join(DIRECTORY, path), 'utf8');
const scrapeConfigOf = (text: string) => (parse(text) as { scrape_configs: readonly ScrapeConfig[] }).scrape_configs[0];

function promtool(...parameters: string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', parameters, { encoding: 'utf8', timeout: 110_000 });
  return { status, output: stdout + stderr };
}

/** What is known of some pods only, of which the cluster of this test has none. */
const CONTEXT_METRICS: KnownMetrics = new Map(
  Object.entries({
    anomaly_node_pods_scored: ['node', 'job', 'instance'],
    anomaly_node_pods_lasting: ['node', 'job', 'instance'],
    anomaly_memory_time_to_limit_seconds: ['namespace', 'pod', 'workload'],
    anomaly_memory_used_bytes: ['namespace', 'pod', 'workload'],
    anomaly_memory_limit_bytes: ['namespace', 'pod', 'workload'],
  }).map(([name, labels]) => [name, new Set(labels)]),
);

/** The alerts that say how they ended. */
const aboutPods: ReadonlySet<string> = new Set([
  'PodAnomalous',
  'WorkloadAnomalous',
  'NodeAnomalous',
  'NamespaceAnomalous',
  'AnomalyMassFlagging',
]);

describe('deploy/prometheus', () => {
  const rulesText = readFileSync(RULES_FILE, 'utf8');
  const rules: RulesFile = parseRules(rulesText);
  const alerts = alertsOf(rules);
  const alertNames = alerts.map(({ alert }) => alert);
  const testFiles = readdirSync(join(DIRECTORY, 'tests')).sort();
  let directory: string;
  let known: KnownMetrics;

  before(async () => {
    const exposed = await knownMetrics();
    const workingSet = 'container_memory_working_set_bytes';
    known = new Map([
      ...exposed,
      ...['up', 'scrape_duration_seconds'].map((name) => [name, new Set(['job', 'instance'])] as const),
      // Of kube-state-metrics, which the simulated cluster does not have.
      ['kube_pod_info', new Set(['namespace', 'pod', 'node'])],
      // Of cAdvisor and kube-state-metrics, which the simulated cluster does not have either.
      [workingSet, new Set(['namespace', 'pod', 'container', ...(exposed.get(workingSet) ?? [])])],
      ['kube_pod_container_resource_limits', new Set(['namespace', 'pod', 'container', 'resource'])],
      ['kube_pod_container_status_last_terminated_reason', new Set(['namespace', 'pod', 'container', 'reason'])],
      ['ALERTS', new Set(['alertname', 'alertstate', 'severity', 'namespace', 'workload', 'pod', 'node', 'job'])],
      ...recordsOf(rules).map(({ record }) => [record, new Set(labelsOfRecord(record))] as const),
      ...CONTEXT_METRICS,
      ['cluster:anomaly_links:info', new Set(['page', 'dashboard'])],
    ]);
    // Prometheus may give it to all series, or a ruler that sees several clusters.
    for (const labels of known.values()) (labels as Set<string>).add('cluster');
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-rules-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  describe('scrape configurations', () => {
    // Debian's promtool is built without Kubernetes.
    const ofKubernetes = ON_NEWEST_RELEASE ? ['scrape-configs/kubernetes.yaml'] : [];
    for (const file of ['prometheus.yaml', 'scrape-configs/static.yaml', ...ofKubernetes]) {
      it(`${file} is accepted by promtool`, function () {
        requireTool(this, 'promtool');
        const { status, output } = promtool('check', 'config', join(DIRECTORY, file));
        expect(status, output).to.equal(0);
        expect(output).to.include('SUCCESS');
      });
    }

    it('are all for the job that the alerts select, with honor_labels', () => {
      const files = readdirSync(join(DIRECTORY, 'scrape-configs')).map((file) => `scrape-configs/${file}`);
      for (const file of ['prometheus.yaml', ...files]) {
        const scrape = scrapeConfigOf(read(file));
        expect(scrape?.job_name, file).to.equal(JOB);
        expect(scrape?.honor_labels, file).to.equal(true);
      }
      expect(selectorsIn(alertNamed('AnomalyExporterDown').expr).map(({ matchers }) => matchers)).to.deep.equal([
        [`job="${JOB}"`],
        [`job="${JOB}"`],
      ]);
    });

    it('the complete configuration has that of a fixed address', () => {
      expect(scrapeConfigOf(read('prometheus.yaml'))).to.deep.equal(scrapeConfigOf(read('scrape-configs/static.yaml')));
    });

    it('the one for Kubernetes keeps the port `http` of the Service, and says whose namespace it is', function () {
      requireTool(this, 'promtool');
      const text = read('scrape-configs/kubernetes.yaml');
      const discovery = / {4}kubernetes_sd_configs:\n(?: {6}.*\n)+/;
      const [discoveries] = parse(discovery.exec(text)?.[0] ?? '').kubernetes_sd_configs;
      expect(discoveries, 'Kubernetes 1.33 has deprecated endpoints').to.deep.equal({ role: 'endpointslice' });
      // Debian's promtool is built without Kubernetes. What it would discover is put in its place.
      const endpoints = [
        { address: 'right:8000', service: JOB, port: 'http' },
        { address: 'other-port:9000', service: JOB, port: 'debug' },
        { address: 'other-service:8000', service: 'cart', port: 'http' },
        { address: 'longer-name:8000', service: `${JOB}-old`, port: 'http' },
      ];
      const discovered = endpoints.map(
        ({ address, service, port }) =>
          `      - targets: ["${address}"]\n        labels: { __meta_kubernetes_service_name: ${service}, ` +
          `__meta_kubernetes_endpointslice_port_name: ${port}, __meta_kubernetes_namespace: monitoring }\n`,
      );
      const file = join(directory, 'prometheus.yml');
      writeFileSync(file, text.replace(discovery, `    static_configs:\n${discovered.join('')}`));
      const { status, output } = promtool('check', 'service-discovery', '--timeout=1s', file, JOB);
      expect(status, output).to.equal(0);
      const targets = JSON.parse(output) as { labels: Record<string, string> }[];
      expect(targets).to.have.lengthOf(endpoints.length);
      const kept = targets.map(({ labels }) => labels).filter(({ instance }) => instance !== undefined);
      expect(kept.map(({ instance, namespace, job }) => ({ instance, namespace, job }))).to.deep.equal([
        { instance: 'right:8000', namespace: 'monitoring', job: JOB },
      ]);
      expect(kept[0], 'would be put on the series of workloads').to.not.have.property('pod');
    });
  });

  describe('rules', () => {
    it('are accepted by promtool', function () {
      requireTool(this, 'promtool');
      const { status, output } = promtool('check', 'rules', RULES_FILE);
      expect(status, output).to.equal(0);
      expect(output).to.include(`SUCCESS: ${recordsOf(rules).length + alerts.length} rules found`);
    });

    it(`are those of ${PROMETHEUS_RULE_FILE} (else: npm run rules)`, () => {
      const text = readFileSync(PROMETHEUS_RULE_FILE, 'utf8');
      expect(text).to.equal(prometheusRule(rulesText));
      expect((parse(text) as { spec: unknown }).spec).to.deep.equal(rules);
    });

    it(`are those of ${CHART_RULES_FILE} (else: npm run rules)`, () => {
      const text = readFileSync(CHART_RULES_FILE, 'utf8');
      expect(text).to.equal(chartRules(rulesText));
      expect(parse(text)).to.deep.equal(rules);
    });

    it('select only metrics and labels that are there, in expressions and in descriptions', () => {
      for (const { record, expr } of recordsOf(rules)) expect(unknownNames(expr, known), record).to.be.empty;
      for (const { alert, expr, annotations } of alerts) {
        expect(unknownNames(expr, known), alert).to.be.empty;
        const queries = Object.values(annotations).flatMap(templateQueries);
        for (const query of queries) expect(unknownNames(query, known), `${alert}: ${query}`).to.be.empty;
        const used =
          Object.values(annotations)
            .join()
            .match(/\| query\b|query `/g) ?? [];
        expect(queries.length, `${alert}: queries found in the templates`).to.equal(used.length);
      }
    });

    it('record metrics that are named after their labels, and that something reads', () => {
      const readers = [
        ...recordsOf(rules).map(({ expr }) => expr),
        ...alerts.flatMap(({ expr, annotations }) => [
          expr,
          ...Object.values(annotations).flatMap((text) => [...templateQueries(text)]),
        ]),
      ];
      const readMetrics = new Set(readers.flatMap(selectorsIn).map(({ metric }) => metric));
      for (const { record } of recordsOf(rules)) {
        expect(record).to.match(/^[a-z_]+:[a-z_]+:[a-z0-9_]+$/);
        expect([...readMetrics], record).to.include(record);
      }
    });

    it('say how bad it is, what it is, and where to read what to do', () => {
      for (const { alert, labels, annotations } of alerts) {
        expect(alert).to.match(/^([A-Z][a-z]+)+$/);
        expect(['critical', 'warning', 'info'], alert).to.include(labels.severity);
        if (!aboutPods.has(alert) && alert !== 'PodMemoryFull') {
          expect(annotations.summary, alert).to.match(/^[A-Z].*\.$/);
          expect(annotations.summary, `${alert}: the same for all of its instances`).to.not.include('{{');
        }
        expect(annotations.runbook_url, alert).to.equal(`${RUNBOOKS_URL}/${alert}.md`);
      }
    });

    it('have the address of their runbooks in package.json alone, from where `npm run rules` takes it', () => {
      const moved = 'https://git.example.org/fork/runbooks';
      for (const path of [RULES_FILE, ...readdirSync(RULES_TESTS).map((name) => join(RULES_TESTS, name))]) {
        const text = readFileSync(path, 'utf8');
        expect(withRunbooksAt(RUNBOOKS_URL, text), path).to.equal(text);
        const urls = (of: string) => [...of.matchAll(/runbook_url: (?:&\S+ |\*\S+)?(\S*)$/gm)].map(([, url]) => url);
        const forked = withRunbooksAt(moved, text);
        expect(urls(forked), path).to.deep.equal(urls(text).map((url = '') => url.replace(RUNBOOKS_URL, moved)));
        expect(forked, path).to.not.include(RUNBOOKS_URL);
      }
    });

    it('have a runbook each, and no runbook is left over', () => {
      const pages = readdirSync(RUNBOOKS).filter((page) => page !== 'README.md');
      expect(pages).to.have.members([...new Set(alertNames)].map((alert) => `${alert}.md`));
    });

    it('hold the alert of what is wider for longer than those that it stands for', () => {
      const minutes = ['AnomalyMassFlagging', 'NamespaceAnomalous', 'WorkloadAnomalous', 'PodAnomalous'].map((alert) =>
        Number(/last_over_time\(.*\[(\d+)m\]/.exec(alertNamed(alert).expr)?.[1]),
      );
      expect(minutes).to.deep.equal([...minutes].sort((a, b) => b - a));
      expect(new Set(minutes).size).to.equal(4);
    });
  });

  describe('unit tests of the rules', () => {
    for (const file of testFiles) {
      it(`${file} pass`, function () {
        requireTool(this, 'promtool');
        const { status, output } = promtool('test', 'rules', join(DIRECTORY, 'tests', file));
        expect(status, output).to.equal(0);
        expect(output).to.include('SUCCESS');
      });
    }

    it('see each alert fire, with its whole text', () => {
      const fired = testFiles.flatMap((file) =>
        (parse(read(`tests/${file}`)) as TestFile).tests.flatMap(({ alert_rule_test: checks = [] }) =>
          checks.filter(({ exp_alerts: expected }) => expected.length > 0).map(({ alertname }) => alertname),
        ),
      );
      expect([...new Set(fired)]).to.have.members([...new Set(alertNames)]);
    });

    /** Changes that a person might make in good faith, each with the test that notices it. */
    const mutations: readonly (readonly [file: string, what: string, from: string, to: string])[] = [
      ['blip.yaml', 'believes two readings', 'count >= 3', 'count >= 2'],
      ['blip.yaml', 'lets no reading be missing', 'avg[3m])', 'avg[1m])'],
      ['blip.yaml', 'counts for too long', 'avg[3m])', 'avg[20m])'],
      [
        'brief.yaml',
        'fires for flags',
        '(anomaly_lasting)',
        '(label_replace(anomaly_flag, "workload", "cart", "", ""))',
      ],
      [
        'exporter-restart.yaml',
        'lets instances stand',
        '(cluster, namespace, workload, pod) (anomaly',
        '(cluster, namespace, workload, pod, instance) (anomaly',
      ],
      [
        'exporter-restart.yaml',
        'believes one of two replicas',
        'by (cluster, namespace, pod) (anomaly_flag)\n            > 0.5',
        'by (cluster, namespace, pod) (anomaly_flag)\n            >= 0.5',
      ],
      [
        'exporter-restart.yaml',
        'wants all of three replicas',
        'by (cluster, namespace, pod) (anomaly_flag)\n            > 0.5',
        'by (cluster, namespace, pod) (anomaly_flag)\n            > 0.9',
      ],
      ['crash-loop.yaml', 'demands a whole window', 'count >= 3', 'count >= 6'],
      [
        'recovering.yaml',
        'ends at once',
        'pod) (last_over_time(namespace_workload_pod:anomaly_lasting:confirmed[10m]',
        'pod) (last_over_time(namespace_workload_pod:anomaly_lasting:confirmed[1m]',
      ],
      [
        'recovering.yaml',
        'never ends',
        'pod) (last_over_time(namespace_workload_pod:anomaly_lasting:confirmed[10m]',
        'pod) (last_over_time(namespace_workload_pod:anomaly_lasting:confirmed[10h]',
      ],
      [
        'recovering.yaml',
        'forgets the reason',
        'avg{%s} %s or on () last_over_time(namespace_workload_pod_feature:anomaly_feature_deviation:avg{%s}[20m]) %s))',
        'avg{%s} %s or on () namespace_workload_pod_feature:anomaly_feature_deviation:avg{%s} %s))',
      ],
      ['short-lived-pod.yaml', 'fires for what is gone', 'count >= 3', 'count >= 2'],
      [
        'persistent-anomaly.yaml',
        'makes up a workload',
        'by (cluster, namespace, workload, pod) (anomaly_lasting)',
        'by (cluster, namespace, workload, pod) (label_replace(anomaly_lasting, "workload", "$1", "pod", "(.+?)-.*"))',
      ],
      [
        'whole-workload.yaml',
        'counts workloads of one pod',
        'and avg by (cluster, namespace, workload) (anomaly_workload_pods_scored) >= 2',
        'and avg by (cluster, namespace, workload) (anomaly_workload_pods_scored) >= 1',
      ],
      ['whole-workload.yaml', 'fires in turns with its pods', 'alertstate="firing"}[2m]', 'alertstate="pending"}[2m]'],
      ['whole-workload.yaml', 'takes half for most', '> 0)\n            > 0.5', '> 0)\n            >= 0.5'],
      ['node.yaml', 'lets the node be anywhere', '> 3 *', '> 0 *'],
      [
        'node.yaml',
        'takes a workload for a node',
        '(node_namespace_workload_pod:anomaly_lasting:count)) >= 2',
        '(node_namespace_workload_pod:anomaly_lasting:count)) >= 1',
      ],
      [
        'node.yaml',
        'alerts of its pods as well',
        'anomaly_lasting:of_node[20m])\n        labels',
        'anomaly_lasting:of_node[20m]) == 99\n        labels',
      ],
      [
        'node.yaml',
        'takes back what somebody was alerted of',
        'alertstate="firing"} offset 1m',
        'alertstate="pending"} offset 1m',
      ],
      [
        'node.yaml',
        'counts replicas of a shard twice',
        'avg by (cluster, node, shard_ordinal)',
        'sum by (cluster, node, shard_ordinal)',
      ],
      ['node.yaml', 'ends with its pods', 'anomaly_lasting:ratio[18m]', 'anomaly_lasting:ratio[8m]'],
      [
        'namespace.yaml',
        'takes one workload for most',
        '(namespace_workload:anomaly_lasting:share) >= 2',
        '(namespace_workload:anomaly_lasting:share) >= 1',
      ],
      [
        'namespace.yaml',
        'takes half of the workloads for most',
        'anomaly_workload_pods_scored) > 0)\n            > 0.5\n            and',
        'anomaly_workload_pods_scored) > 0)\n            >= 0.5\n            and',
      ],
      [
        'namespace.yaml',
        'takes two pods for many',
        'anomaly_lasting:elsewhere) >= 3',
        'anomaly_lasting:elsewhere) >= 2',
      ],
      [
        'namespace.yaml',
        'fires in turns with its parts',
        'alertname="NamespaceAnomalous",alertstate="firing"',
        'alertname="NamespaceAnomalous",alertstate="pending"',
      ],
      ['mass-flagging.yaml', 'counts small clusters', 'count >= 2) >= 5', 'count >= 2) >= 1'],
      ['mass-flagging.yaml', 'comes with its pods', 'count >= 2', 'count >= 3'],
      ['whole-workload.yaml', 'comes with its pods', 'count >= 2', 'count >= 3'],
      ['mass-flagging.yaml', 'believes a single reading', 'count >= 2', 'count >= 1'],
      ['mass-flagging.yaml', 'takes a fifth for more', '> 0.2', '>= 0.2'],
      ['mass-flagging.yaml', 'resolves with its pods', 'ratio[20m]', 'ratio[10m]'],
      ['stale-model.yaml', 'has no patience', ') >= 2\n        for: 10m', ') >= 2\n        for: 5m'],
      ['stale-model.yaml', 'lets no training fail', ') >= 2\n        for: 10m', ') >= 1\n        for: 10m'],
      [
        'stale-model.yaml',
        'wants each replica to train',
        'min by (cluster, job, shard_ordinal) (\n              k8s_anomaly_detector_trainings_missed',
        'max by (cluster, job, shard_ordinal) (\n              k8s_anomaly_detector_trainings_missed',
      ],
      [
        'slow-scrape.yaml',
        'forgets a longer limit',
        '0.5 * max by (cluster, job) (k8s_anomaly_detector_request_timeout_seconds)',
        '2.5',
      ],
      ['missing-model.yaml', 'has no patience', 'for: 10m', 'for: 5m'],
      ['upstream-down.yaml', 'has no patience', 'for: 10m', 'for: 5m'],
      ['unscored-pods.yaml', 'counts young pods', 'warmup|pending', 'pending'],
      ['unscored-pods.yaml', 'counts pods that wait', 'pending|ending', 'ending'],
      ['unscored-pods.yaml', 'counts pods that have just ended', 'ending|completed', 'completed'],
      ['unscored-pods.yaml', 'counts pods that are ignored on purpose', 'completed|opted_out', 'completed'],
      ['shards.yaml', 'has no patience', 'for: 10m', 'for: 5m'],
      ['shards.yaml', 'lets one shard stand in for another', 'min by (cluster, job) (', 'max by (cluster, job) ('],
      [
        'shards.yaml',
        'counts replicas of a shard twice',
        'max by (cluster, job, shard_ordinal, reason)',
        'sum by (cluster, job, shard_ordinal, reason)',
      ],
      [
        'shards.yaml',
        'wants a model of nothing',
        'k8s_anomaly_detector_shard_namespaces',
        'k8s_anomaly_detector_total_shards',
      ],
      [
        'shards.yaml',
        'counts processes for shards',
        'count by (cluster, job) (count by (cluster, job, shard_ordinal) (',
        'count by (cluster, job) (count by (cluster, job, instance) (',
      ],
      ['memory-full.yaml', 'believes one forecast', 'seconds:min[10m]) >= 15', 'seconds:min[10m]) >= 5'],
      ['memory-full.yaml', 'ends with each gap', 'seconds:confirmed[15m]', 'seconds:confirmed[1m]'],
      ['memory-full.yaml', 'comes a day before', '< 8 * 3600', '< 24 * 3600'],
      ['memory-full.yaml', 'does not say how soon', '< 3600\n', '< 8 * 3600\n'],
      [
        'memory-full.yaml',
        'makes a message of each pod',
        'min by (cluster, namespace, workload) (\n            last_over_time(namespace_workload_pod:anomaly_memory',
        'min by (cluster, namespace, workload, pod) (\n            last_over_time(namespace_workload_pod:anomaly_memory',
      ],
      [
        'clusters.yaml',
        'adds up workloads of several clusters',
        'avg by (cluster, namespace, workload) (anomaly_workload_pods_scored)',
        'sum by (namespace, workload) (anomaly_workload_pods_scored)',
      ],
      ['installation-fault.yaml', 'has no patience', 'for: 45m', 'for: 15m'],
      ['installation-fault.yaml', 'counts warnings', 'severity) == 2', 'severity) >= 1'],
    ];
    for (const [file, what, from, to] of mutations) {
      it(`${file} fail when the rule ${what}`, function () {
        requireTool(this, 'promtool');
        const mutated = rulesText.replaceAll(from, to);
        expect(mutated, 'the change').to.not.equal(rulesText);
        const text = read(`tests/${file}`).replace('../rules.yaml', 'rules.yaml');
        const [settings = '', ...tests] = text.split(/^(?= {2}- name: )/m);
        expect(tests).to.have.lengthOf((parse(text) as TestFile).tests.length);
        // One by one, up to the first that notices: the others take time.
        const notices = tests.some((test) => {
          const { status, output } = runTests(mutated, settings + test);
          if (status !== 0) expect(output).to.include('exp:');
          return status !== 0;
        });
        expect(notices).to.equal(true);
      });
    }
  });

  describe('runbooks', () => {
    for (const alert of new Set(alertNames)) {
      const page = () => readFileSync(join(RUNBOOKS, `${alert}.md`), 'utf8');

      it(`of ${alert} has every section`, () => {
        const headings = page().match(/^#+ .*$/gm);
        expect(headings).to.deep.equal([
          `# ${alert}`,
          '## What happened',
          '## What to check',
          '## What to do',
          ...(aboutPods.has(alert) || alert === 'PodMemoryFull' ? ['## How it ends'] : []),
          '## If the detector is wrong',
          '## Silence it',
        ]);
      });

      it(`of ${alert} asks for metrics and labels that are there`, () => {
        const blocks = [...page().matchAll(/^```promql\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
        const queries = blocks.flatMap((block) => block.split('\n\n')).map((query) => query.trim());
        expect(queries).to.not.be.empty;
        for (const query of queries) expect(unknownNames(query, known), query).to.be.empty;
      });

      it(`of ${alert} says how to silence it by name, and links only to files that exist`, () => {
        expect(page()).to.match(new RegExp(`amtool silence add alertname=${alert}\\b`));
        for (const [, path = ''] of page().matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
          expect(existsSync(join(RUNBOOKS, path)), path).to.equal(true);
        }
      });
    }
  });

  function alertNamed(name: string): AlertingRule {
    const alert = alerts.find((candidate) => candidate.alert === name);
    if (alert === undefined) throw new Error(`Expected an alert ${name} in ${RULES_FILE}.`);
    return { ...alert, expr: alert.expr.trim() };
  }

  function runTests(rulesOf: string, tests: string) {
    writeFileSync(join(directory, 'rules.yaml'), rulesOf);
    writeFileSync(join(directory, 'tests.yaml'), tests);
    return promtool('test', 'rules', join(directory, 'tests.yaml'));
  }
});

interface TestFile {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}
