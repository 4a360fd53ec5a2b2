import { expect } from 'chai';
import { compile } from './small-promql.js';

const samples = [
  { labels: { pod: 'a', container: 'app', instance: 'x' }, value: 3 },
  { labels: { pod: 'a', container: 'app', instance: 'y' }, value: 1 },
  { labels: { pod: 'b"', container: 'app', instance: 'x' }, value: 2 },
  { labels: { pod: 'b"', container: '', instance: 'x' }, value: 9 },
];
const source = {
  metrics: new Set(['x']),
  samplesOf: (_: string, time: number) => samples.map(({ labels, value }) => ({ labels, value: value + time })),
};
const ask = (query: string, time = 0) =>
  compile(query, source)?.(time).map(({ labels, value }) => [labels, value] as const);

describe('the little PromQL of the tests', () => {
  it('selects', () => {
    expect(ask('x')).to.have.lengthOf(4);
    expect(ask('x{container!=""}')).to.have.lengthOf(3);
    expect(ask('x{pod="b\\""}')).to.have.lengthOf(2);
    expect(ask('x{pod=~"a|c",instance!~"y.*"}', 10)).to.deep.equal([
      [{ __name__: 'x', pod: 'a', container: 'app', instance: 'x' }, 13],
    ]);
    expect(ask('x{pod=~"b"}'), 'anchored').to.deep.equal([]);
  });

  it('aggregates', () => {
    expect(ask('count(x)')).to.deep.equal([[{}, 4]]);
    expect(ask('count(x{pod="none"})')).to.deep.equal([]);
    expect(ask('sum by (pod) (x{container!=""})')).to.deep.equal([
      [{ pod: 'a' }, 4],
      [{ pod: 'b"' }, 2],
    ]);
    expect(ask('max by (container) (x)')).to.deep.equal([
      [{ container: 'app' }, 3],
      [{}, 9],
    ]);
    expect(ask('topk(1, x)')?.map(([, value]) => value)).to.deep.equal([9]);
    expect(ask('topk by (instance) (1, x)')?.map(([, value]) => value)).to.deep.equal([9, 1]);
  });

  it('compares and matches', () => {
    expect(ask('count by (pod, container) (x) > 1')).to.deep.equal([[{ pod: 'a', container: 'app' }, 2]]);
    expect(ask('count((x) > 2)')).to.deep.equal([[{}, 2]]);
    expect(ask('x and on (pod) topk(1, count by (pod) (x{container!=""}))')).to.have.lengthOf(2);
  });

  it('knows the time', () => {
    expect(ask('vector(time())', 7)).to.deep.equal([[{}, 7]]);
    expect(ask('timestamp(x{instance="y"})', 7)).to.deep.equal([[{ pod: 'a', container: 'app', instance: 'y' }, 7]]);
  });

  for (const query of [
    '',
    'y',
    'sum(',
    'rate(x[1m])',
    'avg(x)',
    'x + x',
    'x > x',
    'sum without (pod) (x)',
    '1',
    'x unless x',
  ]) {
    it(`does not pretend to understand ${query || 'nothing'}`, () => expect(ask(query)).to.equal(undefined));
  }
});
