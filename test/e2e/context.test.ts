import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ContextReader } from '../../src/exporter/context/context-reader.js';
import type { PodContext } from '../../src/exporter/context/pod-context.js';
import { contextQueries } from '../../src/exporter/context/queries.js';
import { PrometheusClient } from '../../src/exporter/prometheus/client.js';
import { freePort } from '../../src/tools/demo/listen.js';
import { connectionTo } from '../support/connection-to.js';
import {
  contextHistory,
  EXPECTED_CONTEXT,
  flaggedDetection,
  type PodWithContext,
} from '../support/pods-with-context.js';
import { type RealServer, startPrometheus, startVictoriaMetrics, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { recordingLogger } from '../support/recording-logger.js';

/** On one node but the last, which a StatefulSet made again lately: its server still shows the one before. */
const PODS: readonly PodWithContext[] = Array.from({ length: 20 }, (_, index) => ({
  namespace: index % 2 === 0 ? 'shop' : 'payments',
  pod: index === 19 ? 'ledger-0' : `cart-589ddf48f7-${String(index).padStart(5, 'x')}`,
  node: index === 19 ? 'node-2' : 'node-1',
}));
const BEFORE: PodWithContext = { ...(PODS[19] as PodWithContext), uid: 'before', createdSeconds: 500, node: 'node-9' };
/** Not flagged. */
const CALM: readonly PodWithContext[] = [
  { namespace: 'shop', pod: 'calm-0', node: 'node-1' },
  { namespace: 'shop', pod: 'calm-1', node: 'node-3' },
];

const queryOptions = { namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' };

/** Ratios are those of counters between scrapes. */
function rounded({ throttledRatio = Number.NaN, pressure, ...rest }: PodContext): PodContext {
  const round = (value = Number.NaN) => Math.round(value * 1000) / 1000;
  const { cpu, memory, io } = pressure;
  return {
    ...rest,
    throttledRatio: round(throttledRatio),
    pressure: { cpu: round(cpu), memory: round(memory), io: round(io) },
  };
}

describe('the context of flagged pods, asked of real servers', function () {
  this.timeout(120_000);

  let directory: string;
  let server: RealServer | undefined;
  const nowSeconds = Math.floor(Date.now() / 60_000) * 60;
  const history = [
    ...contextHistory([...PODS, BEFORE, ...CALM], { nowSeconds, startSeconds: nowSeconds - 4500, stepSeconds: 30 }),
  ].join('');

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-context-'));
  });

  afterEach(async () => {
    await server?.close();
    server = undefined;
    rmSync(directory, { recursive: true });
  });

  const requireContexts = async ({ url }: RealServer) => {
    const codes: string[] = [];
    const api = new PrometheusClient(connectionTo(url), { onRequest: (code) => codes.push(code) });
    const logger = recordingLogger();
    const reader = new ContextReader({ api, wholeApi: api, queryOptions, logger, now: () => nowSeconds * 1000 });
    await reader.ask(flaggedDetection(PODS, nowSeconds));
    expect(logger.lines).to.deep.equal([]);
    const { pods, nodeOf } = reader.state();
    expect(pods.size).to.equal(20);
    for (const [key, context] of pods) {
      const node = key === 'payments/ledger-0' ? 'node-2' : 'node-1';
      // Events of both pods of the name are events of that name.
      const oomEvents = key === 'payments/ledger-0' ? 4 : 2;
      expect(rounded(context), key).to.deep.equal({ ...EXPECTED_CONTEXT, node, oomEvents });
    }
    expect([...new Set(nodeOf.values())]).to.deep.equal(['node-1']);
    expect(nodeOf.size, 'pods on the node that the flagged pods have in common').to.equal(20);
    expect(codes).to.have.lengthOf.within(3, 5);
  };

  it('is that of Prometheus, in few queries of few samples', async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    await writeHistory(directory, [history]);
    const configuration = join(directory, 'prometheus.yml');
    writeFileSync(configuration, '{}');
    server = await startPrometheus({ directory, port: await freePort(), configuration });
    await requireContexts(server);
    let samples = 0;
    for (const query of contextQueries(PODS, queryOptions)) {
      const body = new URLSearchParams({ query, time: String(nowSeconds), stats: 'all' });
      const response = await fetch(`${server.url}/api/v1/query`, { method: 'POST', body });
      const { data } = (await response.json()) as { data: { stats: { samples: { totalQueryableSamples: number } } } };
      samples += data.stats.samples.totalQueryableSamples;
    }
    // Most are those of an hour, for the events of memory that ran out, twice: 120 scrapes of a container each.
    expect(samples).to.be.within(20 * 240, 20 * 400);
  });

  it('is that of VictoriaMetrics', async function () {
    requireTool(this, 'victoria-metrics');
    server = await startVictoriaMetrics({ directory, port: await freePort(), parameters: ['-retentionPeriod=100y'] });
    const text = history.replaceAll(/^(?:#.*\n)/gm, '').replaceAll(/ (\d+)$/gm, ' $1000');
    const response = await fetch(`${server.url}/api/v1/import/prometheus`, { method: 'POST', body: text });
    expect(response.status).to.equal(204);
    await fetch(`${server.url}/internal/force_flush`);
    await requireContexts(server);
  });
});
