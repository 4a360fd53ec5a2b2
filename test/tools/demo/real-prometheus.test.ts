import { expect } from 'chai';
import { buildCatalog } from '../../../src/exporter/features/catalog.js';
import { freePort, type RunningServer } from '../../../src/tools/demo/listen.js';
import { worldQueries } from '../../../src/tools/demo/queries.js';
import { startRealPrometheus } from '../../../src/tools/demo/real-prometheus.js';
import { startScrapingPrometheus } from '../../../src/tools/demo/sources.js';
import { createWorld } from '../../../src/tools/simulation/cluster.js';
import { requireTool } from '../../support/real-tools.js';
import { rejection } from '../../support/rejection.js';
import { checkOf } from '../../support/run-check.js';

const path = process.env.PATH ?? '';

/** What `check --json` writes, as far as it is of interest here. */
interface CheckJson {
  readonly findings: readonly { readonly check: string; readonly severity: string }[];
  readonly not_checked: readonly unknown[];
}

describe('a real Prometheus', () => {
  before(function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
  });

  describe('over the simulated cluster', () => {
    const start = Date.now() / 1000;
    const world = createWorld({ seed: 1, startSeconds: start, incidents: [] });
    let server: RunningServer | undefined;
    before(async () => {
      server = await startScrapingPrometheus({
        world,
        // The clock stands, so that the instant that is asked for is one of the history's samples.
        nowSeconds: () => start,
        exporterPort: 9,
        historyDays: 0.2,
        path,
        signal: new AbortController().signal,
      });
    });
    after(() => server?.close());

    for (const { name, query } of buildCatalog({
      namespaceRegex: '.*',
      podLabel: 'pod',
      cpuRateWindow: '1m',
    })) {
      // The last hour is scraped; of the time before, there are the instants that the history of the exporter looks at.
      for (const [ago, time] of [
        ['an hour', Math.floor(start) - 3600],
        ['hours', Math.floor(start / 3600 - 3) * 3600],
      ] as const) {
        it(`has the same ${name} ${ago} ago as the simulated one`, async () => {
          const response = await fetch(
            `${server?.url}/api/v1/query?${new URLSearchParams({ query, time: `${time}` })}`,
          );
          const answer = (await response.json()) as {
            data: { result: { metric: Record<string, string>; value: [number, string] }[] };
          };
          const keyOf = ({ pod = '', container = '' }: Readonly<Record<string, string>>) => `${pod} ${container}`;
          const real = new Map(answer.data.result.map(({ metric, value }) => [keyOf(metric), Number(value[1])]));
          for (const { labels, value } of worldQueries(world)(query)?.(time) ?? expect.fail()) {
            // A pod that was just born is not known yet, and the pods of earlier runs may still be.
            if (labels.pod?.startsWith('invoice-export-')) continue;
            expect(real.get(keyOf(labels)), labels.pod).to.be.closeTo(value, 0.15 * value);
          }
        });
      }
    }
  });

  it('gives a check of the installation nothing to complain of but the short history', async () => {
    const nowSeconds = () => Date.now() / 1000;
    const exporterPort = await freePort();
    const { signal } = new AbortController();
    const world = createWorld({ seed: 1, startSeconds: nowSeconds() });
    const server = await startScrapingPrometheus({ world, nowSeconds, exporterPort, historyDays: 0, path, signal });
    try {
      const { text } = await checkOf({ PROMETHEUS_URL: server.url }, { json: true });
      const { findings, not_checked } = JSON.parse(text) as CheckJson;
      const notable = findings.filter(({ severity }) => severity !== 'ok').map(({ check }) => check);
      // The demo gives it 75 minutes of history; the check recommends four hours, and seven days to remember.
      expect(notable, text).to.deep.equal(['history', 'past_days']);
      expect(not_checked).to.deep.equal([]);
    } finally {
      await server.close();
    }
  });

  it('reports what is wrong with its configuration', async () => {
    const error = await rejection(startRealPrometheus({ path, configuration: 'nonsense: true' }), Error);
    expect(error.message)
      .to.match(/^Prometheus ended with status \d+/)
      .and.to.contain('nonsense');
  });

  it('knows what came while its history was stored', async () => {
    const start = Math.floor(Date.now() / 1000);
    const world = createWorld({ seed: 1, startSeconds: start, incidents: [] });
    const times = [start - 300, start];
    const server = await startScrapingPrometheus({
      world,
      // When the history begins to be written, and five minutes later.
      nowSeconds: () => times.shift() ?? start,
      exporterPort: 9,
      historyDays: 0,
      path,
      signal: new AbortController().signal,
    });
    try {
      const query = 'count_over_time(container_memory_usage_bytes{pod="postgres-0",container!=""}[290s])';
      const response = await fetch(`${server.url}/api/v1/query?${new URLSearchParams({ query, time: `${start}` })}`);
      const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
      expect(Number(data.result[0]?.value[1])).to.be.at.least(19);
    } finally {
      await server.close();
    }
  });

  it('reports what is wrong with the history', async () => {
    const history = ['no metrics at all\n'];
    const error = await rejection(startRealPrometheus({ path, configuration: '', history }), Error);
    expect(error.message).to.contain('promtool');
  });
});
