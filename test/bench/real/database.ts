/**
 * Databases with hours of a cluster, built once for each server and size and kept in the folder for temporary files. They
 * always have the same hours: whoever measures takes a moment of those for now.
 */

import {
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../src/tools/demo/listen.js';
import { type RealServer, startPrometheus, startVictoriaMetrics } from '../../support/real-servers.js';
import { fill, type TimeRange } from './fill.js';
import { untilQuiet } from './server-work.js';
import { storedSeries } from './stored-series.js';

/** The servers that are measured. */
export type ServerKind = 'prometheus' | 'victoria-metrics';

/** What the databases hold: four hours, Unix seconds, from where Prometheus begins a block. */
export const STORED: TimeRange = {
  startSeconds: Date.UTC(2025, 10, 28, 0) / 1000,
  endSeconds: Date.UTC(2025, 10, 28, 4) / 1000,
};

/** The moment from which on to measure: a training looks back for three hours, and what is measured takes less than one. */
export const NOW_SECONDS = STORED.startSeconds + 3 * 3600;

/** To be raised when the series change: a database of another edition is built anew. */
const EDITION = 1;

/** Much data takes its time, also on a machine with other work. */
const PATIENCE_MILLISECONDS = 600_000;

/** Where the databases are. */
export const DATABASES = join(tmpdir(), `k8s-anomaly-detector-bench-${userInfo().uid}`);

/** Forgets the database of a server and a size. */
export function removeDatabase(kind: ServerKind, pods: number): void {
  rmSync(directoryOf(kind, pods), { recursive: true, force: true });
}

/**
 * Starts a server with so many pods, on a copy of the database, so that it may be ended at any time and several can run;
 * builds the database first where there is none. The copy is gone when the server is closed.
 */
export async function startDatabase(kind: ServerKind, pods: number, log: (line: string) => void): Promise<RealServer> {
  const directory = directoryOf(kind, pods);
  const note = join(directory, 'complete.json');
  const isComplete = existsSync(note) && JSON.parse(readFileSync(note, 'utf8')).edition === EDITION;
  if (!isComplete) await build(kind, pods, directory, log);
  const copy = mkdtempSync(join(DATABASES, 'running-'));
  const remove = () => rmSync(copy, { recursive: true, force: true });
  try {
    cpSync(directory, copy, { recursive: true, mode: constants.COPYFILE_FICLONE });
    const server = await startStoring(kind, copy);
    return { ...server, close: () => server.close().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

const directoryOf = (kind: ServerKind, pods: number) => join(DATABASES, `${kind}-${pods}`);

async function build(kind: ServerKind, pods: number, directory: string, log: (line: string) => void): Promise<void> {
  mkdirSync(DATABASES, { recursive: true });
  const unfinished = mkdtempSync(join(DATABASES, 'unfinished-'));
  const started = performance.now();
  const server = await startStoring(kind, unfinished);
  try {
    const samples = await fill(`${server.url}/api/v1/write`, storedSeries(pods), STORED);
    // Prometheus makes a block of the first two hours.
    await untilQuiet(server.pid);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    log(
      `Built the database of ${pods} pods for ${kind}: ${(samples / 1e6).toFixed(1)} million samples in ${seconds} s.`,
    );
  } finally {
    await server.close();
  }
  writeFileSync(join(unfinished, 'complete.json'), JSON.stringify({ edition: EDITION }));
  rmSync(directory, { recursive: true, force: true });
  renameSync(unfinished, directory);
}

/** Starts a server in a directory that takes samples of any time at `/api/v1/write`. */
export async function startStoring(kind: ServerKind, directory: string): Promise<RealServer> {
  const port = await freePort();
  const place = { directory, port, patienceMilliseconds: PATIENCE_MILLISECONDS };
  if (kind === 'victoria-metrics') {
    // Answers about the past come from a cache, and those about now, as the measured ones are meant, do not.
    return startVictoriaMetrics({ ...place, parameters: ['-retentionPeriod=100y', '-search.disableCache'] });
  }
  const configuration = join(directory, 'prometheus.yml');
  writeFileSync(configuration, '{}');
  const features = '--enable-feature=memory-snapshot-on-shutdown';
  return startPrometheus({ ...place, configuration, parameters: [features, '--web.enable-remote-write-receiver'] });
}
