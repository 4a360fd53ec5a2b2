/** Real Prometheus, VictoriaMetrics, Thanos, Alertmanager and prom-label-proxy on 127.0.0.1, with directories that outlive them. */

import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunningServer } from '../../src/tools/demo/listen.js';
import { ON_NEWEST_RELEASE } from './real-tools.js';
import { type RealServer, startServerProcess } from './server-process.js';

export type { RealServer };

/** Debian's name for it, and that of the project. */
const ALERTMANAGER_NAMES = ['prometheus-alertmanager', 'alertmanager'] as const;

/** `promtool` reads the whole history once for each block. */
const LONG_BLOCKS = '--max-block-duration=486h';

/** The program's name on this machine; otherwise Debian's. */
export function alertmanagerProgram(): string {
  const [debian, project] = ALERTMANAGER_NAMES;
  if (ON_NEWEST_RELEASE) return project;
  const runs = (name: string) => spawnSync(name, ['--version'], { timeout: 10_000 }).error === undefined;
  return ALERTMANAGER_NAMES.find(runs) ?? debian;
}

export interface ServerPlace {
  /** Where its data is kept. It is left as it is when the server is closed. */
  readonly directory: string;
  /** A free port of 127.0.0.1. */
  readonly port: number;
  /** Path of the configuration. */
  readonly configuration: string;
  /** More of the command line. */
  readonly parameters?: readonly string[];
  /** Whether it answers, for one that lets in only those it knows; by default its own word for it. */
  readonly isReady?: () => Promise<boolean>;
  /** How long it may take to be ready, and to end before it is ended; for much data more than the usual. */
  readonly patienceMilliseconds?: number;
}

/** Starts `prometheus` and waits until it is ready. Started again in the same place, it goes on where it was. */
export function startPrometheus({
  directory,
  port,
  configuration,
  parameters = [],
  isReady = answers(port, '/-/ready'),
  patienceMilliseconds,
}: ServerPlace): Promise<RealServer> {
  const own = [
    `--config.file=${configuration}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  return startServer('prometheus', port, [...own, ...parameters], isReady, patienceMilliseconds);
}

/** Starts a VictoriaMetrics of one node and waits until it is ready. */
export function startVictoriaMetrics({
  directory,
  port,
  parameters = [],
  patienceMilliseconds,
}: Omit<ServerPlace, 'configuration' | 'isReady'>): Promise<RealServer> {
  const own = [`-storageDataPath=${join(directory, 'data')}`, `-httpListenAddr=127.0.0.1:${port}`, '-loggerLevel=WARN'];
  const isReady = answers(port, '/health');
  return startServer('victoria-metrics', port, [...own, ...parameters], isReady, patienceMilliseconds);
}

/** Starts Alertmanager, alone and not in a cluster, and waits until it is ready. */
export function startAlertmanager({ directory, port, configuration }: ServerPlace): Promise<RunningServer> {
  const parameters = [
    `--config.file=${configuration}`,
    `--storage.path=${join(directory, 'alertmanager')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
    '--log.level=warn',
  ];
  return startServer(alertmanagerProgram(), port, parameters, answers(port, '/-/ready'));
}

/** Starts a part of Thanos and waits until it is ready. A part with data offers it to others on its port for gRPC. */
export function startThanos({
  part,
  port,
  grpcPort,
  parameters,
}: {
  readonly part: 'query' | 'query-frontend' | 'sidecar';
  readonly port: number;
  readonly grpcPort?: number;
  readonly parameters: readonly string[];
}): Promise<RealServer> {
  const own = [part, `--http-address=127.0.0.1:${port}`, '--log.level=warn'];
  const grpc = grpcPort === undefined ? [] : [`--grpc-address=127.0.0.1:${grpcPort}`];
  return startServer('thanos', port, [...own, ...grpc, ...parameters], answers(port, '/-/ready'));
}

/** Starts the proxy that keeps each question to one namespace, with the parameters of OpenShift's tenancy port. */
export function startPromLabelProxy({
  upstream,
  port,
}: {
  readonly upstream: string;
  readonly port: number;
}): Promise<RealServer> {
  const parameters = [
    `--insecure-listen-address=127.0.0.1:${port}`,
    `--upstream=${upstream}`,
    '--label=namespace',
    '--enable-label-apis',
    '--error-on-replace',
  ];
  return startServer('prom-label-proxy', port, parameters, answers(port, '/healthz'));
}

/** Gives a Prometheus that has not been started yet a past: OpenMetrics text with timestamps, in pieces. */
export async function writeHistory(directory: string, history: Iterable<string>): Promise<void> {
  const file = join(directory, 'history.om');
  await writeFile(file, history);
  const parameters = ['tsdb', 'create-blocks-from', 'openmetrics', LONG_BLOCKS, file, join(directory, 'data')];
  await promisify(execFile)('promtool', parameters, { maxBuffer: 64 * 2 ** 20, timeout: 120_000 });
}

function startServer(
  program: string,
  port: number,
  parameters: readonly string[],
  isReady: () => Promise<boolean>,
  patienceMilliseconds?: number,
): Promise<RealServer> {
  return startServerProcess({
    program,
    parameters,
    url: `http://127.0.0.1:${port}`,
    isReady,
    ...(patienceMilliseconds !== undefined && { patienceMilliseconds }),
  });
}

/** Asks a path for a success. */
function answers(port: number, path: string): () => Promise<boolean> {
  return () =>
    fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(25_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
}
