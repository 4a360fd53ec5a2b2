import { expect } from 'chai';
import { buildCatalog } from '../../../src/exporter/features/catalog.js';
import type { RunningServer } from '../../../src/tools/demo/listen.js';
import { worldQueries } from '../../../src/tools/demo/queries.js';
import { startRealPrometheus } from '../../../src/tools/demo/real-prometheus.js';
import { startScrapingPrometheus } from '../../../src/tools/demo/sources.js';
import { createWorld } from '../../../src/tools/simulation/cluster.js';
import { requireTool } from '../../support/real-tools.js';
import { rejection } from '../../support/rejection.js';

const path = process.env.PATH ?? '';

describe('a real Prometheus', function () {
  this.timeout(60_000);
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
      it(`has the same ${name} an hour ago as the simulated one`, async () => {
        const time = Math.floor(start) - 3600;
        const response = await fetch(
          `${server?.url}/api/v1/query?${new URLSearchParams({ query, time: `${time}` })}`,
        );
        const answer = (await response.json()) as {
          data: { result: { metric: Record<string, string>; value: [number, string] }[] };
        };
        const real = new Map(answer.data.result.map(({ metric, value }) => [metric.pod, Number(value[1])]));
        for (const { labels, value } of worldQueries(world)(query)?.(time) ?? expect.fail()) {
          // A pod that was just born is not known yet.
          if (labels.pod?.startsWith('invoice-export-')) continue;
          expect(real.get(labels.pod), labels.pod).to.be.closeTo(value, 0.15 * value);
        }
      });
    }
  });

  it('reports what is wrong with its configuration', async () => {
    const error = await rejection(startRealPrometheus({ path, configuration: 'nonsense: true' }), Error);
    expect(error.message)
      .to.match(/^Prometheus ended with status \d+/)
      .and.to.contain('nonsense');
  });

  it('reports what is wrong with the history', async () => {
    const history = ['no metrics at all\n'];
    const error = await rejection(startRealPrometheus({ path, configuration: '', history }), Error);
    expect(error.message).to.contain('promtool');
  });
});
