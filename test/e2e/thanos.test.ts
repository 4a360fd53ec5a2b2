import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { prometheusConnection } from '../../src/exporter/connect.js';
import { isPartial, type QueryResult } from '../../src/exporter/prometheus/api.js';
import { PrometheusClient } from '../../src/exporter/prometheus/client.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { connectionRecipes } from '../support/connection-recipes.js';
import { craftedHistory } from '../support/crafted-history.js';
import { samplesOf } from '../support/exposition.js';
import { get } from '../support/http-client.js';
import { startPrometheus, startThanos, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { checkOf } from '../support/run-check.js';
import { eventually } from '../support/waiting.js';

interface Report {
  readonly findings: readonly { readonly check: string; readonly severity: string; readonly summary: string }[];
  readonly not_checked: readonly unknown[];
}

/** A Prometheus beside a Thanos sidecar, which can be started again. */
interface Store {
  readonly endpoint: string;
  readonly startSidecar: () => Promise<RunningServer>;
  sidecar: RunningServer;
  close(): Promise<void>;
}

/** The hour is what the frontend splits ranges at. */
const FRONTEND = [
  '--query-range.split-interval=1h',
  '--query-range.response-cache-config={ type: IN-MEMORY, config: { max_size: 16MB } }',
];

/** An odd step, from an odd second on, over four of these hours. */
const RANGE = { stepSeconds: 45, instants: 300 };

describe('a Thanos querier', function () {
  this.timeout(300_000);

  let folder: string;
  const stores: Store[] = [];
  let querier: RunningServer | undefined;
  let frontend: RunningServer | undefined;

  /** The same pods each time; the external labels say whose copy it is. */
  async function startStore(name: string, externalLabels: string): Promise<Store> {
    const directory = join(folder, name);
    mkdirSync(directory);
    const now = Math.floor(Date.now() / 1000);
    const span = { startSeconds: now - 4 * 3600, endSeconds: now + 900, scrapeIntervalSeconds: 15 };
    await writeHistory(directory, craftedHistory(span));
    const configuration = join(directory, 'prometheus.yml');
    writeFileSync(configuration, `global: { external_labels: ${externalLabels} }\n`);
    const prometheus = await startPrometheus({ directory, port: await freePort(), configuration });
    const grpcPort = await freePort();
    const port = await freePort();
    const parameters = [`--prometheus.url=${prometheus.url}`, `--tsdb.path=${join(directory, 'data')}`];
    const startSidecar = () => startThanos({ part: 'sidecar', port, grpcPort, parameters });
    const store: Store = {
      endpoint: `127.0.0.1:${grpcPort}`,
      startSidecar,
      sidecar: await startSidecar(),
      close: async () => {
        await store.sidecar.close();
        await prometheus.close();
      },
    };
    return store;
  }

  before(async function () {
    for (const tool of ['prometheus', 'promtool', 'thanos']) requireTool(this, tool);
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-thanos-'));
    stores.push(await startStore('first', '{ replica: first }'));
    stores.push(await startStore('second', '{ replica: second }'));
    querier = await startThanos({
      part: 'query',
      port: await freePort(),
      grpcPort: await freePort(),
      parameters: [
        '--query.replica-label=replica',
        // It stays in the list when it is down, as it does for minutes anyway.
        ...stores.map(({ endpoint }) => `--endpoint-strict=${endpoint}`),
      ],
    });
    frontend = await startThanos({
      part: 'query-frontend',
      port: await freePort(),
      parameters: [`--query-frontend.downstream-url=${querier.url}`, ...FRONTEND],
    });
    await untilBothStoresAnswer();
  });
  after(async () => {
    await frontend?.close();
    await querier?.close();
    for (const store of stores) await store.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** A querier is ready before it knows its stores. */
  const untilBothStoresAnswer = () =>
    eventually(async () => {
      const { values } = await clientOf(querier, { PROMETHEUS_QUERY_PARAMETERS: 'dedup=false' }).query({
        query: 'count(kube_pod_info)',
        timeSeconds: Date.now() / 1000,
        signal: AbortSignal.timeout(20_000),
      });
      expect([...values]).to.deep.equal([16]);
    });

  const clientOf = (server: RunningServer | undefined, settings: Readonly<Record<string, string>>) =>
    new PrometheusClient(
      prometheusConnection(parseSettings({ ...settings, PROMETHEUS_URL: server?.url ?? '' }).settings),
    );
  const check = async (
    settings: Readonly<Record<string, string>>,
    server = querier,
  ): Promise<{ status: number; report: Report }> => {
    const ours = { HISTORY_DAYS: '0', ...settings, PROMETHEUS_URL: server?.url ?? '' };
    const { status, text } = await checkOf(ours, { json: true });
    return { status, report: JSON.parse(text) as Report };
  };
  const recipe = () => connectionRecipes().get('Thanos') ?? expect.fail('The page has no recipe for Thanos.');
  const notWell = ({ findings }: Report) => findings.filter(({ severity }) => severity !== 'ok');
  const summaryOf = ({ findings }: Report, name: string) =>
    findings.find((finding) => finding.check === name)?.summary ?? '';

  it('gives each pod once, and no warnings, with the recipe', async () => {
    const { status, report } = await check(recipe());
    expect(notWell(report), JSON.stringify(notWell(report))).to.deep.equal([]);
    expect(status).to.equal(0);
    expect(summaryOf(report, 'server')).to.match(/^The server is Thanos \d/);
    expect(summaryOf(report, 'series')).to.include('8 pods');
  });

  describe('behind a query frontend', () => {
    const step = RANGE.stepSeconds;
    /** No multiple of the step, and long enough ago to be kept. */
    const endSeconds = (Math.floor(Date.now() / 1000 / step) - 3) * step + 17;

    /** The memory of each pod over some hours. */
    async function memoryFrom(server: RunningServer | undefined, settings = recipe()): Promise<QueryResult> {
      return clientOf(server, settings).queryRange({
        query: 'sum by (namespace, pod) (container_memory_usage_bytes{container!="",container!="POD"})',
        startSeconds: endSeconds - (RANGE.instants - 1) * step,
        endSeconds,
        stepSeconds: step,
        signal: AbortSignal.timeout(20_000),
      });
    }
    const metric = async (name: string): Promise<number> => {
      const { text } = await get(`${frontend?.url}/metrics`);
      return samplesOf(text, name).reduce((sum, { value }) => sum + value, 0);
    };

    it('gives each pod once, and no warnings, with the recipe', async () => {
      const { status, report } = await check(recipe(), frontend);
      expect(notWell(report), JSON.stringify(notWell(report))).to.deep.equal([]);
      expect(status).to.equal(0);
      expect(summaryOf(report, 'series')).to.include('8 pods');
    });

    it('gives each instant of a range that it moves and splits once, also from its cache', async () => {
      const direct = await memoryFrom(querier);
      expect(direct).to.not.have.property('shiftSeconds');
      const first = await memoryFrom(frontend);
      const hits = await metric('cortex_cache_hits_total');
      const again = await memoryFrom(frontend);
      expect(await metric('cortex_cache_hits_total'), 'hits').to.be.above(hits);
      expect(await metric('thanos_frontend_split_queries_total'), 'splits').to.be.above(0);
      for (const moved of [first, again]) {
        expect(moved.shiftSeconds).to.be.within(16, 18);
        expect(moved.labels).to.have.lengthOf(8);
        expect([...moved.offsets]).to.deep.equal([...direct.offsets]);
        expect(moved.values).to.have.lengthOf(8 * RANGE.instants);
        expect([...moved.timestampsSeconds]).to.deep.equal([...direct.timestampsSeconds]);
      }
    });

    describe('one of whose stores is down', () => {
      before(() => stores[1]?.sidecar.close());
      after(async () => {
        const [, store] = stores;
        if (store !== undefined) store.sidecar = await store.startSidecar();
        await untilBothStoresAnswer();
      });

      it('refuses to answer with the recipe, which is an error and no missing pods', async () => {
        const { status, report } = await check(recipe(), frontend);
        expect(status).to.equal(2);
        expect(JSON.stringify(notWell(report))).to.include('A store behind the server is down');
      });

      it('says so in each answer with the parameter left out, and keeps none of them', async () => {
        const both = { PROMETHEUS_QUERY_PARAMETERS: 'dedup=false' };
        for (let time = 0; time < 2; time++) {
          const { warnings } = await memoryFrom(frontend, both);
          expect(isPartial({ warnings }), warnings.join()).to.equal(true);
        }
      });
    });

    describe('whose store is there again', () => {
      it('has all of its data, whatever was answered meanwhile', async () => {
        const both = { PROMETHEUS_QUERY_PARAMETERS: 'dedup=false' };
        const { warnings, values } = await memoryFrom(frontend, both);
        expect(warnings).to.deep.equal([]);
        const [half = 0] = (await memoryFrom(frontend)).values;
        expect(values[0]).to.be.closeTo(2 * half, 0.1 * half);
      });
    });
  });

  describe('one of whose stores is down', () => {
    before(() => stores[1]?.sidecar.close());

    it('refuses to answer with the recipe, which is an error and no missing pods', async () => {
      const { status, report } = await check(recipe());
      expect(status).to.equal(2);
      const text = JSON.stringify(notWell(report));
      expect(text).to.include('"severity":"error"').and.to.include('A store behind the server is down');
      expect(text).to.not.include('select less');
    });

    it('answers in part with the parameter left out, which is reported as a warning', async () => {
      const { report } = await check({ PROMETHEUS_QUERY_PARAMETERS: 'dedup=true' });
      expect(notWell(report).map(({ check: name }) => name)).to.deep.equal(['prometheus_warnings']);
    });
  });
});
