/** The real kube-state-metrics on 127.0.0.1. */

import type { RunningServer } from '../../src/tools/demo/listen.js';
import { freePort } from '../../src/tools/demo/listen.js';
import type { MetricFamily } from '../../src/tools/demo/metric-family.js';
import { parseExposition } from './exposition.js';
import { startServerProcess } from './server-process.js';

export interface KubeStateMetrics extends RunningServer {
  /** What it exposes now. */
  families(): Promise<readonly MetricFamily[]>;
}

/** Starts one for the API server of a kubeconfig, and waits until it answers. @param parameters more of the command line. */
export async function startKubeStateMetrics(
  kubeconfig: string,
  parameters: readonly string[] = [],
): Promise<KubeStateMetrics> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const answer = (path: string) => fetch(`${url}${path}`, { signal: AbortSignal.timeout(25_000) });
  const server = await startServerProcess({
    program: 'kube-state-metrics',
    url,
    parameters: [
      `--kubeconfig=${kubeconfig}`,
      '--host=127.0.0.1',
      `--port=${port}`,
      '--telemetry-host=127.0.0.1',
      `--telemetry-port=${await freePort()}`,
      ...parameters,
    ],
    isReady: () =>
      answer('/healthz').then(
        ({ ok }) => ok,
        () => false,
      ),
  });
  return {
    url,
    close: () => server.close(),
    families: async () => {
      const families = parseExposition(await (await answer('/metrics')).text()).values();
      return [...families].map((family) => ({ ...family, type: family.type === 'counter' ? 'counter' : 'gauge' }));
    },
  };
}
