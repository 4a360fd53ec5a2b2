import { expect } from 'chai';
import { contextParts, contextQueries } from '../../../src/exporter/context/queries.js';
import { promqlMistakes } from '../../../src/exporter/features/queries/promql.js';
import { sourceSelectors } from '../../../src/exporter/features/queries/selectors.js';

const POD = { podLabel: 'pod' };
const ONE = [{ namespace: 'shop', pod: 'cart-0' }];

const podNames = (query: string) =>
  sourceSelectors(query).flatMap(({ matchers }) => matchers.find(({ label }) => label === 'pod')?.text ?? []);

describe('the queries for the context of pods', () => {
  it('are few for few pods, and none without pods', () => {
    expect(contextQueries([], POD)).to.deep.equal([]);
    expect(contextQueries(ONE, POD)).to.have.lengthOf(1);
    const twenty = Array.from({ length: 20 }, (_, index) => ({
      namespace: 'payments',
      pod: `checkout-589ddf48f7-${String(index).padStart(5, 'x')}`,
    }));
    expect(contextQueries(twenty, POD)).to.have.lengthOf.within(2, 4);
  });

  it('ask of the containers for what is neither the pod as a whole nor the pause container', () => {
    const [query = ''] = contextQueries(ONE, POD);
    const selectors = sourceSelectors(query).map(({ text }) => text);
    expect(selectors).to.include(
      'container_pressure_io_waiting_seconds_total{container!="",container!="POD",namespace=~"shop",pod=~"cart-0"}',
    );
    expect(selectors).to.include(
      'kube_pod_container_resource_limits{namespace=~"shop",pod=~"cart-0",resource=~"cpu|memory"}',
    );
    expect(selectors.filter((text) => text.startsWith('container_'))).to.have.lengthOf(6);
    expect(selectors).to.include(
      'kube_pod_init_container_info{namespace=~"shop",pod=~"cart-0",restart_policy="Always"}',
    );
    expect(selectors.filter((text) => text.startsWith('kube_'))).to.have.lengthOf(17);
  });

  it('are PromQL in which names match what they say and nothing else', () => {
    const odd = [
      { namespace: 'a.b', pod: 'x|y"z' },
      { namespace: 'c', pod: 'back\\slash' },
    ];
    const queries = contextQueries(odd, POD);
    for (const query of queries) expect(promqlMistakes(query, ['namespace', 'pod'])).to.deep.equal([]);
    expect(new Set(podNames(queries.join(' or ')))).to.deep.equal(new Set([String.raw`pod=~"x\\|y\"z|back\\\\slash"`]));
  });

  it('have the labels of the settings for containers, and those of kube-state-metrics for pods', () => {
    const parts = new Map(
      contextParts(ONE, { podLabel: 'pod_name', namespaceLabel: 'ns', matchers: 'cluster="x"' }).map(
        ({ part, query }) => [part, query],
      ),
    );
    const selector = '{cluster="x",container_name!="",container_name!="POD",ns=~"shop",pod_name=~"cart-0"}[5m]';
    expect(parts.get('pressure_cpu')).to.equal(
      `label_replace(max by (ns, pod_name) (rate(container_pressure_cpu_waiting_seconds_total${selector})), "context", "pressure_cpu", "", "")`,
    );
    expect(parts.get('info')).to.equal(
      'label_replace(kube_pod_info{cluster="x",namespace=~"shop",pod=~"cart-0"}, "context", "info", "", "")',
    );
  });

  it('have labels with dots in quotes, where they belong', () => {
    const options = { podLabel: 'k8s.pod.name', namespaceLabel: 'k8s.namespace.name' };
    for (const { query } of contextParts(ONE, options)) expect(promqlMistakes(query, []), query).to.deep.equal([]);
    const oom = contextParts(ONE, options).find(({ part }) => part === 'oom')?.query ?? '';
    expect(oom).to.include('{"k8s.container.name"!="","k8s.container.name"!="POD","k8s.namespace.name"=~"shop",');
    expect(oom).to.include('max by ("k8s.namespace.name", "k8s.pod.name", "k8s.container.name", id)');
  });

  it('are as long as servers take them, whatever the names, and leave out no pod', () => {
    const long = Array.from({ length: 100 }, (_, index) => ({
      namespace: `namespace-with-a-long-name-${index % 30}-`.padEnd(63, 'x'),
      pod: `pod-with-the-longest-name-that-there-is-${index}-`.padEnd(index % 2 === 0 ? 253 : 63, 'x'),
    }));
    const queries = contextQueries(long, POD);
    for (const query of queries) {
      expect(query.length).to.be.at.most(8_000);
      expect(promqlMistakes(query, ['namespace', 'pod'])).to.deep.equal([]);
    }
    const asked = new Set(podNames(queries.join(' or ')).flatMap((text) => text.slice('pod=~"'.length, -1).split('|')));
    expect(asked).to.deep.equal(new Set(long.map(({ pod }) => pod)));
  });
});
