import { expect } from 'chai';
import { buildCatalog, quotePromql } from '../../src/features/catalog.js';

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
        'sum by (namespace, pod) (max by (namespace, pod, container) ' +
        '(kube_pod_container_status_restarts_total{namespace=~".*"}))',
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

  it('says unit, direction, smallest spread and need of each feature', () => {
    const facts = buildCatalog(DEFAULTS).map(({ unit, direction, spreadFloor, required }) => ({
      unit,
      direction,
      spreadFloor,
      required,
    }));
    expect(facts).to.deep.equal([
      { unit: 'cores', direction: 'both', spreadFloor: 0.002, required: true },
      { unit: 'bytes', direction: 'both', spreadFloor: 2_097_152, required: true },
      { unit: 'restarts', direction: 'up', spreadFloor: 0.5, required: false },
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

describe('quotePromql', () => {
  const rows: readonly (readonly [text: string, literal: string])[] = [
    ['', '""'],
    ['.*', '".*"'],
    ['a"b', '"a\\"b"'],
    ['a\\.b', '"a\\\\.b"'],
    ['a\\"b', '"a\\\\\\"b"'],
    ['a\nb', '"a\\nb"'],
    ['""', '"\\"\\""'],
    ['\\\\', '"\\\\\\\\"'],
  ];
  for (const [text, literal] of rows) {
    it(`writes ${JSON.stringify(text)} as ${literal}`, () => {
      expect(quotePromql(text)).to.equal(literal);
    });
  }
});
