import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { describeSource, openPrometheus, prometheusConnection } from '../../src/exporter/connect.js';
import { loadFeatures } from '../../src/exporter/features/queries/feature-file.js';
import { PrometheusClient } from '../../src/exporter/prometheus/client.js';
import { shardOf } from '../../src/exporter/sharding/shard.js';
import type { ShardingPlan } from '../../src/exporter/sharding/shard-namespaces.js';
import { createCertificates, type TestCertificates } from '../support/certificates.js';
import { connectionRecipes } from '../support/connection-recipes.js';
import { connectionTo } from '../support/connection-to.js';
import { closeServers, startServer } from '../support/http-server.js';

describe('prometheusConnection', () => {
  let certificates: TestCertificates;
  let directory: string;

  before(async () => {
    certificates = await createCertificates();
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-settings-'));
    const { authority, valid } = certificates;
    const files = { 'ca.crt': authority.cert, 'tls.crt': valid.cert, 'tls.key': valid.key };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    for (const name of ['password', 'token', 'header']) writeFileSync(join(directory, name), 'A=hunter2\n');
  });

  after(() => rmSync(directory, { recursive: true }));
  afterEach(closeServers);

  const connectionOf = (environment: Record<string, string>) =>
    prometheusConnection(parseSettings(environment).settings);
  const path = (name: string) => join(directory, name);

  it('asks for nothing special by default', () => {
    expect(connectionOf({})).to.deep.equal(connectionTo('http://prometheus:9090'));
  });

  it('has everything that the settings say, with the files that may change', () => {
    const { authority, valid } = certificates;
    expect(
      connectionOf({
        PROMETHEUS_URL: 'https://h',
        PROMETHEUS_USERNAME: 'watcher',
        PROMETHEUS_PASSWORD_FILE: path('password'),
        PROMETHEUS_HEADERS_FILE: path('header'),
        PROMETHEUS_QUERY_PARAMETERS: 'dedup=true',
        PROMETHEUS_HTTP_METHOD: 'GET',
        PROMETHEUS_CA_FILE: path('ca.crt'),
        PROMETHEUS_CERT_FILE: path('tls.crt'),
        PROMETHEUS_KEY_FILE: path('tls.key'),
        PROMETHEUS_SERVER_NAME: 'h.example.org',
        INSECURE_SKIP_VERIFY: 'true',
        PROMETHEUS_PROXY_URL: 'http://proxy',
        PROMETHEUS_MAX_RESPONSE_BYTES: '1048576',
      }),
    ).to.deep.equal({
      compression: true,
      baseUrl: 'https://h',
      method: 'GET',
      headers: { A: 'hunter2' },
      queryParameters: [['dedup', 'true']],
      authentication: {
        kind: 'basic',
        username: 'watcher',
        password: { text: 'A=hunter2', file: path('password') },
      },
      tls: {
        ca: { text: authority.cert, file: path('ca.crt') },
        cert: { text: valid.cert, file: path('tls.crt') },
        key: { text: valid.key, file: path('tls.key') },
        serverName: 'h.example.org',
        insecureSkipVerify: true,
      },
      proxyUrl: 'http://proxy',
      maxResponseBytes: 1048576,
    });
  });

  for (const [url, compression] of [
    ['http://localhost:9090', false],
    ['http://127.1.2.3/prefix', false],
    ['https://[::1]:9090', false],
    ['http://prometheus.monitoring.svc:9090', true],
    ['http://10.0.0.1:9090', true],
    ['http://localhost.example.org', true],
  ] as const) {
    it(`asks ${url} for ${compression ? 'compressed' : 'uncompressed'} answers, unless told otherwise`, () => {
      const asks = (others: Record<string, string>) => connectionOf({ PROMETHEUS_URL: url, ...others }).compression;
      expect(asks({})).to.equal(compression);
      expect(asks({ PROMETHEUS_PROXY_URL: 'http://proxy' }), 'through a proxy').to.equal(true);
      expect(asks({ PROMETHEUS_COMPRESSION: 'on' })).to.equal(true);
      expect(asks({ PROMETHEUS_COMPRESSION: 'off' })).to.equal(false);
    });
  }

  it('knows the file of a token', () => {
    expect(connectionOf({ PROMETHEUS_BEARER_TOKEN_FILE: path('token') }).authentication).to.deep.equal({
      kind: 'bearer',
      token: { text: 'A=hunter2', file: path('token') },
    });
  });

  it('tells one source of data from another, without a secret', () => {
    const source = (environment: Record<string, string>, sharding?: ShardingPlan) =>
      describeSource({ connection: connectionOf(environment), sharding });
    expect(
      source({
        PROMETHEUS_URL: 'http://user:hunter2@h/prefix/',
        PROMETHEUS_HEADERS: 'X-Scope-OrgID=shop,X-API-Key=hunter2',
        PROMETHEUS_QUERY_PARAMETERS: 'dedup=true,token=hunter2',
      }),
    ).to.deep.equal(['http://h/prefix', 'X-Scope-OrgID=shop', 'dedup=true']);
    expect(source({})).to.deep.equal(['http://prometheus:9090']);
    const shard = { shard: { ordinal: 1, total: 3 }, selectors: [], windowSeconds: 60 };
    expect(source({}, shard)).to.deep.equal(['http://prometheus:9090', 'shard 1 of 3']);
  });

  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  /** What a request carries by the recipe. */
  const sent: Readonly<Record<string, { search: string; headers: Record<string, string> }>> = {
    OpenShift: { search: 'namespace=shop&', headers: { authorization: 'Bearer A=hunter2' } },
    Thanos: { search: 'dedup=true&partial_response=false', headers: {} },
    'Mimir or Cortex': { search: '', headers: { 'x-scope-orgid': 'shop' } },
    VictoriaMetrics: { search: 'nocache=1&latency_offset=1ms', headers: {} },
    'A VictoriaMetrics cluster': { search: 'nocache=1&latency_offset=1ms', headers: {} },
    'Grafana Cloud': { search: '', headers: { authorization: basic('123456:A=hunter2') } },
  };
  for (const [title, { search, headers }] of Object.entries(sent)) {
    it(`sends what the page about connections says for ${title}`, async () => {
      let seen: IncomingMessage | undefined;
      const url = await startServer((request, response) => {
        seen = request;
        response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
      });
      const recipe = connectionRecipes().get(title) ?? expect.fail(`The page has no recipe "${title}".`);
      const ours = Object.entries(recipe).map(([name, value]) => {
        if (name === 'PROMETHEUS_URL') return [name, url + new URL(value).pathname];
        return [name, name.endsWith('_FILE') ? path(name.includes('_CA_') ? 'ca.crt' : 'token') : value];
      });
      const client = new PrometheusClient(connectionOf(Object.fromEntries(ours)));
      await client.query({ query: 'up', timeSeconds: 60, signal: AbortSignal.timeout(25_000) });
      const { pathname, search: asked } = new URL(seen?.url ?? '', url);
      expect(pathname).to.equal(`${new URL(recipe.PROMETHEUS_URL ?? '').pathname.replace(/\/$/, '')}/api/v1/query`);
      expect(asked.slice(1).startsWith(search), asked).to.equal(true);
      expect(seen?.headers).to.include(headers);
      expect(seen?.method).to.equal(recipe.PROMETHEUS_HTTP_METHOD ?? 'POST');
    });
  }
});

describe('openPrometheus', () => {
  afterEach(closeServers);

  const FEATURES = ['cpu', 'memory', 'restarts'];
  const NAMESPACES = ['a', 'b', 'c', 'd', 'e'];

  /** A Prometheus that knows some namespaces and no samples, and what it was asked. */
  async function opened(environment: Record<string, string>) {
    const asked: string[] = [];
    const url = await startServer(async (request, response) => {
      if (request.url?.includes('/label/')) {
        response.end(JSON.stringify({ status: 'success', data: NAMESPACES }));
        return;
      }
      asked.push(new URLSearchParams(await text(request)).get('query') ?? '');
      response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
    });
    const { settings } = parseSettings({ PROMETHEUS_URL: url, ...environment });
    const featureSet = await loadFeatures('', settings);
    expect(featureSet.features.map(({ name }) => name)).to.deep.equal(FEATURES);
    const told: (readonly string[])[] = [];
    const prometheus = openPrometheus(settings, featureSet, {
      now: () => 0,
      onNamespaces: (namespaces) => told.push(namespaces),
    });
    await prometheus.api.query({ query: 'a{namespace=~".*"}', timeSeconds: 60 });
    return { ...prometheus, asked, told };
  }

  it('queries everything without shards', async () => {
    const { source, namespaces, asked, told } = await opened({});
    expect(asked).to.deep.equal(['a{namespace=~".*"}']);
    expect([source.sharding, namespaces, told]).to.deep.equal([undefined, undefined, []]);
  });

  it('queries the namespaces of the shard', async () => {
    const { source, wholeApi, namespaces, asked, told } = await opened({ SHARD: '1', TOTAL_SHARDS: '2' });
    const own = NAMESPACES.filter((namespace) => shardOf(namespace, 2) === 1);
    expect(asked).to.deep.equal([`a{namespace=~"${own.join('|')}",namespace=~".*"}`]);
    expect(told).to.deep.equal([own]);
    await wholeApi.query({ query: 'b{namespace=~"a"}', timeSeconds: 60 });
    expect(asked.at(-1), 'a question that names its pods').to.equal('b{namespace=~"a"}');
    expect(await namespaces?.get()).to.deep.equal(own);
    expect(source.sharding?.shard).to.deep.equal({ ordinal: 1, total: 2 });
    expect(structuredClone(source), 'a thread can open it too').to.deep.equal(source);
  });
});
