/** The demo's cluster with incidents under way, and the real exporter on top of it. */

import { parseSettings } from '../../src/exporter/config/parse.js';
import { HealthReport } from '../../src/exporter/http/schemas.js';
import { startService } from '../../src/exporter/serve.js';
import { startPrometheusApi } from '../../src/tools/demo/prometheus-api.js';
import { worldQueries } from '../../src/tools/demo/queries.js';
import { createWorld } from '../../src/tools/simulation/cluster.js';
import type { IncidentKind, ScriptedIncident } from '../../src/tools/simulation/incidents.js';
import { ROLLOUTS, type Rollout } from '../../src/tools/simulation/workloads.js';
import { get } from './http-client.js';
import { incidentUnderWay } from './incident-under-way.js';
import { requireDays } from './known-days.js';
import { recordingLogger } from './recording-logger.js';

const MINUTE_SECONDS = 60;

/** All last for longer than what is brief. */
const INCIDENTS: readonly ScriptedIncident[] = [
  incidentUnderWay('runaway-cpu', ['shop', 'cart', 1], 20),
  incidentUnderWay('fast-leak', ['payments', 'checkout', 0], 12),
  incidentUnderWay('crash-loop', ['platform', 'config-sync', 0], 6),
  incidentUnderWay('bad-replica', ['shop', 'catalog', 2], 8),
];

/** A release that takes the memory of all of its pods up. */
const RELEASE: Rollout = {
  namespace: 'shop',
  workload: 'frontend',
  startOffsetSeconds: -40 * MINUTE_SECONDS,
  memoryFactor: 2.4,
};

/** A running exporter. */
export interface IncidentDemo {
  readonly url: string;
  readonly prometheusUrl: string;
  /** The pod with the runaway CPU, which was flagged some minutes after it began. */
  readonly culprit: string;
  /** The pod whose memory grows. */
  readonly leaking: string;
  /** When the CPU ran away, in Unix seconds. */
  readonly culpritSinceSeconds: number;
  /** @throws {Error} until the model knows some days, and so judges what lasts. */
  requireDays(): Promise<void>;
  /** @throws {Error} until something is known of the flagged pods, which is asked for after a pass. */
  requireContext(): Promise<void>;
  close(): Promise<void>;
}

/** Starts both. The simulated Prometheus has all of the past at once; the exporter has yet to train and to read it. */
export async function startIncidentDemo(): Promise<IncidentDemo> {
  const nowSeconds = () => Date.now() / 1000;
  const world = createWorld({
    seed: 1,
    startSeconds: nowSeconds(),
    incidents: INCIDENTS,
    rollouts: [...ROLLOUTS, RELEASE],
  });
  const incidentOf = (kind: IncidentKind) => {
    const found = world.incidents.find((own) => own.kind === kind);
    if (found === undefined) throw new Error('Expected the world to have the incident that it was given.');
    return found;
  };
  const [culprit, leaking] = [incidentOf('runaway-cpu'), incidentOf('fast-leak')];
  const prometheus = await startPrometheusApi(worldQueries(world), nowSeconds);
  const { settings } = parseSettings({
    PROMETHEUS_URL: prometheus.url,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'warn',
    // The least from which boundaries are calibrated: the last day is not learned from.
    HISTORY_DAYS: '4',
    HISTORY_LOAD_PERCENT: '100',
  });
  const service = await startService(settings, recordingLogger(), { checkInstallation: false });
  const health = async () => HealthReport.parse(JSON.parse((await get(`${service.url}/healthz`)).text));
  return {
    url: service.url,
    prometheusUrl: prometheus.url,
    culprit: culprit.pod,
    leaking: leaking.pod,
    culpritSinceSeconds: culprit.startSeconds,
    async requireContext() {
      if ((await health()).context.pods === 0) throw new Error('The exporter knows no context of the pods yet.');
    },
    async requireDays() {
      requireDays(await health());
    },
    async close() {
      await service.close();
      await prometheus.close();
    },
  };
}
