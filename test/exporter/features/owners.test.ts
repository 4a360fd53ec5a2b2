import { expect } from 'chai';
import { buildOwnerQueries, queryOwners } from '../../../src/exporter/features/owners.js';
import type { InstantQuery, PrometheusApi } from '../../../src/exporter/prometheus/api.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { rejection } from '../../support/rejection.js';
import { seriesSet, type WrittenSeries } from '../../support/tables.js';

const QUERIES = buildOwnerQueries({ namespaceRegex: '.*' });

const { signal } = new AbortController();

/** Answers instant queries from a table, and notes them. */
function api(answers: Readonly<Record<string, WrittenSeries | PrometheusError>>) {
  const asked: InstantQuery[] = [];
  const fake: PrometheusApi = {
    query: async (request) => {
      asked.push(request);
      const answer = answers[/^\w+/.exec(request.query)?.[0] ?? ''];
      if (answer instanceof PrometheusError) throw answer;
      return { ...seriesSet(...(answer === undefined ? [] : [answer])), warnings: [], infos: [] };
    },
    queryRange: () => expect.fail('owners are asked for at one instant'),
  };
  return { fake, asked };
}

describe('buildOwnerQueries', () => {
  it('asks for the namespaces in scope, with the matchers of the features', () => {
    expect(buildOwnerQueries({ namespaceRegex: 'shop|a"b\\\\.c', matchers: 'cluster="x"' })).to.deep.equal({
      pod: 'kube_pod_owner{cluster="x",namespace=~"shop|a\\"b\\\\\\\\.c"}',
      replicaSet: 'kube_replicaset_owner{cluster="x",namespace=~"shop|a\\"b\\\\\\\\.c"}',
      job: 'kube_job_owner{cluster="x",namespace=~"shop|a\\"b\\\\\\\\.c"}',
    });
  });
});

describe('queryOwners', () => {
  it('asks for pods, ReplicaSets and Jobs at the same instant, and puts the answers together', async () => {
    const { fake, asked } = api({
      kube_pod_owner: [
        { namespace: 'ns', pod: 'web-1-2', owner_kind: 'ReplicaSet', owner_name: 'web-1' },
        [600, 1],
      ],
      kube_replicaset_owner: [
        { namespace: 'ns', replicaset: 'web-1', owner_kind: 'Deployment', owner_name: 'web' },
        [600, 1],
      ],
    });
    const owners = await queryOwners(fake, QUERIES, 600, signal);
    expect(Object.fromEntries(owners)).to.deep.equal({ 'ns/web-1-2': 'web' });
    expect(asked).to.have.deep.members(
      Object.values(QUERIES).map((query) => ({
        query,
        timeSeconds: 600,
        signal,
      })),
    );
  });

  it('finds nothing without kube-state-metrics', async () => {
    expect((await queryOwners(api({}).fake, QUERIES, 600, signal)).size).to.equal(0);
  });

  it('fails when one of the questions fails', async () => {
    const error = new PrometheusError('refused', 'Nothing listens.');
    const { fake } = api({ kube_job_owner: error });
    expect(await rejection(queryOwners(fake, QUERIES, 600, signal), PrometheusError)).to.equal(error);
  });
});
