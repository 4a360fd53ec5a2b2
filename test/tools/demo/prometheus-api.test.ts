import { expect } from 'chai';
import { podsOnNodesQuery } from '../../../src/exporter/context/nodes.js';
import { contextQueries, LIMIT_PARTS } from '../../../src/exporter/context/queries.js';
import { readContexts } from '../../../src/exporter/context/read-answers.js';
import { buildCatalog } from '../../../src/exporter/features/catalog.js';
import { addMatchers } from '../../../src/exporter/features/queries/matchers.js';
import { floorsQuery, workloadQuery } from '../../../src/exporter/forecast/queries.js';
import type { RunningServer } from '../../../src/tools/demo/listen.js';
import { startPrometheusApi } from '../../../src/tools/demo/prometheus-api.js';
import { worldQueries } from '../../../src/tools/demo/queries.js';
import { createWorld } from '../../../src/tools/simulation/cluster.js';
import { seriesSet } from '../../support/tables.js';

const START = Date.UTC(2026, 0, 15, 9, 7) / 1000;
const world = createWorld({ seed: 1, startSeconds: START });

const queryOf = (name: string, namespaceRegex = '.*', cpuRateWindow = '1m') =>
  buildCatalog({ namespaceRegex, podLabel: 'pod', cpuRateWindow }).find((feature) => feature.name === name)?.query ??
  '';

interface Answer {
  status: string;
  errorType?: string;
  error?: string;
  data: {
    resultType: string;
    result: { metric: Record<string, string>; value: [number, string]; values: [number, string][] }[];
  };
}

describe('the simulated Prometheus', () => {
  let server: RunningServer;
  before(async () => {
    server = await startPrometheusApi(worldQueries(world), () => START);
  });
  after(() => server.close());

  const ask = async (path: string, parameters: Record<string, string | number>, method = 'GET') => {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) form.set(name, String(value));
    const response =
      method === 'GET'
        ? await fetch(`${server.url}${path}?${form}`)
        : await fetch(`${server.url}${path}`, { method, body: form });
    return { code: response.status, body: (await response.json()) as Answer };
  };
  const instant = async (query: string, time = START) => (await ask('/api/v1/query', { query, time })).body.data.result;

  it('answers the built-in queries for some pods only', async () => {
    for (const feature of ['cpu', 'memory', 'restarts']) {
      const query = addMatchers(queryOf(feature), 'namespace=~"data|shop",pod=~"ledger-0|postgres-0"');
      const pods = new Set((await instant(query)).map(({ metric }) => `${metric.namespace}/${metric.pod}`));
      expect([...pods], feature).to.deep.equal(['data/postgres-0']);
    }
  });

  for (const feature of ['cpu', 'memory', 'restarts']) {
    it(`answers the built-in query for ${feature} alike as a GET, a POST, an instant and a range`, async () => {
      const query = queryOf(feature);
      const get = await ask('/api/v1/query', { query, time: START });
      expect(get.code).to.equal(200);
      expect(get.body.data.resultType).to.equal('vector');
      expect(new Set(get.body.data.result.map(({ metric }) => metric.pod)).size).to.be.within(35, 50);
      expect(await ask('/api/v1/query', { query }, 'POST')).to.deep.equal(get);
      const range = { query, start: START - 120, end: START, step: 60 };
      const { data } = (await ask('/api/v1/query_range', range, 'POST')).body;
      expect(data.resultType).to.equal('matrix');
      const ledger = ({ metric }: { metric: Record<string, string> }) => metric.pod === 'ledger-0';
      const values = data.result.find(ledger)?.values;
      expect(values?.map(([time]) => time)).to.deep.equal([START - 120, START - 60, START]);
      expect(values?.at(-1)).to.deep.equal(get.body.data.result.find(ledger)?.value);
    });
  }

  it('answers in cores, bytes and restarts, as text', async () => {
    const databaseValue = async (feature: string) => {
      const series = (await instant(queryOf(feature))).find(({ metric }) => metric.pod === 'postgres-0');
      // Restarts come for each container.
      const container = feature === 'restarts' ? { container: 'postgres' } : {};
      expect(series?.metric).to.deep.equal({ namespace: 'data', pod: 'postgres-0', ...container });
      expect(series?.value[1]).to.be.a('string');
      return Number(series?.value[1]);
    };
    expect(await databaseValue('cpu')).to.be.within(5, 7.4);
    expect((await databaseValue('memory')) / 2 ** 30).to.be.within(44, 52);
    expect(await databaseValue('restarts')).to.equal(0);
  });

  it('anchors the expression for the namespaces, and minds the window of the rate', async () => {
    const namespaces = async (regex: string) =>
      new Set((await instant(queryOf('cpu', regex, '90s'))).map(({ metric }) => metric.namespace));
    expect(await namespaces('shop|pay.*')).to.deep.equal(new Set(['shop', 'payments']));
    expect(await namespaces('sho')).to.deep.equal(new Set());
    expect(await namespaces('kube\\-system')).to.deep.equal(new Set(['kube-system']));
  });

  it('has no CPU and memory of completed pods, but their restarts', async () => {
    const pods = async (feature: string) => (await instant(queryOf(feature))).map(({ metric }) => metric.pod);
    const running = await pods('cpu');
    expect(await pods('memory')).to.deep.equal(running);
    expect((await pods('restarts')).length).to.be.greaterThan(running.length);
  });

  it('lets the CPU of a container that was just started begin from nothing, as rate() does', async () => {
    const pod = world.pods(START + 155).find(({ pod }) => !world.pods(START).some((old) => old.pod === pod))?.pod;
    const cores = async (offset: number) =>
      Number((await instant(queryOf('cpu'), START + offset)).find(({ metric }) => metric.pod === pod)?.value[1]);
    expect(await cores(155)).to.be.lessThan(0.5 * (await cores(300)));
  });

  it('answers the queries for owners, with and without namespaces', async () => {
    const owners = await instant('kube_pod_owner');
    expect(owners.length).to.equal(world.pods(START).length);
    expect(owners[0]?.metric).to.include({ __name__: 'kube_pod_owner', owner_kind: 'ReplicaSet' });
    const shop = await instant('kube_replicaset_owner{namespace=~"shop"}');
    expect(new Set(shop.map(({ metric }) => metric.owner_name)).size).to.equal(4);
    expect(await instant('kube_job_owner')).not.to.have.lengthOf(0);
  });

  it('answers the queries for the context of pods, for those pods', async () => {
    const cart = world.incidents.find(({ kind }) => kind === 'runaway-cpu')?.pod ?? expect.fail();
    const pods = [
      { namespace: 'payments', pod: 'ledger-1' },
      { namespace: 'shop', pod: cart },
    ];
    const queries = contextQueries(pods, { podLabel: 'pod' });
    const read = async (time: number) => {
      const series = (await Promise.all(queries.map((query) => instant(query, time)))).flat();
      const answer = seriesSet(
        ...series.map(({ metric, value: [, value] }) => [metric, [time, Number(value)]] as const),
      );
      return readContexts([answer], pods, { podLabel: 'pod' });
    };
    const contexts = await read(START + 400);
    expect([...contexts.keys()]).to.deep.equal(['payments/ledger-1', `shop/${cart}`]);
    const ledger = contexts.get('payments/ledger-1');
    expect(ledger).to.deep.include({ limits: { cpu: 4, memory: 8 * 2 ** 30 }, oomEvents: 0 });
    expect(ledger?.images).to.deep.equal(['registry.example.com/payments/ledger:1.0']);
    expect(ledger?.throttledRatio).to.be.closeTo(0.005, 1e-6);
    expect(contexts.get(`shop/${cart}`)?.throttledRatio, 'runaway CPU').to.be.closeTo(0.305, 0.01);
    expect(contexts.get(`shop/${cart}`)?.pressure.cpu).to.be.closeTo(0.41, 0.01);

    const node = ledger?.node ?? expect.fail();
    const query = podsOnNodesQuery([node], { namespaceRegex: 'payments|shop' });
    const there = (await instant(query)).map(({ metric }) => metric);
    expect(there.map(({ pod }) => pod)).to.include('ledger-1');
    expect(new Set(there.map(({ node: one }) => one))).to.deep.equal(new Set([node]));
    expect(there.every(({ namespace = '' }) => ['payments', 'shop'].includes(namespace))).to.equal(true);
  });

  it('answers them one by one where names are so long that each is a query of its own', async () => {
    const names = Array.from({ length: 40 }, (_, index) => ({ namespace: 'shop', pod: `${'x'.repeat(40)}-${index}` }));
    const queries = contextQueries([...names, { namespace: 'payments', pod: 'ledger-1' }], { podLabel: 'pod' });
    expect(queries.some((query) => query.startsWith('label_replace(max by (namespace, pod) (rate('))).to.equal(true);
    const answers = await Promise.all(queries.map((query) => instant(query, START)));
    expect(new Set(answers.flat().map(({ metric }) => metric.pod))).to.deep.equal(new Set(['ledger-1']));
  });

  it('answers the questions about memory that grows, of which there is no working set', async () => {
    const pods = [
      { namespace: 'payments', pod: 'ledger-1' },
      { namespace: 'payments', pod: 'ledger-0' },
    ];
    const options = { podLabel: 'pod' };
    const read = async (query: string) =>
      (await instant(query)).map(({ metric: { pod = '' }, value: [, value] }) => [pod, Number(value) / 2 ** 30]);
    const limits = await Promise.all(contextQueries(pods, options, LIMIT_PARTS).map((query) => instant(query)));
    const limited = limits.flat().filter(({ metric }) => metric.context === 'limit' && metric.resource === 'memory');
    expect(new Set(limited.map(({ metric }) => metric.pod))).to.deep.equal(new Set(['ledger-0', 'ledger-1']));
    const floors = new Map((await read(floorsQuery(pods, 'usage', '10m', options))) as [string, number][]);
    expect(floors.get('ledger-1'), 'a leak of three hours').to.be.within(2 * (floors.get('ledger-0') ?? 0), 8);
    expect(await read(floorsQuery(pods, 'working_set', '10m', options))).to.deep.equal([]);
    const usual = await read(workloadQuery({ namespace: 'payments', pod: '', workload: 'ledger' }, 'usage', options));
    expect(usual).to.deep.equal([['', floors.get('ledger-1')]]);
  });

  it('refuses what it does not know with status 400', async () => {
    const unknown = [
      'up',
      'count(kube_pod_owner)',
      'sum(',
      queryOf('cpu').replace('sum by', 'avg by'),
      queryOf('cpu', '('),
    ];
    for (const query of unknown) {
      const { code, body } = await ask('/api/v1/query', { query });
      expect(code).to.equal(400);
      expect(body).to.include({ status: 'error', errorType: 'bad_data' });
    }
    const range = (parameters: object) =>
      ask('/api/v1/query_range', {
        query: queryOf('cpu'),
        start: START,
        end: START + 60,
        step: 60,
        ...parameters,
      });
    expect((await range({ step: 0 })).body.error).to.contain('"step"');
    expect((await range({ start: 'soon' })).body.error).to.contain('"start"');
    expect((await range({ end: START - 1 })).body.error).to.contain('"end"');
    expect((await range({ end: START + 11_001, step: 1 })).body.error).to.contain('11,000 points');
    expect((await range({ step: '1m' })).code).to.equal(200);
  });

  it('tells its version, and has no other page', async () => {
    expect((await ask('/api/v1/status/buildinfo', {})).body.data).to.have.property('version');
    expect((await fetch(`${server.url}/graph`)).status).to.equal(404);
  });
});
