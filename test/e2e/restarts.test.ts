import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Detection } from '../../src/exporter/detection/detection.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { detectAt, flaggedIn } from '../support/detect-at.js';
import { startPrometheus, startVictoriaMetrics, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { RESTARTING_PODS, restartHistory } from '../support/restart-history.js';

/** Starts a server that knows a history. */
type Start = (directory: string, history: Iterable<string>) => Promise<RunningServer>;

const servers: readonly (readonly [name: string, tools: readonly string[], start: Start])[] = [
  [
    'Prometheus',
    ['prometheus', 'promtool'],
    async (directory, history) => {
      await writeHistory(directory, history);
      const configuration = join(directory, 'prometheus.yml');
      writeFileSync(configuration, '{}');
      return startPrometheus({ directory, port: await freePort(), configuration });
    },
  ],
  [
    'VictoriaMetrics',
    ['victoria-metrics'],
    async (directory, history) => {
      const victoria = await startVictoriaMetrics({ directory, port: await freePort() });
      for (const text of history) {
        const body = text.replaceAll(/ (\d+)$/gm, (_, seconds: string) => ` ${seconds}000`);
        const response = await fetch(`${victoria.url}/api/v1/import/prometheus`, { method: 'POST', body });
        expect(response.status).to.equal(204);
      }
      await fetch(`${victoria.url}/internal/force_flush`);
      return victoria;
    },
  ],
];

for (const [name, tools, start] of servers) {
  describe(`restarts, as ${name} tells them`, function () {
    this.timeout(180_000);

    // A pass asks for whole minutes. What happened 40 s ago is within the newest one at this moment of a minute.
    const nowSeconds = 60 * Math.floor(Date.now() / 60_000) + 20;
    let directory: string;
    let server: RunningServer | undefined;

    before(async function () {
      for (const tool of tools) requireTool(this, tool);
      directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-restarts-'));
      server = await start(directory, restartHistory(nowSeconds));
    });

    after(async () => {
      await server?.close();
      if (directory !== undefined) rmSync(directory, { recursive: true });
    });

    // For Prometheus, a counter of CPU that is a bit lower than before began again, and rose by all it has in that minute.
    const brief = name === 'Prometheus' ? ['cpu-corrected-now-0'] : [];
    const lastingIn = ({ table, lasting }: Detection) =>
      table.pods.filter((_, row) => lasting[row] === 1).map(({ pod }) => pod);

    const variants: readonly (readonly [what: string, trainedAgo: number, environment: Record<string, string>])[] = [
      ['before the loops began', 2400, {}],
      ['while the loops went on', 60, {}],
      ['as one of two shards', 60, { SHARD: '0', TOTAL_SHARDS: '2' }],
      ['with label matchers', 60, { PROMETHEUS_MATCHERS: 'pod!=""', NAMESPACE_REGEX: 'sho.' }],
    ];
    for (const [what, trainedAgo, environment] of variants) {
      it(`flags loops and nothing else, trained ${what}`, async () => {
        const url = { PROMETHEUS_URL: server?.url ?? '' };
        const detection = await detectAt({ ...url, ...environment }, nowSeconds, trainedAgo);
        expect(flaggedIn(detection)).to.have.members([
          'loop-0',
          'slow-loop-0',
          'init-loop-0',
          'sidecar-0',
          'rebooted-loop',
          'loop-of-12',
          ...brief,
        ]);
        expect(lastingIn(detection).filter((pod) => brief.includes(pod))).to.deep.equal([]);
        expect(Object.fromEntries(detection.unscored)).to.deep.equal({ completed: 3, no_usage: 1 });
        expect(detection.table.pods).to.have.lengthOf(RESTARTING_PODS.length - 4);
        expect([...detection.table.values].every(Number.isFinite)).to.equal(true);
      });
    }
  });
}
