/** A real Prometheus that knows a small cluster, from the last hour to the next half. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/tools/demo/listen.js';
import { startPrometheus, writeHistory } from './real-servers.js';
import type { SmallCluster } from './small-cluster.js';
import { smallClusterHistory } from './small-cluster-history.js';

export interface SmallPrometheus {
  readonly url: string;
  /** Ends the process, and keeps data and port. */
  stop(): Promise<void>;
  /** Starts it again. */
  start(): Promise<void>;
  /** Starts it with a new database, which has the last seconds only. */
  losePast(keptSeconds: number): Promise<void>;
  close(): Promise<void>;
}

export async function startSmallPrometheus(cluster: SmallCluster): Promise<SmallPrometheus> {
  const directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-small-'));
  const now = Math.floor(Date.now() / 1000);
  // Some of it lies ahead, so that nothing has to be scraped while the test runs.
  const writeSince = (startSeconds: number) =>
    writeHistory(directory, smallClusterHistory(cluster, { startSeconds, endSeconds: now + 1800, stepSeconds: 15 }));
  await writeSince(now - 4500);
  const configuration = join(directory, 'prometheus.yml');
  writeFileSync(configuration, '{}');
  const place = { directory, port: await freePort(), configuration };
  let server = await startPrometheus(place);
  return {
    url: server.url,
    stop: () => server.close(),
    start: async () => {
      server = await startPrometheus(place);
    },
    losePast: async (keptSeconds) => {
      await server.close();
      rmSync(join(directory, 'data'), { recursive: true });
      await writeSince(Math.floor(Date.now() / 1000) - keptSeconds);
      server = await startPrometheus(place);
    },
    close: async () => {
      await server.close();
      rmSync(directory, { recursive: true });
    },
  };
}
