import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { connectionRecipes } from '../support/connection-recipes.js';
import { craftedHistory } from '../support/crafted-history.js';
import { startPrometheus, startThanos, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { checkOf } from '../support/run-check.js';
import { eventually } from '../support/waiting.js';

interface Report {
  readonly findings: readonly { readonly check: string; readonly severity: string; readonly summary: string }[];
  readonly not_checked: readonly unknown[];
}

/** A Prometheus beside a Thanos sidecar. */
interface Store {
  readonly endpoint: string;
  readonly sidecar: RunningServer;
  close(): Promise<void>;
}

describe('a Thanos querier', function () {
  this.timeout(300_000);

  let folder: string;
  const stores: Store[] = [];
  let querier: RunningServer | undefined;

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
    const sidecar = await startThanos({
      part: 'sidecar',
      port: await freePort(),
      grpcPort,
      parameters: [`--prometheus.url=${prometheus.url}`, `--tsdb.path=${join(directory, 'data')}`],
    });
    const close = async () => {
      await sidecar.close();
      await prometheus.close();
    };
    return { endpoint: `127.0.0.1:${grpcPort}`, sidecar, close };
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
    // A querier is ready before it knows its stores.
    await eventually(async () => {
      const response = await fetch(`${querier?.url}/api/v1/query?query=count(kube_pod_info)&dedup=false`);
      const { data } = (await response.json()) as { readonly data: { readonly result: { value: [number, string] }[] } };
      expect(data.result[0]?.value[1]).to.equal('16');
    });
  });
  after(async () => {
    await querier?.close();
    for (const store of stores) await store.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const check = async (settings: Readonly<Record<string, string>>): Promise<{ status: number; report: Report }> => {
    const ours = { HISTORY_DAYS: '0', ...settings, PROMETHEUS_URL: querier?.url ?? '' };
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
