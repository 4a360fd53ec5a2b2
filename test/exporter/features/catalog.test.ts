import { expect } from 'chai';
import { BUILTIN_FEATURES, buildCatalog } from '../../../src/exporter/features/catalog.js';
import { FeatureSpec } from '../../../src/exporter/features/feature-spec.js';
import { promqlMistakes } from '../../../src/exporter/features/queries/promql.js';
import { fillTemplate, memoryWordsOf, type QueryOptions } from '../../../src/exporter/features/queries/template.js';

const DEFAULTS: QueryOptions = { namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' };

const queriesOf = (options: Partial<QueryOptions>) =>
  Object.fromEntries(buildCatalog({ ...DEFAULTS, ...options }).map(({ name, query }) => [name, query]));

describe('buildCatalog', () => {
  it('asks the default questions', () => {
    expect(queriesOf({})).to.deep.equal({
      cpu:
        'sum by (namespace, pod) (max by (namespace, pod, container, cpu) ' +
        '(rate(container_cpu_usage_seconds_total{container!="",container!="POD",namespace=~".*"}[1m])))',
      memory:
        'sum by (namespace, pod) (max by (namespace, pod, container) ' +
        '(container_memory_usage_bytes{container!="",container!="POD",namespace=~".*"}))',
      restarts:
        'max by (namespace, pod, container) ' +
        '(kube_pod_container_status_restarts_total{namespace=~".*"} or ' +
        'kube_pod_init_container_status_restarts_total{namespace=~".*"})',
    });
  });

  it('asks cAdvisor alone for pod_name and container_name, as before Kubernetes 1.16', () => {
    expect(queriesOf({ podLabel: 'pod_name' })).to.deep.equal({
      cpu:
        'sum by (namespace, pod_name) (max by (namespace, pod_name, container_name, cpu) ' +
        '(rate(container_cpu_usage_seconds_total{container_name!="",container_name!="POD",namespace=~".*"}[1m])))',
      memory:
        'sum by (namespace, pod_name) (max by (namespace, pod_name, container_name) ' +
        '(container_memory_usage_bytes{container_name!="",container_name!="POD",namespace=~".*"}))',
      restarts: queriesOf({}).restarts,
    });
  });

  for (const [podLabel, container] of [
    ['exported_pod', 'exported_container'],
    ['k8s_pod_name', 'k8s_container_name'],
    ['container_label_io_kubernetes_pod_name', 'container_label_io_kubernetes_container_name'],
    ['podName', 'containerName'],
    ['kubePod', 'kubeContainer'],
    ['replica', 'container'],
    ['container', 'container'],
  ] as const) {
    it(`sums containers by ${container}, without the pod's own cgroup and the pause container, where pods are in ${podLabel}`, () => {
      expect(queriesOf({ podLabel }).memory).to.equal(
        `sum by (namespace, ${podLabel}) (max by (namespace, ${podLabel}, ${container}) ` +
          `(container_memory_usage_bytes{${container}!="",${container}!="POD",namespace=~".*"}))`,
      );
    });
  }

  it('sums containers by the label that is set', () => {
    expect(queriesOf({ podLabel: 'workload', containerLabel: 'part' }).memory).to.equal(
      'sum by (namespace, workload) (max by (namespace, workload, part) ' +
        '(container_memory_usage_bytes{part!="",part!="POD",namespace=~".*"}))',
    );
  });

  it('asks cAdvisor alone for another label of the namespace, and answers with the usual one', () => {
    const options = { podLabel: 'exported_pod', namespaceLabel: 'exported_namespace', matchers: 'cluster="x"' };
    expect(queriesOf(options)).to.deep.equal({
      cpu:
        'label_replace(sum by (exported_namespace, exported_pod) ' +
        '(max by (exported_namespace, exported_pod, exported_container, cpu) ' +
        '(rate(container_cpu_usage_seconds_total{cluster="x",exported_container!="",exported_container!="POD",' +
        'exported_namespace=~".*"}[1m])))\n, "namespace", "$1", "exported_namespace", "(.+)")',
      memory:
        'label_replace(sum by (exported_namespace, exported_pod) ' +
        '(max by (exported_namespace, exported_pod, exported_container) ' +
        '(container_memory_usage_bytes{cluster="x",exported_container!="",exported_container!="POD",' +
        'exported_namespace=~".*"}))\n, "namespace", "$1", "exported_namespace", "(.+)")',
      restarts: queriesOf({ matchers: 'cluster="x"' }).restarts,
    });
  });

  it('reads the pod from the label that it asks for', () => {
    const labels = (podLabel: string) =>
      buildCatalog({ ...DEFAULTS, podLabel }).map((feature) => [feature.name, feature.podLabel]);
    expect(labels('pod')).to.deep.equal([
      ['cpu', 'pod'],
      ['memory', 'pod'],
      ['restarts', 'pod'],
    ]);
    expect(labels('pod_name')).to.deep.equal([
      ['cpu', 'pod_name'],
      ['memory', 'pod_name'],
      ['restarts', 'pod'],
    ]);
  });

  it('puts labels with dots in quotes in its queries, and nowhere else', () => {
    const labels = { podLabel: 'k8s.pod.name', namespaceLabel: 'k8s.namespace.name' };
    const [cpu] = buildCatalog({ namespaceRegex: '.*', cpuRateWindow: '1m', ...labels });
    expect(cpu?.podLabel).to.equal('k8s.pod.name');
    expect(cpu?.query).to.include('sum by ("k8s.namespace.name", "k8s.pod.name")');
    expect(cpu?.query).to.include('{"k8s.container.name"!="","k8s.container.name"!="POD","k8s.namespace.name"=~".*"}');
    expect(promqlMistakes(cpu?.query ?? '', ['namespace', 'k8s.pod.name'])).to.deep.equal([]);
  });

  it('says unit, type, direction, smallest spreads and need of each feature', () => {
    const facts = buildCatalog(DEFAULTS).map(
      ({ unit, type, direction, spreadFloor, relativeSpreadFloor, required }) => ({
        unit,
        type,
        direction,
        floors: [spreadFloor, relativeSpreadFloor],
        required,
      }),
    );
    expect(facts).to.deep.equal([
      { unit: 'cores', type: 'gauge', direction: 'both', floors: [0.002, 0.2], required: true },
      { unit: 'bytes', type: 'gauge', direction: 'brief_falls', floors: [2_097_152, 0.1], required: true },
      { unit: 'restarts', type: 'counter', direction: 'up', floors: [0.1, 0], required: false },
    ]);
  });

  it('says what counts as memory in words that people know', () => {
    const helpOf = (options: object) =>
      buildCatalog({ ...DEFAULTS, ...options }).find(({ name }) => name === 'memory')?.help;
    expect(helpOf({})).to.equal('Memory in use (including page cache)');
    expect(helpOf({ memoryMetric: 'working_set' })).to.equal('Memory in use (working set)');
    expect(helpOf({ memoryMetric: 'rss' })).to.equal('Memory in use (without page cache)');
    expect(memoryWordsOf('container_memory_rss + container_memory_usage_bytes')).to.equal(undefined);
    expect(memoryWordsOf('my_container_memory_rss')).to.equal(undefined);
  });

  it('takes the window of the CPU rate', () => {
    expect(queriesOf({ cpuRateWindow: '5m' }).cpu).to.include('}[5m])))');
  });

  it('puts the namespaces into all queries', () => {
    const queries = Object.values(queriesOf({ namespaceRegex: 'shop|pay-.*' }));
    expect(queries).to.have.lengthOf(3);
    for (const query of queries) expect(query).to.include('namespace=~"shop|pay-.*"}');
  });

  it('does not let the namespaces out of their quotes', () => {
    const queries = Object.values(queriesOf({ namespaceRegex: 'a\\d"} or up{job=~"' }));
    expect(queries).to.have.lengthOf(3);
    for (const query of queries) expect(query).to.include('namespace=~"a\\\\d\\"} or up{job=~\\""}');
  });
});

describe('BUILTIN_FEATURES', () => {
  for (const spec of BUILTIN_FEATURES) {
    it(`describes ${spec.name} in the form of a feature file, without a mistake`, () => {
      expect(FeatureSpec.parse(spec)).to.deep.equal(spec);
      const { mistakes, placeholders } = fillTemplate(spec.query, DEFAULTS);
      expect(mistakes).to.deep.equal([]);
      expect([...placeholders]).to.include('namespace_regex');
    });
  }

  for (const podLabel of ['pod', 'pod_name']) {
    it(`asks in PromQL that keeps the labels, with ${podLabel}`, () => {
      for (const feature of buildCatalog({ ...DEFAULTS, podLabel })) {
        expect(promqlMistakes(feature.query, ['namespace', feature.podLabel]), feature.name).to.deep.equal([]);
      }
    });
  }
});
