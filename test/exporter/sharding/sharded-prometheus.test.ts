import { expect } from 'chai';
import type { LabelValuesRequest } from '../../../src/exporter/prometheus/api.js';
import { shardOf } from '../../../src/exporter/sharding/shard.js';
import { ShardNamespaces } from '../../../src/exporter/sharding/shard-namespaces.js';
import { ShardedPrometheus } from '../../../src/exporter/sharding/sharded-prometheus.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';
import type { Answer } from '../../support/small-cluster.js';

const ALL = Array.from({ length: 9 }, (_, index) => `team-${index}`);
const QUERY = 'sum by (namespace, pod) (a{namespace=~".*"})';

/** Answers with one pod of each namespace, whatever is asked. */
const everything: Answer = (_query, timeSeconds) =>
  ALL.map((namespace, index) => ({ labels: { namespace, pod: 'x-0' }, value: index + timeSeconds }));

function shardOver(
  api: FakeApi,
  ordinal: number,
  total: number,
  known: readonly string[] = ALL,
  warnings: readonly string[] = [],
) {
  const labels = { labelValues: async (_request: LabelValuesRequest) => ({ values: known, warnings }) };
  const plan = { shard: { ordinal, total }, selectors: ['a'], windowSeconds: 60 };
  const server = { buildInfo: async () => undefined, currentTimeSeconds: async () => 42 };
  return new ShardedPrometheus(Object.assign(api, server), new ShardNamespaces(labels, { plan, now: () => 0 }));
}

const signal = new AbortController().signal;

describe('ShardedPrometheus', () => {
  it('narrows instants and ranges to its namespaces', async () => {
    const own = ALL.filter((namespace) => shardOf(namespace, 3) === 2);
    const fake = fakeApi(() => []);
    const api = shardOver(fake, 2, 3);
    await api.query({ query: QUERY, timeSeconds: 60, signal });
    await api.queryRange({ query: QUERY, startSeconds: 0, endSeconds: 60, stepSeconds: 30, signal });
    const narrowed = `sum by (namespace, pod) (a{namespace=~"${own.join('|')}",namespace=~".*"})`;
    expect(fake.asked.map(({ query }) => query)).to.deep.equal([narrowed, narrowed]);
    expect(fake.asked[1]).to.include({ startSeconds: 0, endSeconds: 60, stepSeconds: 30 });
  });

  it('leaves out what others watch, where a query brings it', async () => {
    const found: string[] = [];
    for (const ordinal of [0, 1, 2]) {
      const api = shardOver(fakeApi(everything), ordinal, 3);
      const range = { query: 'a', startSeconds: 10, endSeconds: 20, stepSeconds: 10, signal };
      const result = await api.queryRange(range);
      result.labels.forEach(({ namespace = '' }, series) => {
        found.push(namespace);
        const index = ALL.indexOf(namespace);
        const [from, to] = [result.offsets[series], result.offsets[series + 1]];
        expect([...result.values.subarray(from, to)]).to.deep.equal([index + 10, index + 20]);
        expect([...result.timestampsSeconds.subarray(from, to)]).to.deep.equal([10, 20]);
      });
      expect(result.offsets.at(-1)).to.equal(result.values.length);
    }
    expect(found.sort()).to.deep.equal(ALL);
  });

  it('leaves numbers without a namespace as they are', async () => {
    const api = shardOver(
      fakeApi(() => [{ labels: {}, value: 42 }]),
      0,
      3,
    );
    const { values } = await api.query({ query: 'count(a{namespace="x"})', timeSeconds: 0, signal });
    expect([...values]).to.deep.equal([42]);
  });

  it('lets the server speak for itself', async () => {
    const api = shardOver(fakeApi(everything), 0, 3);
    expect(await api.currentTimeSeconds(signal)).to.equal(42);
    expect(await api.buildInfo(signal)).to.equal(undefined);
  });

  it('asks nothing and finds nothing without a namespace', async () => {
    const fake = fakeApi(everything);
    const api = shardOver(fake, 0, 3, []);
    const { labels, values } = await api.query({ query: QUERY, timeSeconds: 0, signal });
    expect([labels.length, values.length, fake.asked.length]).to.deep.equal([0, 0, 0]);
  });

  it('says with each answer that its namespaces may not be all of them', async () => {
    const incomplete = shardOver(fakeApi(everything), 0, 3, ALL, ['store is down']);
    const empty = shardOver(fakeApi(everything), 0, 3, [], ['store is down']);
    for (const api of [incomplete, empty]) {
      const { warnings } = await api.query({ query: QUERY, timeSeconds: 60, signal });
      expect(warnings).to.deep.equal(['The list of namespaces is incomplete: store is down']);
    }
    expect((await shardOver(fakeApi(everything), 0, 3).query({ query: QUERY, timeSeconds: 60, signal })).warnings).to.be
      .empty;
  });
});
