import { expect } from 'chai';
import { narrowToNamespaces, readsAllNamespaces, selectorsOf } from '../../../src/exporter/sharding/narrow.js';
import { FEATURES } from '../../support/small-cluster.js';

describe('narrowToNamespaces', () => {
  it('adds a matcher to each selector that has one for the namespace, and to no other', () => {
    expect(
      narrowToNamespaces(
        'sum by (namespace, pod) (rate(a{namespace=~".*",x="1"}[5m])) * on (node) group_left () b{y="2"} + c',
        ['data', 'shop'],
      ),
    ).to.equal(
      'sum by (namespace, pod) (rate(a{namespace=~"data|shop",namespace=~".*",x="1"}[5m])) * on (node) ' +
        'group_left () b{y="2"} + c',
    );
  });

  it('knows a quoted label, and one that is excluded', () => {
    expect(narrowToNamespaces('a{"namespace"="x"} + b{namespace!="kube-system"}', ['x'])).to.equal(
      'a{namespace=~"x","namespace"="x"} + b{namespace=~"x",namespace!="kube-system"}',
    );
  });

  it('knows another label for it, and narrows beside it what has the usual one', () => {
    const query = 'a{ns=~".*"} or b{namespace=~".*"} or c{namespace="collectors",ns=~".*"} or d';
    expect(narrowToNamespaces(query, ['x'], 'ns')).to.equal(
      'a{ns=~"x",ns=~".*"} or b{namespace=~"x",namespace=~".*"} or c{ns=~"x",namespace="collectors",ns=~".*"} or d',
    );
    expect(readsAllNamespaces('a{ns=~".*"} or b{namespace=~".*"}', 'ns')).to.equal(false);
    expect(readsAllNamespaces('a{ns=~".*"} or d', 'ns')).to.equal(true);
  });

  it('takes names as they are, whatever they mean in an expression or a text', () => {
    expect(narrowToNamespaces('a{namespace!=""}', ['a.b', 'c"d', '(x|y)\\'])).to.equal(
      'a{namespace=~"a\\\\.b|c\\"d|\\\\(x\\\\|y\\\\)\\\\\\\\",namespace!=""}',
    );
  });

  it('narrows every selector of the built-in features', () => {
    for (const { query } of FEATURES) {
      const selectors = query.match(/\{/g)?.length;
      expect(narrowToNamespaces(query, ['shop']).match(/namespace=~"shop"/g)).to.have.lengthOf(selectors ?? 0);
      expect(readsAllNamespaces(query)).to.equal(false);
    }
  });
});

describe('readsAllNamespaces', () => {
  it('finds a selector without a matcher for the namespace', () => {
    expect(readsAllNamespaces('a{namespace="x"} + on (pod) b{pod!=""}')).to.equal(true);
    expect(readsAllNamespaces('sum by (namespace, pod) (a)')).to.equal(true);
    expect(readsAllNamespaces('a{namespace=~".+"} / b{namespace!="y"}')).to.equal(false);
  });
});

describe('selectorsOf', () => {
  it('gives each once, without range and offset', () => {
    expect(selectorsOf(['rate(a{x="1"}[5m] offset 1m) + b', 'b{} + a{x="1"}'])).to.deep.equal(['a{x="1"}', 'b', 'b{}']);
  });
});
