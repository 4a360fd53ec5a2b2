import { expect } from 'chai';
import { buildPhaseQueries, idlePodsIn } from '../../../src/exporter/features/pod-phase.js';
import { promqlMistakes } from '../../../src/exporter/features/queries/promql.js';
import { narrowToNamespaces } from '../../../src/exporter/sharding/narrow.js';

describe('the query for pods in which nothing runs', () => {
  const query = buildPhaseQueries({ namespaceRegex: 'a"|b', matchers: 'cluster="x"' }).idle;

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

  it('comes with one for all phases, and one for the nodes of pods', () => {
    const { all, nodes } = buildPhaseQueries({ namespaceRegex: 'a', matchers: 'cluster="x"' });
    expect(all).to.equal('kube_pod_status_phase{cluster="x",namespace=~"a"}');
    expect(nodes).to.equal('kube_pod_info{cluster="x",namespace=~"a"}');
  });
});
