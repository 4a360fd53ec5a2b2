import { expect } from 'chai';
import { buildPhaseSelector, idlePodsIn, idlePodsQuery, inScopeOf } from '../../../src/exporter/features/pod-phase.js';
import { promqlMistakes } from '../../../src/exporter/features/queries/promql.js';
import { narrowToNamespaces } from '../../../src/exporter/sharding/narrow.js';

describe('the query for pods in which nothing runs', () => {
  const query = idlePodsQuery(buildPhaseSelector({ namespaceRegex: 'a"|b', matchers: 'cluster="x"' }));

  it('asks for phases in which no container runs, in the scope of the features', () => {
    expect(query).to.equal(
      'kube_pod_status_phase{phase=~"Pending|Succeeded|Failed",cluster="x",namespace=~"a\\"|b"} == 1',
    );
    expect(promqlMistakes(query, ['namespace', 'pod'])).to.deep.equal([]);
  });

  it('is narrowed to the namespaces of a shard', () => {
    expect(narrowToNamespaces(query, ['shop'])).to.include('{namespace=~"shop",phase=~');
  });

  it('names pods by namespace and name', () => {
    const named = { namespace: 'shop', pod: 'a' };
    const labels = [
      { ...named, phase: 'Failed' },
      { ...named, pod: 'b', phase: 'Pending' },
      { ...named, pod: 'c', phase: 'Unknown' },
      { ...named, pod: 'd', phase: 'constructor' },
      { ...named, pod: 'e' },
      { pod: 'f', phase: 'Failed' },
      { namespace: 'shop', phase: 'Failed' },
      {},
    ];
    expect([...idlePodsIn({ labels })]).to.deep.equal([
      ['shop/a', 'completed'],
      ['shop/b', 'pending'],
    ]);
  });

  it('has the scope of another metric', () => {
    const selector = buildPhaseSelector({ namespaceRegex: 'a', matchers: 'cluster="x"' });
    expect(inScopeOf(selector, 'kube_pod_info')).to.equal('kube_pod_info{cluster="x",namespace=~"a"}');
  });
});
