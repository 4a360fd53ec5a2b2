import { expect } from 'chai';
import { buildPhaseSelector, endedPodsIn, endedPodsQuery } from '../../../src/exporter/features/pod-phase.js';
import { promqlMistakes } from '../../../src/exporter/features/queries/promql.js';
import { narrowToNamespaces } from '../../../src/exporter/sharding/narrow.js';

describe('the query for ended pods', () => {
  const query = endedPodsQuery(buildPhaseSelector({ namespaceRegex: 'a"|b', matchers: 'cluster="x"' }));

  it('asks for phases that a pod never leaves, in the scope of the features', () => {
    expect(query).to.equal('kube_pod_status_phase{phase=~"Succeeded|Failed",cluster="x",namespace=~"a\\"|b"} == 1');
    expect(promqlMistakes(query, ['namespace', 'pod'])).to.deep.equal([]);
  });

  it('is narrowed to the namespaces of a shard', () => {
    expect(narrowToNamespaces(query, ['shop'])).to.include('{namespace=~"shop",phase=~');
  });

  it('names pods by namespace and name', () => {
    const labels = [{ namespace: 'shop', pod: 'a', phase: 'Failed' }, { pod: 'b' }, { namespace: 'shop' }, {}];
    expect([...endedPodsIn({ labels })]).to.deep.equal(['shop/a']);
  });
});
