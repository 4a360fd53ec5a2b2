import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { secondsToLimit } from '../../src/exporter/forecast/forecast-state.js';
import { MemoryForecaster } from '../../src/exporter/forecast/memory-forecaster.js';
import { PrometheusClient } from '../../src/exporter/prometheus/client.js';
import { freePort } from '../../src/tools/demo/listen.js';
import { connectionTo } from '../support/connection-to.js';
import { memoryDetection } from '../support/memory-detection.js';
import { type RealServer, startPrometheus, startVictoriaMetrics, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { recordingLogger } from '../support/recording-logger.js';

const MIB = 2 ** 20;
const HOUR = 3600;
const STEP = 60;

/** One series, by its age in seconds. */
interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly at: (ageSeconds: number) => number;
}

/** A leak of 100 MiB an hour since some hours ago. */
const leak =
  (level: number, sinceHours: number) =>
  (age: number): number =>
    MIB * (level + 100 * Math.max(0, sinceHours - age / HOUR));

/** A pod of two containers, the first of which is given; cAdvisor's sums and pause container must not count. */
function podSeries(pod: string, app: (age: number) => number, limits: readonly (number | undefined)[]): Series[] {
  const of = (container: string) => ({ namespace: 'shop', pod, container });
  const memory = (container: string, at: Series['at']): Series[] => [
    {
      name: 'container_memory_working_set_bytes',
      labels: { ...of(container), id: `/kubepods/${pod}/${container}` },
      at,
    },
    // With page cache, of which any amount can be given back.
    {
      name: 'container_memory_usage_bytes',
      labels: { ...of(container), id: `/kubepods/${pod}/${container}` },
      at: (age) => at(age) + MIB * (100 + 200 * Math.max(0, 6 - age / HOUR)),
    },
  ];
  return [
    ...memory('app', app),
    ...memory('proxy', () => 50 * MIB),
    ...memory('POD', () => MIB),
    ...memory('', (age) => app(age) + 51 * MIB),
    ...['app', 'proxy'].flatMap((container, index) => {
      const limit = limits[index];
      const info = { name: 'kube_pod_container_info', labels: { ...of(container), uid: pod }, at: () => 1 };
      if (limit === undefined) return [info];
      const labels = { ...of(container), resource: 'memory', unit: 'byte', node: 'n1' };
      return [
        info,
        { name: 'kube_pod_container_resource_limits', labels: { ...labels, uid: pod }, at: () => limit * MIB },
        // The pod of the same name before it, which some servers show for five minutes.
        { name: 'kube_pod_container_resource_limits', labels: { ...labels, uid: 'before' }, at: () => limit * MIB },
        {
          name: 'kube_pod_container_resource_limits',
          labels: { ...labels, resource: 'cpu', unit: 'core', uid: pod },
          at: () => 2,
        },
      ];
    }),
  ];
}

const SERIES: readonly Series[] = [
  ...podSeries('leak-0', leak(500, 4), [1100, 100]),
  ...podSeries('cache.only-0', () => 500 * MIB, [900, 100]),
  ...podSeries('no-limit-0', leak(500, 4), [1100, undefined]),
  ...podSeries('before-0', (age) => (age > 30 * HOUR ? 950 * MIB : leak(500, 4)(age)), [1100, 100]),
];
const PODS = ['before-0', 'cache.only-0', 'leak-0', 'no-limit-0'];

function* historyOf(nowSeconds: number): Generator<string> {
  for (const name of [...new Set(SERIES.map((series) => series.name))].sort()) {
    yield `# TYPE ${name} gauge\n`;
    for (const { labels, at } of SERIES.filter((series) => series.name === name)) {
      const text = Object.entries(labels)
        .map(([label, value]) => `${label}="${value}"`)
        .join(',');
      for (let age = 40 * HOUR; age >= 0; age -= STEP) yield `${name}{${text}} ${at(age)} ${nowSeconds - age}\n`;
    }
  }
  yield '# EOF\n';
}

describe('forecasts of memory, asked of real servers', function () {
  this.timeout(120_000);

  let directory: string;
  let server: RealServer | undefined;
  const nowSeconds = Math.floor(Date.now() / 300_000) * 300;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-forecast-'));
  });

  afterEach(async () => {
    await server?.close();
    server = undefined;
    rmSync(directory, { recursive: true });
  });

  const requireForecasts = async ({ url }: RealServer) => {
    const api = new PrometheusClient(connectionTo(url), {});
    const logger = recordingLogger();
    const forecaster = new MemoryForecaster({ api, queryOptions: { podLabel: 'pod' }, logger });
    for (let age = 3 * HOUR; age > 0; age -= HOUR / 2) {
      await forecaster.ask(memoryDetection(nowSeconds - age, PODS, () => 1000 - (50 * age) / HOUR));
    }
    await forecaster.ask(memoryDetection(nowSeconds, PODS, () => 1000));
    expect(logger.lines).to.deep.equal([]);
    const { pods } = forecaster.state();
    expect([...pods.keys()]).to.deep.equal(['shop/leak-0']);
    const forecast = pods.get('shop/leak-0');
    expect(forecast?.limitBytes).to.equal(1200 * MIB);
    expect(forecast?.bytes).to.be.within(940 * MIB, 950 * MIB);
    expect((secondsToLimit(forecast, nowSeconds) ?? 0) / HOUR).to.be.closeTo(2.5, 0.15);
  };

  it('are those of Prometheus: of the working set, and of the sum of all limits', async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    await writeHistory(directory, historyOf(nowSeconds));
    const configuration = join(directory, 'prometheus.yml');
    writeFileSync(configuration, '{}');
    server = await startPrometheus({ directory, port: await freePort(), configuration });
    await requireForecasts(server);
  });

  it('are those of VictoriaMetrics', async function () {
    requireTool(this, 'victoria-metrics');
    server = await startVictoriaMetrics({ directory, port: await freePort(), parameters: ['-retentionPeriod=100y'] });
    const text = [...historyOf(nowSeconds)].filter((line) => !line.startsWith('#')).join('');
    const body = text.replaceAll(/ (\d+)$/gm, ' $1000');
    const response = await fetch(`${server.url}/api/v1/import/prometheus`, { method: 'POST', body });
    expect(response.status).to.equal(204);
    await fetch(`${server.url}/internal/force_flush`);
    await requireForecasts(server);
  });
});
