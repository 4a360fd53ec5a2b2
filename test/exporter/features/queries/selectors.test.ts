import { expect } from 'chai';
import { durationSeconds, sourceSelectors } from '../../../../src/exporter/features/queries/selectors.js';
import { FEATURES } from '../../../support/small-cluster.js';

const of = (query: string) => sourceSelectors(query);

describe('source selectors', () => {
  it('are found in the built-in queries, with what tells their series apart', () => {
    const found = FEATURES.map(({ query }) => of(query));
    expect(found.map((selectors) => selectors.length)).to.deep.equal([1, 1, 2]);
    const [cpu, memory, restarts, initRestarts] = found.flat();
    expect(cpu).to.deep.equal({
      text: 'container_cpu_usage_seconds_total{container!="",container!="POD",namespace=~".*"}',
      metric: 'container_cpu_usage_seconds_total',
      matchers: [
        { label: 'container', text: 'container!=""' },
        { label: 'container', text: 'container!="POD"' },
        { label: 'namespace', text: 'namespace=~".*"' },
      ],
      rangeSeconds: 60,
      identity: ['namespace', 'pod', 'container', 'cpu'],
    });
    expect(memory?.rangeSeconds).to.equal(undefined);
    expect(restarts?.identity).to.deep.equal(['namespace', 'pod', 'container']);
    expect(initRestarts).to.deep.equal({
      text: 'kube_pod_init_container_status_restarts_total{namespace=~".*"}',
      metric: 'kube_pod_init_container_status_restarts_total',
      matchers: [{ label: 'namespace', text: 'namespace=~".*"' }],
      rangeSeconds: undefined,
      identity: ['namespace', 'pod', 'container'],
    });
  });

  it('are all those of a query, each once', () => {
    const query = 'sum by (pod) (rate(a{x="}"}[5m] offset 1m)) / on (pod) sum by (pod) (b) + sum by (pod) (b)';
    expect(of(query).map(({ text, rangeSeconds }) => [text, rangeSeconds])).to.deep.equal([
      ['a{x="}"}', 300],
      ['b', undefined],
    ]);
  });

  it('have no identity where the innermost aggregation is not `max by`', () => {
    for (const query of [
      'a',
      'sum by (pod) (a)',
      'max(a)',
      'max without (job) (a)',
      'max by (pod) (sum by (pod) (a))',
    ]) {
      expect(of(query)[0]?.identity, query).to.equal(undefined);
    }
    expect(of('sum by (pod) (max by (pod, interface) (rate(a[2m])))')[0]?.identity).to.deep.equal(['pod', 'interface']);
  });

  it('have the labels of their identity without quotes', () => {
    const [selector] = sourceSelectors('max by ("k8s.pod.name", namespace) (a)');
    expect(selector?.identity).to.deep.equal(['k8s.pod.name', 'namespace']);
  });

  it('may name the metric by a matcher', () => {
    expect(of('{__name__=~"a|b"}')[0]).to.include({ text: '{__name__=~"a|b"}', metric: undefined });
  });

  it('are none in what cannot be parsed', () => {
    expect(of('')).to.deep.equal([]);
    expect(of('1 + 1')).to.deep.equal([]);
  });
});

describe('Prometheus durations', () => {
  it('are read', () => {
    expect(['90s', '1m30s', '2h', '1d', '500ms', '1w', '1y'].map(durationSeconds)).to.deep.equal([
      90, 90, 7200, 86_400, 0.5, 604_800, 31_536_000,
    ]);
  });

  it('are nothing else', () => {
    expect(['', '5', '5 m', 'm', '1m!', '-1m'].map(durationSeconds)).to.deep.equal(
      Array.from({ length: 6 }, () => undefined),
    );
  });
});
