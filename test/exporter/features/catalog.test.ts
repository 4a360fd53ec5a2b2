import { expect } from 'chai';
import { BUILTIN_FEATURES, buildCatalog } from '../../../src/exporter/features/catalog.js';
import { FeatureSpec } from '../../../src/exporter/features/feature-spec.js';
import { promqlMistakes } from '../../../src/exporter/features/queries/promql.js';
import { fillTemplate } from '../../../src/exporter/features/queries/template.js';

const DEFAULTS = { namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' };

const queriesOf = (options: Partial<typeof DEFAULTS>) =>
  Object.fromEntries(buildCatalog({ ...DEFAULTS, ...options }).map(({ name, query }) => [name, query]));

describe('buildCatalog', () => {
  it('asks the default questions', () => {
    expect(queriesOf({})).to.deep.equal({
      cpu:
        'sum by (namespace, pod) (max by (namespace, pod, container) ' +
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
        'sum by (namespace, pod_name) (max by (namespace, pod_name, container_name) ' +
        '(rate(container_cpu_usage_seconds_total{container_name!="",container_name!="POD",namespace=~".*"}[1m])))',
      memory:
        'sum by (namespace, pod_name) (max by (namespace, pod_name, container_name) ' +
        '(container_memory_usage_bytes{container_name!="",container_name!="POD",namespace=~".*"}))',
      restarts: queriesOf({}).restarts,
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
      expect(fillTemplate(spec.query, DEFAULTS)).to.deep.include({ mistakes: [], hasNamespaceRegex: true });
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
