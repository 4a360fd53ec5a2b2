/** Runs the `prometheus` binary of this machine in a temporary directory. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort, type RunningServer } from './listen.js';

export interface RealPrometheusOptions {
  /** The `PATH` to look for `prometheus` and `promtool` on. */
  readonly path: string;
  /** `prometheus.yml`. */
  readonly configuration: string;
  /** Its history: OpenMetrics text with timestamps, in pieces. */
  readonly history?: Iterable<string>;
  /** What has come while that was stored, which takes a while; `undefined` if nothing has. */
  readonly laterHistory?: () => Iterable<string> | undefined;
  /** Cancels the start. */
  readonly signal?: AbortSignal;
}

/** `promtool` reads the whole history once for each block. */
const LONG_BLOCKS = '--max-block-duration=162h';

const READY_LIMIT_MILLISECONDS = 30_000;
const READY_POLL_MILLISECONDS = 200;
const STOP_LIMIT_MILLISECONDS = 10_000;

/**
 * Starts it on 127.0.0.1, on a free port, and waits until it is ready. `close` stops it and removes its files.
 *
 * @throws {Error} when a program is missing or fails, with its output.
 */
export async function startRealPrometheus(options: RealPrometheusOptions): Promise<RunningServer> {
  const prometheus = await findProgram('prometheus', options.path);
  const promtool = await findProgram('promtool', options.path);
  const directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-'));
  let child: ChildProcess | undefined;
  const close = async () => {
    if (child) await stop(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const data = join(directory, 'data');
    const configuration = join(directory, 'prometheus.yml');
    await writeFile(configuration, options.configuration);
    for (const part of [() => options.history, options.laterHistory]) {
      const text = part?.();
      if (text === undefined) continue;
      const file = join(directory, 'history.om');
      await writeFile(file, text);
      const parameters = ['tsdb', 'create-blocks-from', 'openmetrics', LONG_BLOCKS, file, data];
      await promisify(execFile)(promtool, parameters, {
        ...(options.signal && { signal: options.signal }),
        maxBuffer: 64 * 2 ** 20,
      });
    }
    const port = await freePort();
    child = spawn(
      prometheus,
      [
        `--config.file=${configuration}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const url = `http://127.0.0.1:${port}`;
    await untilReady(child, url, options.signal);
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first executable file with this name on the path. */
async function findProgram(name: string, path: string): Promise<string> {
  for (const directory of path.split(delimiter).filter((entry) => entry !== '')) {
    const file = join(directory, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  throw new Error(
    `Expected a program \`${name}\` on the PATH, found none. Install Prometheus, which includes \`prometheus\` and ` +
      '`promtool` (https://prometheus.io/download/), or leave out --prometheus: the simulation needs neither.',
  );
}

async function untilReady(child: ChildProcess, url: string, signal?: AbortSignal): Promise<void> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const deadline = AbortSignal.timeout(READY_LIMIT_MILLISECONDS);
  for (;;) {
    signal?.throwIfAborted();
    if (failure) throw new Error('Prometheus could not be started.', { cause: failure });
    if (child.exitCode !== null) throw new Error(`Prometheus ended with status ${child.exitCode}:\n${said}`);
    if (deadline.aborted) {
      throw new Error(`Prometheus was not ready after ${READY_LIMIT_MILLISECONDS / 1000} s:\n${said}`);
    }
    const ready = await fetch(`${url}/-/ready`, { signal: deadline }).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await delay(READY_POLL_MILLISECONDS);
  }
}

/** Sends SIGTERM, and SIGKILL if it has not ended in time. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MILLISECONDS);
  await exited;
  clearTimeout(insist);
}
