import { expect } from 'chai';
import { CHECKS, judgeFacts } from '../../../src/exporter/check/checks.js';
import type { Conditions, Facts, ModelFacts, NodeFacts } from '../../../src/exporter/check/facts.js';
import type { Finding, Severity } from '../../../src/exporter/check/finding.js';
import { type SourceSelector, sourceSelectors } from '../../../src/exporter/features/queries/selectors.js';
import { parseTuningFile } from '../../../src/exporter/tuning/tuning-file.js';
import {
  answerOf,
  CONDITIONS,
  emptySource,
  FINE,
  featuresWith,
  KUBE_STATE_METRICS,
  known,
  podNames,
  sourcesWith,
  unknown,
} from '../../support/check-facts.js';
import { REMEMBERED } from '../../support/metric-sources.js';

const [NETWORK] = sourceSelectors('k8s_pod_network_io_bytes_total') as [SourceSelector];

interface Row {
  readonly when: string;
  readonly facts: Partial<Facts>;
  readonly conditions?: Partial<Conditions>;
  readonly check: string;
  readonly severity: Severity;
  /** Tested against summary, meaning and advice together. */
  readonly says: readonly RegExp[];
}

const ended = (count: number) => known(new Map([...podNames(count)].map((pod) => [pod, 'completed'] as const)));

const nodeOf = (replaced: Partial<NodeFacts>, unmeasuredPods: readonly string[]): NodeFacts => ({
  name: 'node',
  osImage: 'Ubuntu 22.04.3 LTS',
  runtime: 'containerd://1.7.2',
  measured: 0,
  unmeasuredPods,
  ...replaced,
});

/** A node of which three pods have no usage, among so many pods that have. */
const darkNode = (replaced: Partial<NodeFacts>, others = 8): Partial<Facts> => {
  const [measured, all] = [podNames(others), podNames(others + 3)];
  const usage = known(answerOf(others));
  return {
    features: featuresWith({ cpu: usage, memory: usage, restarts: known(answerOf(others + 3)) }),
    nodes: known([
      nodeOf(
        replaced,
        [...all].filter((pod) => !measured.has(pod)),
      ),
    ]),
  };
};

const NAMES = { found: undefined, podsOfTargetInfo: 0, fallingShare: 0 };
const COLLECTOR: Partial<Conditions> = {
  metricsSource: 'opentelemetry',
  podLabel: 'k8s_pod_name',
  namespaceLabel: 'k8s_namespace_name',
};
const COLLECTOR_LABELS = { k8s_namespace_name: 'shop', k8s_pod_name: 'cart-0', k8s_container_name: 'app' };
/** CPU by the names of a Collector, which one series has these labels of. */
const ofCollector = (example: Readonly<Record<string, string>> = COLLECTOR_LABELS) => ({
  metricsSource: 'opentelemetry' as const,
  otlpTranslation: 'UnderscoreEscapingWithSuffixes' as const,
  metric: 'container_cpu_time_seconds_total',
  series: 16,
  example,
});
const LABELS = { __name__: 'x', namespace: 'shop', pod: 'cart-0', container: 'app' };
const empty = known(answerOf(0));
const noSeries = { seriesOfMetric: 0, blamed: [], example: undefined };
const clockOff = (skewSeconds: number) => ({ clock: known({ skewSeconds, uncertaintySeconds: 0.5 }) });
const victoria = known({ application: undefined, version: '2.24.0', revision: undefined });
const interval = (seconds: number) => ({ intervalSeconds: known(seconds) });
const historyWith = (replaced: object) => ({
  history: FINE.history.known ? known({ ...FINE.history.value, ...replaced }) : FINE.history,
});

const tunedWith = (replaced: object) => ({
  tuningAnnotations: known({ objects: 3, mistakes: [], ends: [], ...replaced }),
});
const mistakeOf = (pod: string) => ({
  object: `pod shop/${pod}`,
  sentence: 'k8s-anomaly-detector/ignore: expected `true` or `false`, got "yes"',
});
const endOf = (untilSeconds: number) => ({ object: 'namespace ci', untilSeconds });

const reachOf = (reachSeconds: number | undefined) => ({ pastDays: known({ reachSeconds, stepSeconds: 21_600 }) });

/** A row about a model with a history, with parts of it replaced. */
const budgetRow = (
  what: string,
  replaced: Partial<ModelFacts>,
  severity: Severity,
  ...says: readonly RegExp[]
): Row => ({
  ...row(what, {}, 'alert_budget', severity, ...says),
  conditions: {
    model: CONDITIONS.model && { ...CONDITIONS.model, ...replaced },
  },
});

const TUNING = parseTuningFile(
  'rules:\n  - match: { pod: cart-0 }\n    ignore: true\n  - { match: { workload: x }, ignore: true }\n',
  'tuning.yaml',
);

/** A row about the tuning file. */
const fileRow = (
  what: string,
  facts: Partial<Facts>,
  tuningFile: Conditions['tuningFile'],
  severity: Severity,
  ...says: readonly RegExp[]
): Row => ({ ...row(what, facts, 'tuning_file', severity, ...says), conditions: { tuningFile } });

const ROWS: readonly Row[] = [
  row('the server names nothing', { server: known(undefined) }, 'server', 'ok', /does not report its name/),
  row('it is Prometheus', {}, 'server', 'ok', /^The server is Prometheus 2\.42\.0\.$/),
  row('it is VictoriaMetrics', { server: victoria }, 'server', 'ok', /VictoriaMetrics/),
  row(
    'it is Thanos',
    { server: known({ application: undefined, version: '0.31.0', revision: 'x' }) },
    'server',
    'ok',
    /Thanos 0\.31\.0/,
  ),
  row(
    'it is Mimir',
    { server: known({ application: 'Grafana Mimir', version: '2.10.0', revision: 'x' }) },
    'server',
    'ok',
    /Grafana Mimir 2\.10\.0/,
  ),

  row('clocks differ by less than a scrape', clockOff(4), 'clock', 'ok', /agree within 4 s/),
  row('the server is ahead', clockOff(20), 'clock', 'warning', /20 s ahead of ours/, /NTP/),
  row('the server is behind', clockOff(-90), 'clock', 'error', /90 s behind ours/),
  row(
    'the answer took longer than the difference',
    { clock: known({ skewSeconds: 6, uncertaintySeconds: 3 }) },
    'clock',
    'ok',
    /agree/,
  ),
  row('VictoriaMetrics answers late', { ...clockOff(-30), server: victoria }, 'clock', 'ok', /latencyOffset/),
  row('only VictoriaMetrics does', clockOff(-30.6), 'clock', 'error', /behind/),

  row('all queries are answered', {}, 'queries', 'ok', /cpu, memory and restarts/),
  row(
    'a query is not answered',
    { features: featuresWith({ memory: unknown('Expected an answer, got HTTP 429. Query less often.') }) },
    'queries',
    'error',
    /query for memory/,
    /HTTP 429\. Query less often\./,
  ),

  row('queries are quick', {}, 'query_duration', 'ok', /0\.1 s of the 5 s/),
  row(
    'queries take more than half of the time',
    { features: featuresWith({ cpu: known(answerOf(8, { durationSeconds: 3 })) }) },
    'query_duration',
    'warning',
    /\(cpu\) takes 3 s/,
    /REQUEST_TIMEOUT_SECONDS/,
  ),
  row(
    'queries take longer than a scrape',
    { features: featuresWith({ cpu: known(answerOf(8, { durationSeconds: 6 })) }) },
    'query_duration',
    'error',
    /no scores/,
  ),

  row(
    'the collector keeps the working set only',
    {
      sources: sourcesWith({
        memory: { ...emptySource(), emptiness: known({ ...noSeries, instead: 'working_set' as const }) },
      }),
    },
    'series',
    'error',
    /no series of container_memory_usage_bytes, although it has some of container_memory_working_set_bytes/,
    /Set MEMORY_METRIC=working_set\./,
  ),
  row(
    'memory includes little page cache',
    {},
    'memory_metric',
    'ok',
    /container_memory_usage_bytes \(including page cache\); Prometheus also has container_memory_working_set_bytes/,
    /MEMORY_METRIC=working_set takes what the kubelet evicts by, and what `kubectl top` shows/,
  ),
  row(
    'memory includes much page cache',
    { memory: known({ used: ['usage'], bytes: { usage: 10 * 2 ** 30, working_set: 6 * 2 ** 30, rss: 0 } }) },
    'memory_metric',
    'warning',
    /4 GiB of 10 GiB \(40 %\) are inactive page cache/,
    /Set MEMORY_METRIC=working_set: it is what the kubelet evicts by/,
  ),
  row(
    'memory is the working set',
    { memory: known({ used: ['working_set'], bytes: { usage: 10, working_set: 6, rss: 5 } }) },
    'memory_metric',
    'ok',
    /also has container_memory_usage_bytes \(including page cache\) and container_memory_rss \(without page cache\)/,
    /The working set is what the kubelet evicts by/,
  ),
  row(
    'there is no other metric of memory',
    { memory: known({ used: ['usage'], bytes: { usage: 10, working_set: 0, rss: 0 } }) },
    'memory_metric',
    'ok',
    /Prometheus has no other metric of it\./,
  ),
  row(
    'memory is the resident set',
    { memory: known({ used: ['rss'], bytes: { usage: 10, working_set: 6, rss: 5 } }) },
    'memory_metric',
    'ok',
    /MEMORY_METRIC=working_set takes what the kubelet evicts by/,
  ),
  row(
    'no feature reads memory',
    { memory: known({ used: [], bytes: { usage: 0, working_set: 0, rss: 0 } }) },
    'memory_metric',
    'ok',
    /No feature reads the memory of containers/,
  ),
  row(
    'cAdvisor knows pods and no containers',
    { sources: sourcesWith({ cpu: emptySource(32, ['container!=""'], { namespace: 'shop', pod: 'a', id: '/x' }) }) },
    'series',
    'error',
    /none of a container: none has the label container/,
    /Set CONTAINER_LABEL=pod,/,
  ),
  row(
    'kube-state-metrics lacks the label of PROMETHEUS_MATCHERS',
    {
      sources: sourcesWith({ restarts: emptySource(8, ['cluster="berlin"'], LABELS) }),
      kubeStateMetrics: known({
        podOwners: 0,
        replicaSetPods: 0,
        jobPods: 0,
        replicaSetOwners: 0,
        jobOwners: 0,
        podPhases: 0,
      }),
    },
    'kube_state_metrics',
    'warning',
    /no series of kube_pod_container_status_restarts_total matches cluster="berlin"/,
    /owners and phases/,
    /PROMETHEUS_MATCHERS/,
  ),
  row('answers are for the instants that were asked for', {}, 'grid', 'ok', /the instants that are asked for/),
  row(
    'a query frontend aligns ranges',
    { features: featuresWith({ cpu: known(answerOf(8, { shiftSeconds: 42 })) }) },
    'grid',
    'warning',
    /query frontend/,
    /42 s older/,
    /up to a minute later/,
    /align-range-with-step/,
    /nocache=1/,
  ),
  row(
    'answers are for other times',
    { features: featuresWith({ cpu: known(answerOf(8, { points: 80, strayed: 80 })) }) },
    'grid',
    'error',
    /answers for cpu are about other times than were asked for \(80 of 80 samples\)/,
    /not scored/,
    /start, end or step/,
  ),
  row('there are series', {}, 'series', 'ok', /8 pods/, /16 of container_memory_usage_bytes/),
  row(
    'cAdvisor is not scraped',
    { sources: sourcesWith({ cpu: emptySource(), memory: emptySource() }) },
    'series',
    'error',
    /no series of container_cpu_usage_seconds_total and no series of container_memory_usage_bytes\./,
    /\/metrics\/cadvisor/,
  ),
  row(
    'a feature that is not required reads a metric of kubeletstats that is not there',
    {
      sources: sourcesWith({
        restarts: { ...emptySource(), selector: NETWORK, features: ['network'] },
      }),
    },
    'series',
    'warning',
    /no series of k8s_pod_network_io_bytes_total/,
    /remove the feature/,
  ),
  row(
    'NAMESPACE_REGEX matches nothing',
    { sources: sourcesWith({ memory: emptySource(32, ['namespace=~"nope"'], LABELS) }) },
    'series',
    'error',
    /32 series of container_memory_usage_bytes, but none whose namespace matches NAMESPACE_REGEX/,
    /An existing namespace: shop\./,
  ),
  {
    ...row(
      'POD_LABEL is not on the series',
      { sources: sourcesWith({ memory: emptySource(32, ['container_name!=""'], LABELS) }) },
      'series',
      'error',
      /they do not have the label of POD_LABEL \("pod_name"\); their labels are container, namespace and pod\./,
      /Set POD_LABEL=pod\./,
    ),
    conditions: { podLabel: 'pod_name' },
  },
  row(
    'POD_LABEL is the new one on an old cluster',
    {
      sources: sourcesWith({
        memory: emptySource(32, ['container!=""'], { namespace: 'shop', pod_name: 'a', container_name: 'b' }),
      }),
    },
    'series',
    'error',
    /Set POD_LABEL=pod_name\./,
  ),
  row(
    'cAdvisor names the pods as OpenTelemetry does',
    {
      sources: sourcesWith({
        memory: emptySource(32, ['namespace=~".*"'], {
          k8s_namespace_name: 'shop',
          k8s_pod_name: 'cart-0',
          k8s_container_name: 'app',
        }),
      }),
    },
    'series',
    'error',
    /labels of NAMESPACE_LABEL \("namespace"\) and POD_LABEL \("pod"\); their labels are k8s_container_name/,
    /Set NAMESPACE_LABEL=k8s_namespace_name and POD_LABEL=k8s_pod_name\./,
  ),
  row(
    'cAdvisor runs on its own, without a relabelling',
    {
      sources: sourcesWith({
        memory: emptySource(32, ['container!=""'], {
          container_label_io_kubernetes_container_name: 'app',
          container_label_io_kubernetes_pod_name: 'cart-0',
          container_label_io_kubernetes_pod_namespace: 'shop',
        }),
      }),
    },
    'series',
    'error',
    /Set NAMESPACE_LABEL=container_label_io_kubernetes_pod_namespace and POD_LABEL=container_label_io_kubernetes_pod_name\./,
  ),
  {
    ...row(
      'the container has a label that does not follow from that of the pod',
      {
        sources: sourcesWith({ memory: emptySource(32, ['exported_container!=""'], { ...LABELS, exported_pod: 'a' }) }),
      },
      'series',
      'error',
      /CONTAINER_LABEL=container\./,
    ),
    conditions: { podLabel: 'exported_pod' },
  },
  row(
    'no namespace of the targets matches, and those of the pods are elsewhere',
    {
      sources: sourcesWith({
        cpu: emptySource(32, ['namespace=~"shop"'], {
          namespace: 'kube-system',
          exported_namespace: 'shop',
          pod: 'cart-0',
          container: 'app',
        }),
      }),
    },
    'series',
    'error',
    /the label namespace of them is that of the target that Prometheus scrapes; that of the pod is in exported_namespace/,
    /honor_labels: true in the job that scrapes cAdvisor, or set NAMESPACE_LABEL=exported_namespace\.$/,
  ),
  row(
    'cAdvisor is scraped without honor_labels',
    {
      sources: sourcesWith({
        cpu: { exported: known(['exported_namespace', 'exported_pod', 'exported_container']) },
      }),
    },
    'series',
    'error',
    /labels namespace, pod and container of container_cpu_usage_seconds_total are those of the target/,
    /wrong name/,
    /or set NAMESPACE_LABEL=exported_namespace and set POD_LABEL=exported_pod\.$/,
  ),
  row(
    'a target has a pod, but its series keep their container',
    { sources: sourcesWith({ memory: { exported: known(['exported_namespace', 'exported_pod']) } }) },
    'series',
    'error',
    /NAMESPACE_LABEL=exported_namespace, set POD_LABEL=exported_pod and set CONTAINER_LABEL=container\.$/,
  ),
  row(
    'a target has a namespace, as kubelets of the operator',
    { sources: sourcesWith({ memory: { exported: known(['exported_namespace']) } }) },
    'series',
    'error',
    /label namespace of container_memory_usage_bytes is that of the target/,
    /or set NAMESPACE_LABEL=exported_namespace\.$/,
  ),
  row(
    'a target has a container alone',
    { sources: sourcesWith({ memory: { exported: known(['exported_container']) } }) },
    'series',
    'error',
    /or set CONTAINER_LABEL=exported_container\.$/,
  ),
  row(
    'cAdvisor on its own is scraped as a pod',
    {
      sources: sourcesWith({
        memory: emptySource(32, ['container!=""'], {
          namespace: 'monitoring',
          pod: 'cadvisor-zk7dq',
          container_label_io_kubernetes_pod_namespace: 'shop',
          container_label_io_kubernetes_pod_name: 'cart-0',
          container_label_io_kubernetes_container_name: 'app',
        }),
      }),
    },
    'series',
    'error',
    /the labels namespace and pod of them are those of the target/,
    /NAMESPACE_LABEL=container_label_io_kubernetes_pod_namespace and set POD_LABEL=container_label_io_kubernetes_pod_name\b/,
    /^(?!.*honor_labels)/s,
  ),
  row(
    'cAdvisor on its own is scraped by an operator',
    { sources: sourcesWith({ memory: { exported: known(['container_label_io_kubernetes_pod_name']) } }) },
    'series',
    'error',
    /The label pod of container_memory_usage_bytes is that of the target/,
    / Set POD_LABEL=container_label_io_kubernetes_pod_name/,
    /^(?!.*honor_labels)/s,
  ),
  row(
    'another matcher is to blame',
    { sources: sourcesWith({ memory: emptySource(32, ['cluster="x"'], LABELS) }) },
    'series',
    'error',
    /none matches cluster="x"/,
  ),
  row(
    'kube-state-metrics is missing, which has a check of its own',
    { sources: sourcesWith({ restarts: emptySource() }) },
    'series',
    'ok',
    /8 pods/,
  ),
  row(
    'series lack the label of the pod',
    { features: featuresWith({ cpu: known(answerOf(0, { series: 5, unlabelled: 5 })) }) },
    'series',
    'error',
    /Of cpu, 5 series of 5 lack the label namespace or pod/,
  ),

  row('features cover the same pods', {}, 'pod_coverage', 'ok', /cpu 8, memory 8 and restarts 8\)/),
  row(
    'pods have ended',
    { features: featuresWith({ restarts: known(answerOf(12)) }), idlePods: ended(12) },
    'pod_coverage',
    'ok',
    /restarts 12; 4 pods that ended\)/,
  ),
  row(
    'running pods have no usage',
    { features: featuresWith({ restarts: known(answerOf(12)) }), idlePods: ended(9) },
    'pod_coverage',
    'warning',
    /3 pods that have not ended have no usage at all: shop\/cart-10, shop\/cart-11 and shop\/cart-9\./,
    /`no_usage`/,
    /Windows/,
  ),
  row(
    'a node is not scraped',
    darkNode({ name: 'node-3' }),
    'pod_coverage',
    'warning',
    /3 pods that have not ended have no usage at all/,
    /The node node-3 has no usage of any pod \(3 pods without usage\)\./,
    /Let Prometheus scrape \/metrics\/cadvisor of every kubelet/,
    /^(?!.*cri-dockerd)/s,
  ),
  row(
    'one node of many is not scraped',
    darkNode({ name: 'node-3' }, 500),
    'pod_coverage',
    'warning',
    /The node node-3 has no usage of any pod/,
  ),
  row(
    'a node runs Windows',
    darkNode({ name: 'win-1', osImage: 'Windows Server 2022 Datacenter' }),
    'pod_coverage',
    'warning',
    /The node win-1 runs Windows/,
    /NAMESPACE_REGEX/,
  ),
  row(
    'a node is of Fargate',
    darkNode({ name: 'fargate-ip-10-0-1-2.eu-west-1.compute.internal' }),
    'pod_coverage',
    'warning',
    /fargate-ip-10-0-1-2.* is serverless/,
    /proxy\/metrics\/cadvisor/,
  ),
  row(
    'a node runs Docker behind cri-dockerd',
    darkNode({ name: 'old-1', runtime: 'docker://24.0.7' }),
    'pod_coverage',
    'warning',
    /The node old-1 runs Docker/,
    /CONTAINER_LABEL.*containerd or CRI-O/,
  ),
  row(
    'nodes of Fargate have a pod each',
    {
      features: featuresWith({
        cpu: known(answerOf(500)),
        memory: known(answerOf(500)),
        restarts: known(answerOf(503)),
      }),
      nodes: known([500, 501, 502].map((pod) => nodeOf({ name: `fargate-ip-10-0-0-${pod}` }, [`shop/cart-${pod}`]))),
    },
    'pod_coverage',
    'warning',
    /3 nodes are serverless: fargate-ip-10-0-0-500, .* \(3 pods without usage\)/,
    /^(?!.*relabelling)/s,
  ),
  row(
    'nodes are young and have a pod each',
    {
      features: featuresWith({
        cpu: known(answerOf(500)),
        memory: known(answerOf(500)),
        restarts: known(answerOf(503)),
      }),
      nodes: known([500, 501, 502].map((pod) => nodeOf({ name: `node-${pod}` }, [`shop/cart-${pod}`]))),
    },
    'pod_coverage',
    'ok',
    /3 pods without usage/,
  ),
  row(
    'nodes are dark for several reasons',
    {
      features: featuresWith({ restarts: known(answerOf(20)) }),
      nodes: known([
        nodeOf({ name: 'a' }, ['shop/cart-8', 'shop/cart-9', 'shop/cart-10']),
        nodeOf({ name: 'b' }, ['shop/cart-11', 'shop/cart-12', 'shop/cart-13']),
        nodeOf({ name: 'w', osImage: 'Windows' }, ['shop/cart-14', 'shop/cart-15', 'shop/cart-16']),
      ]),
    },
    'pod_coverage',
    'warning',
    /The node w runs Windows \(3 pods without usage\)/,
    /2 nodes have no usage of any pod: a and b \(6 pods without usage\)/,
    /lose it to a relabelling/,
  ),
  row(
    'pods without usage are on nodes that are scraped',
    { ...darkNode({ name: 'node-3', measured: 5 }) },
    'pod_coverage',
    'warning',
    /lose it to a relabelling, their containers have no labels, or they crash/,
  ),
  row(
    'jobs have just ended, and keep memory for some minutes',
    {
      features: featuresWith({
        cpu: known(answerOf(8, { recent: podNames(20) })),
        memory: known(answerOf(20)),
        restarts: known(answerOf(8, { recent: podNames(20) })),
      }),
    },
    'pod_coverage',
    'ok',
    /cpu 8, memory 20/,
  ),
  row(
    'pods have just lost their usage: they may have been deleted',
    {
      features: featuresWith({
        cpu: known(answerOf(8, { recent: podNames(12) })),
        memory: known(answerOf(8, { recent: podNames(12) })),
        restarts: known(answerOf(12)),
      }),
    },
    'pod_coverage',
    'ok',
    /4 pods without usage\)/,
  ),
  row(
    'pods wait to start',
    {
      features: featuresWith({ restarts: known(answerOf(12)) }),
      idlePods: known(
        new Map([...podNames(12)].map((pod) => [pod, pod.endsWith('1') ? 'pending' : 'completed'] as const)),
      ),
    },
    'pod_coverage',
    'ok',
    /3 pods that ended and 1 pod waiting to start\)/,
  ),
  row(
    'a pod that has not ended has no usage',
    { features: featuresWith({ restarts: known(answerOf(9)) }) },
    'pod_coverage',
    'ok',
    /restarts 9; 1 pod without usage\)/,
  ),
  row(
    'pods without usage are too young to miss',
    { features: featuresWith({ restarts: known(answerOf(12, { lasting: podNames(8) })) }) },
    'pod_coverage',
    'ok',
    /4 pods without/,
  ),
  row(
    'nobody says which pods have ended',
    {
      features: featuresWith({ restarts: known(answerOf(12)) }),
      kubeStateMetrics: known({ ...KUBE_STATE_METRICS, podOwners: 8, podPhases: 0 }),
    },
    'pod_coverage',
    'ok',
    /4 pods without/,
  ),
  row(
    'one or two pods have just come or gone',
    { features: featuresWith({ cpu: known(answerOf(6)) }) },
    'pod_coverage',
    'ok',
    /cpu 6/,
  ),
  row(
    'a node is not scraped',
    { features: featuresWith({ cpu: known(answerOf(3)) }) },
    'pod_coverage',
    'warning',
    /5 pods of 8 are without cpu: shop\/cart-3, shop\/cart-4, shop\/cart-5 and 2 more/,
    /not scored/,
  ),
  row(
    'kube-state-metrics names itself in place of the pods',
    { features: featuresWith({ restarts: known(answerOf(1, { pods: new Set(['monitoring/ksm-0']) })) }) },
    'pod_coverage',
    'warning',
    /8 pods of 8 are without restarts/,
    /honor_labels: true/,
  ),
  row(
    'many pods are too young to miss',
    { features: featuresWith({ memory: known(answerOf(20, { lasting: podNames(8) })) }) },
    'pod_coverage',
    'ok',
    /memory 20/,
  ),

  row('the window holds four scrapes', {}, 'rate_window', 'ok', /every 15 s .* over 60 s: enough/),
  row('timestamps waver a little', { sources: sourcesWith({ cpu: interval(15.3) }) }, 'rate_window', 'ok', /enough/),
  row(
    'the rate is empty',
    { sources: sourcesWith({ cpu: interval(60) }), features: featuresWith({ cpu: empty }) },
    'rate_window',
    'error',
    /every 60 s .* the rate is empty/,
    /CPU_RATE_WINDOW to 4m/,
  ),
  row(
    'the rate is not empty by chance',
    { sources: sourcesWith({ cpu: interval(60) }) },
    'rate_window',
    'error',
    /only if they fall on its ends/,
  ),
  row(
    'the rate has gaps',
    {
      sources: sourcesWith({ cpu: interval(40) }),
      features: featuresWith({ cpu: known(answerOf(8, { filled: 0.5 })) }),
    },
    'rate_window',
    'warning',
    /at 50 % of the minutes only/,
  ),
  row(
    'one missed scrape makes a gap',
    { sources: sourcesWith({ cpu: interval(30) }) },
    'rate_window',
    'warning',
    /has two samples/,
    /CPU_RATE_WINDOW to 2m/,
  ),
  row(
    'the interval cannot be told and the rate is empty',
    {
      sources: sourcesWith({ cpu: { intervalSeconds: known(undefined) } }),
      features: featuresWith({ cpu: empty }),
    },
    'rate_window',
    'error',
    /four scrape intervals/,
  ),

  row('samples are new', {}, 'freshness', 'ok', /12 s old/),
  row(
    'samples come late',
    { sources: sourcesWith({ memory: { newestAgeSeconds: known(80) } }) },
    'freshness',
    'warning',
    /container_memory_usage_bytes is 80 s old\. Its scrape interval is 15 s/,
    /remote write.*PROMETHEUS_QUERY_OFFSET_SECONDS/,
  ),
  row(
    'VictoriaMetrics hides the newest',
    { server: victoria, sources: sourcesWith({ memory: { newestAgeSeconds: known(44) } }) },
    'freshness',
    'warning',
    /hides the newest 30 s.*PROMETHEUS_QUERY_OFFSET_SECONDS/,
  ),
  row(
    'a long interval explains the age',
    { sources: sourcesWith({ memory: { newestAgeSeconds: known(70), ...interval(60) } }) },
    'freshness',
    'ok',
    /70 s old/,
  ),
  row(
    'no pod has a value now',
    {
      sources: sourcesWith({ cpu: { newestAgeSeconds: known(100) } }),
      features: featuresWith({ cpu: known(answerOf(8, { pods: new Set(), lasting: new Set() })) }),
    },
    'freshness',
    'error',
    /no current value of cpu/,
  ),

  row('nothing is reported twice', {}, 'duplicates', 'ok', /Nothing/),
  row(
    'two jobs scrape a kubelet',
    {
      sources: sourcesWith({
        cpu: { duplicates: known({ things: 41, differing: [{ label: 'job', values: ['a', 'b'] }] }) },
      }),
    },
    'duplicates',
    'warning',
    /41 containers of container_cpu_usage_seconds_total are reported more than once \(job: a and b\)/,
    /Scores are right/,
  ),

  row(
    'CPU is reported as a whole and core by core',
    { sources: sourcesWith({ cpu: { mixedCores: known(8) } }) },
    'duplicates',
    'error',
    /8 containers have container_cpu_usage_seconds_total both as a whole and core by core/,
    /counts twice/,
    /PROMETHEUS_MATCHERS, for example, to job!="cadvisor"\./,
  ),

  row('there is one cluster', {}, 'clusters', 'ok', /one cluster/),
  row(
    'clusters are told apart by a label of any name, with any values',
    { sources: sourcesWith({ cpu: { clusters: known([{ label: 'stage', values: ['a"b', 'c'], collisions: 3 }]) } }) },
    'clusters',
    'error',
    /The label stage has several values/,
    /PROMETHEUS_MATCHERS to stage="a\\"b"\./,
  ),
  {
    ...row(
      'clusters are told apart where there are matchers, by a label that needs quotes',
      { sources: sourcesWith({ cpu: { clusters: known([{ label: 'k8s.cluster', values: ['a'], collisions: 3 }]) } }) },
      'clusters',
      'error',
      /PROMETHEUS_MATCHERS to env="prod","k8s\.cluster"="a"\./,
    ),
    conditions: { matchers: 'env="prod"' },
  },
  row(
    'clusters are told apart by their machines alone',
    { sources: sourcesWith({ cpu: { clusters: known([{ label: 'instance', values: ['a', 'b'], collisions: 3 }]) } }) },
    'clusters',
    'error',
    /3 containers exist under the same name/,
    /no label that names the cluster.*external_labels/,
  ),
  row(
    'several clusters have no name in common',
    {
      sources: sourcesWith({
        cpu: { clusters: known([{ label: 'cluster', values: ['', 'eu'], collisions: 0 }]) },
      }),
    },
    'clusters',
    'warning',
    /cluster has several values: \(without the label\) and eu\./,
  ),
  row(
    'pods of several clusters have the same names',
    {
      sources: sourcesWith({
        cpu: { clusters: known([{ label: 'cluster', values: ['eu', 'us'], collisions: 3 }]) },
      }),
    },
    'clusters',
    'error',
    /3 containers exist under the same name/,
    /cluster="eu"/,
  ),

  row('metrics have the names of cAdvisor', {}, 'metrics_source', 'ok', /METRICS_SOURCE=cadvisor: .* of cAdvisor\./),
  row(
    'a Collector writes, which the settings do not say',
    { names: known({ ...NAMES, found: ofCollector() }) },
    'metrics_source',
    'error',
    /^Prometheus has 16 series of container_cpu_time_seconds_total: the names of an OpenTelemetry Collector, and not those/,
    /\bSet METRICS_SOURCE=opentelemetry\.$/,
  ),
  row(
    'a Collector writes whose names are not translated',
    {
      names: known({
        ...NAMES,
        found: {
          ...ofCollector({ 'k8s.namespace.name': 'shop', 'k8s.pod.name': 'a', 'k8s.container.name': 'app' }),
          metric: 'container.cpu.time',
          otlpTranslation: 'NoTranslation',
        },
      }),
    },
    'metrics_source',
    'error',
    /Set METRICS_SOURCE=opentelemetry and OTLP_TRANSLATION_STRATEGY=NoTranslation\.$/,
  ),
  {
    ...row(
      'cAdvisor is there, and the settings expect a Collector',
      {
        names: known({
          ...NAMES,
          found: { ...ofCollector(LABELS), metricsSource: 'cadvisor', metric: 'container_cpu_usage_seconds_total' },
        }),
      },
      'metrics_source',
      'error',
      /the names of cAdvisor, and not those of the settings/,
      /Set METRICS_SOURCE=cadvisor\.$/,
    ),
    conditions: COLLECTOR,
  },
  {
    ...row(
      'the attributes of a Collector are not promoted',
      { names: known({ ...NAMES, found: ofCollector({ job: 'kubelet' }), podsOfTargetInfo: 8 }) },
      'metrics_source',
      'error',
      /but with no labels k8s_namespace_name, k8s_pod_name and k8s_container_name \(labels of one: job\)/,
      /target_info names 8 pods\./,
      /otlp: \{promote_resource_attributes: \[k8s\.namespace\.name, k8s\.pod\.name, k8s\.container\.name, k8s\.deployment\.name, /,
      /resource_to_telemetry_conversion: \{enabled: true\}/,
    ),
    conditions: COLLECTOR,
  },
  row(
    'a Collector writes, which the settings do not say, and its attributes are not promoted',
    { names: known({ ...NAMES, found: { ...ofCollector({ k8s_namespace_name: 'shop' }), series: 1 } }) },
    'metrics_source',
    'error',
    /They have no labels k8s_pod_name and k8s_container_name \(labels of one: k8s_namespace_name\)/,
    /Set METRICS_SOURCE=opentelemetry\. In the configuration of Prometheus, set otlp: /,
  ),
  {
    ...row(
      'a Collector sends deltas',
      { names: known({ ...NAMES, fallingShare: 0.9 }) },
      'metrics_source',
      'error',
      /90 % of the counters of CPU fall again and again/,
      /Remove the processor cumulativetodelta/,
    ),
    conditions: COLLECTOR,
  },
  {
    ...row(
      'some counters of a Collector begin again',
      { names: known({ ...NAMES, fallingShare: 0.1 }) },
      'metrics_source',
      'ok',
      /METRICS_SOURCE=opentelemetry: metrics have the names of an OpenTelemetry Collector\./,
    ),
    conditions: COLLECTOR,
  },
  {
    ...row(
      'a Collector has all that it can have',
      {},
      'kube_state_metrics',
      'ok',
      /The Collector has restarts, phases and owners of pods\. It has nothing about restarts of init containers/,
    ),
    conditions: COLLECTOR,
  },
  {
    ...row(
      'a Collector has no owners',
      { kubeStateMetrics: known({ ...KUBE_STATE_METRICS, podOwners: 0 }) },
      'kube_state_metrics',
      'warning',
      /Prometheus has no attributes such as k8s\.deployment\.name of the Collector\./,
      /Workloads are derived from the names of pods\./,
      /the processor k8sattributes with extract: \{metadata: \[k8s\.deployment\.name, /,
    ),
    conditions: COLLECTOR,
  },
  {
    ...row(
      'a Collector knows nothing of the cluster',
      {
        kubeStateMetrics: known({ ...KUBE_STATE_METRICS, podOwners: 0, podPhases: 0 }),
        sources: sourcesWith({ restarts: emptySource() }).map((source) => ({
          ...source,
          selector: {
            ...source.selector,
            metric: source.selector.metric?.replace(/^kube_.*/, 'k8s_container_restarts'),
          },
        })),
      },
      'kube_state_metrics',
      'warning',
      /no k8s_container_restarts, k8s_pod_phase and attributes such as/,
      /Crash loops are not detected/,
      /the receiver k8s_cluster, with its attributes as labels\./,
    ),
    conditions: COLLECTOR,
  },
  row('kube-state-metrics is there', {}, 'kube_state_metrics', 'ok', /owners of 8 pods/),
  row(
    'kube-state-metrics is missing',
    {
      kubeStateMetrics: known({ ...KUBE_STATE_METRICS, podOwners: 0, replicaSetPods: 0, podPhases: 0 }),
      sources: sourcesWith({ restarts: emptySource() }),
    },
    'kube_state_metrics',
    'warning',
    /no series of kube-state-metrics/,
    /Crash loops are not detected/,
    /Workloads are derived/,
    /Install/,
  ),
  row(
    'kube-state-metrics is scraped without honor_labels',
    { sources: sourcesWith({ restarts: { exported: known(['exported_namespace', 'exported_pod']) } }) },
    'kube_state_metrics',
    'warning',
    /The labels namespace and pod of kube_pod_container_status_restarts_total are those of the target/,
    /honor_labels: true in the job that scrapes kube-state-metrics/,
  ),
  row(
    'the owners of ReplicaSets are not told',
    { kubeStateMetrics: known({ ...KUBE_STATE_METRICS, replicaSetOwners: 0 }) },
    'kube_state_metrics',
    'warning',
    /no series of kube_replicaset_owner, although/,
    /Deployments are derived from the names of their ReplicaSets\./,
    /--metric-allowlist/,
  ),
  row(
    'neither the owners of ReplicaSets nor those of Jobs are told',
    { kubeStateMetrics: known({ ...KUBE_STATE_METRICS, jobPods: 1, replicaSetOwners: 0 }) },
    'kube_state_metrics',
    'warning',
    /no series of kube_replicaset_owner, kube_job_owner, although/,
    /CronJobs are derived from the names of their Jobs\./,
  ),
  row(
    'no pod has an owner that could have one',
    { kubeStateMetrics: known({ ...KUBE_STATE_METRICS, replicaSetPods: 0, replicaSetOwners: 0 }) },
    'kube_state_metrics',
    'ok',
    /owners of 8 pods/,
  ),
  row(
    'kube-state-metrics tells no restarts',
    { sources: sourcesWith({ restarts: emptySource() }) },
    'kube_state_metrics',
    'warning',
    /no series of kube_pod_container_status_restarts_total, although/,
    /--metric-allowlist/,
  ),
  row(
    'kube-state-metrics tells no owners',
    { kubeStateMetrics: known({ ...KUBE_STATE_METRICS, podOwners: 0, replicaSetPods: 0, podPhases: 40 }) },
    'kube_state_metrics',
    'warning',
    /no series of kube_pod_owner, although/,
  ),
  row(
    'kube-state-metrics tells no phases',
    { kubeStateMetrics: known({ ...KUBE_STATE_METRICS, podOwners: 8, podPhases: 0 }) },
    'kube_state_metrics',
    'warning',
    /no series of kube_pod_status_phase, although/,
    /Pods that have ended, or wait to start, count as pods without usage/,
  ),
  row(
    'kube-state-metrics is scraped without honor_labels',
    {
      sources: sourcesWith({
        restarts: emptySource(8, ['namespace=~"shop"'], { namespace: 'x', exported_namespace: 'shop' }),
      }),
    },
    'kube_state_metrics',
    'warning',
    /honor_labels: true/,
  ),

  row('there is enough history', {}, 'history', 'ok', /last 60 min, and 2 earlier hours/),
  row(
    'Prometheus is some minutes old',
    historyWith({ reachSeconds: 700 }),
    'history',
    'warning',
    /data of the last 12 min, and a training uses 60 min/,
    /compared with each other/,
  ),
  row('it is half an hour old', historyWith({ reachSeconds: 2000 }), 'history', 'warning', /less than an hour/),
  row('there are gaps', historyWith({ windowGaps: 12 }), 'history', 'warning', /20 % are without data/),
  row(
    'earlier hours are missing',
    historyWith({ slices: [{ ageSeconds: 10860, present: false }] }),
    'history',
    'warning',
    /no data of 3 h 1 min ago/,
  ),
  row('the last two instants are not there yet', historyWith({ reachSeconds: 3500 }), 'history', 'ok', /60 min/),

  row(
    'Prometheus has the past',
    {},
    'past_days',
    'ok',
    /^Prometheus has the last 7 days, which the history remembers\.$/,
  ),
  {
    ...row('nothing is to be remembered', reachOf(undefined), 'past_days', 'ok', /^Nothing is remembered of past days/),
    conditions: { historyDays: 0 },
  },
  row('Prometheus is some hours old', reachOf(0), 'past_days', 'warning', /data of the last hours, and the history/),
  row('its oldest hours are not found', reachOf(7 * 86_400 - 7200), 'past_days', 'ok', /the last 7 days/),
  row(
    'Prometheus keeps less than the history remembers',
    reachOf(3 * 86_400),
    'past_days',
    'warning',
    /data of the last 3 d, and the history remembers 7 days/,
    /weekends/,
    /HISTORY_DAYS/,
  ),
  {
    ...row('the past is being read', {}, 'past_days', 'ok', /^The history knows 2\.25 of 7 days\. 114 hours are still/),
    conditions: { keeper: REMEMBERED },
  },
  {
    ...row('the past is known', {}, 'past_days', 'ok', /^The history knows 7 of 7 days\.$/),
    conditions: { keeper: { ...REMEMBERED, knownHours: 168, missingHours: 0 } },
  },
  {
    ...row('the past cannot be read', {}, 'past_days', 'warning', /cannot be read .* knows 2\.25 of 7/, /was away\.$/),
    conditions: { keeper: { ...REMEMBERED, isFailing: true } },
  },

  budgetRow(
    'the budget is kept',
    {},
    'ok',
    /^3\.5 messages a day are expected .* budget is 4\. .* 1\.25 workloads a day/,
  ),
  budgetRow('twice the budget is expected', { expectedMessagesPerDay: 8 }, 'ok', /^8 messages/),
  budgetRow(
    'more than that is expected',
    { expectedMessagesPerDay: 8.25 },
    'warning',
    /^8\.25 messages/,
    /no boundary keeps the budget/,
    /Raise ALERT_BUDGET_PER_DAY/,
  ),
  budgetRow(
    'many workloads exceeded their boundaries',
    { recentExceedingPerDay: 9 },
    'warning',
    /9 workloads a day/,
    /incidents/,
  ),
  budgetRow(
    'less than four days are known',
    { expectedMessagesPerDay: Number.NaN, recentExceedingPerDay: Number.NaN, knownHours: 30 },
    'warning',
    /rest on 30 h of the past/,
    /More than 4 messages a day may come/,
    /four days/,
  ),

  {
    ...row('there is no model yet', {}, 'alert_budget', 'ok', /^The budget is 4 messages a day .* reports how many/),
    conditions: { model: undefined },
  },
  {
    ...row('nothing is to be remembered', {}, 'alert_budget', 'ok', /^Nothing is remembered \(HISTORY_DAYS=0/),
    conditions: { historyDays: 0 },
  },

  budgetRow(
    'a share of the rows is to be flagged',
    { remembers: false },
    'ok',
    /^Nothing is remembered .* IFOREST_CONTAMINATION\)/,
  ),

  row('training is cheap', {}, 'training_cost', 'ok', /15 requests, 2,328 samples/, /every 15 min/),
  // A training of three features of 100,000 pods took 821 MB when it was measured (docs/performance.md).
  {
    ...row(
      'training needs more than half of a gibibyte with 100,000 pods',
      { features: featuresWith({ cpu: known(answerOf(100_000)), memory: known(answerOf(100_000)) }) },
      'training_cost',
      'warning',
      /more than half of the 1 GiB/,
    ),
    conditions: { memoryLimitBytes: 2 ** 30 },
  },
  {
    ...row('training needs most of the memory', {}, 'training_cost', 'warning', /more than half of the 64 KiB/),
    conditions: { memoryLimitBytes: 2 ** 16 },
  },
  {
    ...row(
      'training fits, as MAX_PODS keeps few of very many pods',
      { features: featuresWith({ cpu: known(answerOf(8, { series: 400_000, points: 4_400_000 })) }) },
      'training_cost',
      'ok',
      /38,801,552 samples/,
      /All 40,352 samples are used/,
    ),
    conditions: { training: { ...CONDITIONS.training, maximumPods: 400 }, memoryLimitBytes: 2 ** 30 },
  },
  row(
    'training takes long',
    { features: featuresWith({ cpu: known(answerOf(8, { durationSeconds: 100 })) }) },
    'training_cost',
    'warning',
    /some will be skipped/,
  ),

  row('we export few series', {}, 'exported_series', 'ok', /about 118 series for 8 pods, and 9 more for each/),
  {
    ...row(
      'we export many',
      { features: featuresWith({ cpu: known(answerOf(20_000)) }) },
      'exported_series',
      'warning',
      /220,102 series/,
      /EXPLAIN=flagged/,
    ),
    conditions: { explain: 'all' },
  },

  row('there is no tuning file', {}, 'tuning_file', 'ok', /There is no tuning file/),
  fileRow('the tuning file is valid', {}, { file: TUNING, failure: undefined }, 'ok', /valid and has 2 rules/),
  fileRow(
    'a rule of the tuning file matches no pod',
    { idleRules: known(['tuning.yaml:4:5']) },
    { file: TUNING, failure: undefined },
    'warning',
    /1 rule of the tuning file matches no pod that is there now: tuning\.yaml:4:5\./,
    /no effect/,
  ),
  fileRow(
    'the tuning file is broken, though its rules before are idle',
    { idleRules: known(['tuning.yaml:4:5']) },
    { file: TUNING, failure: '1 mistake in the tuning file tuning.yaml:\n  tuning.yaml:2:5: expected another.' },
    'error',
    /^The tuning file is invalid\. 1 mistake in the tuning file tuning\.yaml:\n {2}tuning\.yaml:2:5: expected/,
    /keeps the rules that it had/,
    /without a restart/,
  ),

  row('nobody annotates', tunedWith({ objects: 0 }), 'tuning_annotations', 'ok', /^No object has/),
  row('all annotations are valid', tunedWith({}), 'tuning_annotations', 'ok', /of 3 objects are valid/),
  row(
    'values are invalid',
    tunedWith({ mistakes: ['a', 'b', 'c', 'd', 'e'].map(mistakeOf) }),
    'tuning_annotations',
    'warning',
    /5 invalid values: pod shop\/a \(k8s-anomaly-detector\/ignore: expected `true` or `false`, got "yes"\),/,
    /and 2 more\./,
    /counts as not set/,
  ),
  row(
    'the time of muting is over',
    tunedWith({ ends: [CONDITIONS.nowSeconds, CONDITIONS.nowSeconds + 1].map(endOf) }),
    'tuning_annotations',
    'warning',
    /mute-until of 1 object is over: namespace ci \(2026-01-01T12:00:00Z\)\./,
    /not muted any more/,
  ),

  row('the server remarks nothing', {}, 'prometheus_warnings', 'ok', /without warnings/),
  row('it hints', { infos: ['metric might not be a counter'] }, 'prometheus_warnings', 'ok', /1 hint: "metric/),
  row('it warns', { warnings: ['store 3 is down'] }, 'prometheus_warnings', 'warning', /1 warning: "store 3 is down"/),
];

function row(when: string, facts: Partial<Facts>, check: string, severity: Severity, ...says: readonly RegExp[]): Row {
  return { when, facts, check, severity, says };
}

describe('checks', () => {
  for (const { when, facts, conditions, check, severity, says } of ROWS) {
    it(`${check}: ${severity} when ${when}`, () => {
      const { findings, notChecked } = judgeFacts({ ...FINE, ...facts }, { ...CONDITIONS, ...conditions });
      const found = findings.find((finding) => finding.check === check);
      expect(found, JSON.stringify(notChecked)).to.not.equal(undefined);
      const { summary, meaning, advice } = found as Finding;
      expect(found?.severity, summary).to.equal(severity);
      const text = [summary, meaning, advice].filter((part) => part !== undefined).join(' ');
      for (const pattern of says) expect(text).to.match(pattern);
      // What is not well has a reason and a way out.
      if (severity !== 'ok') expect([meaning, advice], summary).to.not.include(undefined);
    });
  }

  it('are no errors because of what is not there while answers are incomplete', () => {
    const lost = {
      features: featuresWith({ cpu: empty, memory: empty }),
      sources: sourcesWith({ cpu: emptySource(), memory: emptySource() }),
      warnings: ['store 3 is down'],
    };
    const severityOf = (facts: Partial<Facts>) => {
      const { findings } = judgeFacts({ ...FINE, ...facts }, CONDITIONS);
      return findings.find(({ check }) => check === 'series');
    };
    expect(severityOf(lost)?.severity).to.equal('warning');
    expect(severityOf(lost)?.meaning).to.include('may be in what Prometheus left out');
    for (const warnings of [[], ['PromQL warning: this is no counter']]) {
      expect(severityOf({ ...lost, warnings })?.severity).to.equal('error');
    }
    // What is there is judged as ever.
    const { findings } = judgeFacts({ ...FINE, ...clockOff(600), warnings: lost.warnings }, CONDITIONS);
    expect(findings.find(({ check }) => check === 'clock')?.severity).to.equal('error');
  });

  it('are all well where all is well', () => {
    const { findings, notChecked } = judgeFacts(FINE, CONDITIONS);
    expect(findings.filter(({ severity }) => severity !== 'ok')).to.deep.equal([]);
    expect(notChecked).to.deep.equal([]);
  });

  it('each have a row above that is well, and one that is not', () => {
    for (const { id } of CHECKS) {
      const severities = ROWS.filter(({ check }) => check === id).map(({ severity }) => severity);
      expect(severities, id).to.include('ok');
      if (id !== 'server') expect(new Set(severities).size, id).to.be.above(1);
    }
  });

  it('have stable names that fit a label', () => {
    const names = CHECKS.map(({ id }) => id);
    expect(new Set(names).size).to.equal(names.length);
    for (const name of names) expect(name).to.match(/^[a-z]+(_[a-z]+)*$/);
  });

  it('speak in sentences, without a word that is not there', () => {
    for (const { facts, conditions } of ROWS) {
      const { findings } = judgeFacts({ ...FINE, ...facts }, { ...CONDITIONS, ...conditions });
      for (const { summary, meaning = 'X.', advice = 'X.' } of findings) {
        for (const text of [summary, meaning, advice]) {
          expect(text).to.match(/^\S[\s\S]*[.?"]$/);
          expect(text).to.not.match(/undefined|NaN|Infinity|\[object/);
        }
      }
    }
  });

  it('leave what follows from wrong names to one of them', () => {
    const gone = emptySource();
    const facts: Facts = {
      ...FINE,
      names: known({ ...NAMES, found: ofCollector() }),
      features: featuresWith({ cpu: empty, memory: empty, restarts: empty }),
      sources: sourcesWith({ cpu: gone, memory: gone, restarts: gone }),
      kubeStateMetrics: known({ ...KUBE_STATE_METRICS, podOwners: 0, podPhases: 0 }),
    };
    const { notChecked } = judgeFacts(facts, CONDITIONS);
    const because = Object.fromEntries(notChecked.map(({ check, because: reason }) => [check, reason]));
    expect(because.series).to.equal('The check metrics_source says what is wrong.');
    expect(because.kube_state_metrics).to.equal('The check metrics_source says what is wrong.');
  });

  it('say why they could not be made, and do not call that well', () => {
    const away = unknown('Prometheus was away.');
    const nothing: Facts = {
      ...FINE,
      clock: away,
      server: away,
      names: away,
      kubeStateMetrics: away,
      idlePods: away,
      nodes: away,
      history: away,
      pastDays: away,
      tuningAnnotations: away,
      idleRules: away,
      features: featuresWith({ cpu: away, memory: away, restarts: away }),
      memory: away,
      sources: sourcesWith(
        Object.fromEntries(
          ['cpu', 'memory', 'restarts'].map((name) => [
            name,
            {
              series: away,
              emptiness: away,
              exported: away,
              duplicates: away,
              clusters: away,
              mixedCores: away,
              newestAgeSeconds: away,
              intervalSeconds: away,
            },
          ]),
        ),
      ),
    };
    const { findings, notChecked } = judgeFacts(nothing, CONDITIONS);
    expect(findings.map(({ check, severity }) => [check, severity])).to.deep.equal([
      ['queries', 'error'],
      ['tuning_file', 'ok'],
      ['alert_budget', 'ok'],
      ['prometheus_warnings', 'ok'],
    ]);
    expect(notChecked).to.have.lengthOf(CHECKS.length - 4);
    expect(new Set(notChecked.map(({ because }) => because))).to.deep.equal(new Set(['Prometheus was away.']));
  });

  it('are not made where the series are missing that they look at', () => {
    const gone = emptySource();
    const facts: Facts = {
      ...FINE,
      features: featuresWith({ cpu: empty, memory: empty, restarts: empty }),
      sources: sourcesWith({ cpu: gone, memory: gone, restarts: gone }),
      history: known({ reachSeconds: 0, stepSeconds: 60, windowInstants: 61, windowGaps: 61, slices: [] }),
      pastDays: known({ reachSeconds: undefined, stepSeconds: 21_600 }),
    };
    const { notChecked } = judgeFacts(facts, CONDITIONS);
    expect(notChecked.map(({ check }) => check)).to.deep.equal([
      'grid',
      'pod_coverage',
      'rate_window',
      'freshness',
      'duplicates',
      'clusters',
      'history',
      'past_days',
      'training_cost',
      'exported_series',
    ]);
  });
});
