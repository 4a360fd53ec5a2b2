/** The exporter as a process of its own, with the probe inside. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { within } from '../support/waiting.js';
import type { ProbeReport, ProbeRequest } from './probe.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const PROBE = new URL('./probe.js', import.meta.url).href;
const CLOCK = new URL('../support/shifted-clock.js', import.meta.url).href;

/** Longer than anything that is measured. */
const PATIENCE_MILLISECONDS = 600_000;

/** What a scrape took and brought. */
export interface Scrape {
  /** From the request to the last byte, in seconds. */
  readonly seconds: number;
  /** As sent, so most often compressed. */
  readonly body: Buffer;
  readonly encoding: string | undefined;
}

/** A training, as the log tells of it. */
export interface LoggedTraining {
  readonly seconds: number;
  readonly samples: number;
}

const shiftTo = (nowSeconds: number) => Math.round(1000 * nowSeconds - Date.now());

/** A running exporter. */
export class Exporter {
  readonly #child: ChildProcess;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #trainings: LoggedTraining[] = [];
  #log = '';
  #url: string | undefined;
  #failedTraining: string | undefined;
  #wake = () => {};

  /** @param nowSeconds what its clock shall show, Unix time; the time of this machine if unset. */
  constructor(environment: Readonly<Record<string, string>>, nowSeconds?: number) {
    const clock = nowSeconds === undefined ? [] : ['--import', CLOCK];
    this.#child = fork(MAIN, ['serve'], {
      execArgv: ['--import', PROBE, ...clock],
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: '0',
        REQUEST_TIMEOUT_SECONDS: '300',
        HISTORY_DAYS: '0',
        ...(nowSeconds !== undefined && { CLOCK_SHIFT_MILLISECONDS: String(shiftTo(nowSeconds)) }),
        ...environment,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let line = '';
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      for (const whole of lines) this.#read(whole);
      this.#wake();
    });
    this.#child.on('exit', () => this.#wake());
  }

  #read(line: string): void {
    this.#url ??= /Listening on (http:\/\/[^\s"]+:\d+)\./.exec(line)?.[1];
    if (line.includes('Training failed')) this.#failedTraining = line;
    if (!line.includes('Trained a model')) return;
    const { seconds, samples } = JSON.parse(line) as LoggedTraining;
    this.#trainings.push({ seconds, samples });
  }

  /** Trainings that ended so far. */
  trainings(): readonly LoggedTraining[] {
    return this.#trainings;
  }

  /** Waits until the log shows something; fails when the process has ended, or a training has failed. */
  async #until<Value>(what: string, look: () => Value | undefined): Promise<Value> {
    const end = Date.now() + PATIENCE_MILLISECONDS;
    for (;;) {
      const value = look();
      if (value !== undefined) return value;
      if (this.#child.exitCode !== null) throw new Error(`The exporter has ended. It said:\n${this.#log}`);
      if (this.#failedTraining !== undefined) throw new Error(`A training failed: ${this.#failedTraining}`);
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await within(end - Date.now(), what, woken).catch((error: Error) => {
        throw new Error(`${error.message} The exporter said:\n${this.#log}`);
      });
    }
  }

  listening(): Promise<string> {
    return this.#until('the exporter to listen', () => this.#url);
  }

  /** Waits until so many trainings have ended. */
  async trained(count = 1): Promise<LoggedTraining> {
    return this.#until(`training ${count}`, () => this.#trainings[count - 1]);
  }

  /** One scrape, as Prometheus makes it. */
  scrape(): Promise<Scrape> {
    return this.request('/metrics');
  }

  /** One request, with the headers of a scrape. */
  async request(path: string): Promise<Scrape> {
    const url = new URL(path, await this.listening());
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const headers = { 'Accept-Encoding': 'gzip', 'X-Prometheus-Scrape-Timeout-Seconds': '300' };
      const request = get(url, { agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            seconds: (performance.now() - started) / 1000,
            body: Buffer.concat(chunks),
            encoding: response.headers['content-encoding'],
          }),
        );
      });
      request.on('error', reject);
    });
  }

  /** Watches the event loop from now on. */
  watch(): Promise<ProbeReport> {
    return this.#ask('watch');
  }

  /** What was seen since `watch`. */
  report(): Promise<ProbeReport> {
    return this.#ask('report');
  }

  /** Sets the clock of an exporter that has one of its own. Timers that run already are not changed. */
  async setClock(nowSeconds: number): Promise<void> {
    await this.#ask(shiftTo(nowSeconds));
  }

  async #ask(request: ProbeRequest): Promise<ProbeReport> {
    const answer = once(this.#child, 'message');
    this.#child.send(request);
    const [message] = await within(PATIENCE_MILLISECONDS, 'the probe', answer);
    return message as ProbeReport;
  }

  /** Memory in bytes, as Linux counts it: now, and at its peak. `undefined` elsewhere. */
  memory(): { readonly residentBytes: number; readonly peakBytes: number } | undefined {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
      const kibibytes = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
      return { residentBytes: kibibytes('VmRSS'), peakBytes: kibibytes('VmHWM') };
    } catch {
      return undefined;
    }
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const end = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await end;
  }
}
