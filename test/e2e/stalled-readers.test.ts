import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePort } from '../../src/tools/demo/listen.js';
import { exposedValue } from '../support/exposition.js';
import { get } from '../support/http-client.js';
import { closeServers, freeAddress, startRawServer } from '../support/http-server.js';
import { endPrograms, startProgram } from '../support/program.js';
import { scrape } from '../support/scraping.js';
import { eventually } from '../support/waiting.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** A pipe that is full, as that of a log whose reader has stalled for long. */
class FullPipe {
  readonly #folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-pipe-'));
  /** The end that a test reads, which never waits. */
  readonly #here: number;
  /** The end to write to, which waits where the pipe is full. */
  readonly there: number;

  constructor() {
    const path = join(this.#folder, 'pipe');
    execFileSync('mkfifo', [path]);
    this.#here = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.there = openSync(path, constants.O_WRONLY);
    try {
      for (;;) writeSync(this.#here, 'x'.repeat(512));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }

  /** What is in the pipe now. */
  read(): string {
    const chunk = Buffer.alloc(65_536);
    let text = '';
    try {
      for (;;) text += chunk.toString('utf8', 0, readSync(this.#here, chunk));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    return text;
  }

  close(): void {
    for (const end of [this.#here, this.there]) closeSync(end);
    rmSync(this.#folder, { recursive: true });
  }
}

describe('readers that stall or leave', function () {
  this.timeout(180_000);

  let pipe: FullPipe;
  beforeEach(() => {
    pipe = new FullPipe();
  });
  afterEach(async () => {
    await endPrograms();
    await closeServers();
    pipe.close();
  });

  const settings = async () => ({
    PROMETHEUS_URL: `http://${await freeAddress()}`,
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
  });

  for (const format of ['json', 'text']) {
    it(`of the log (${format}) hold up neither scrapes nor probes nor SIGTERM`, async () => {
      const environment = { ...(await settings()), LOG_FORMAT: format };
      const url = `http://127.0.0.1:${environment.PORT}`;
      const program = startProgram(['serve'], environment, { stderr: pipe.there });
      await eventually(async () => expect((await get(`${url}/-/healthy`)).status).to.equal(200));
      const text = await scrape(url);
      expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(0);
      expect(exposedValue(text, 'k8s_anomaly_detector_log_lines_dropped_total')).to.equal(0);
      program.kill('SIGTERM');
      expect(await program.ended()).to.deep.equal({ code: 0, signal: null });
    });
  }

  it('of the log get what has waited when they go on', async () => {
    const environment = await settings();
    const program = startProgram(['serve'], environment, { stderr: pipe.there });
    const url = `http://127.0.0.1:${environment.PORT}`;
    await eventually(async () => expect((await get(`${url}/-/healthy`)).status).to.equal(200));
    let log = '';
    await eventually(() => {
      log += pipe.read();
      expect(log).to.contain('Listening on').and.to.contain('Training failed');
    });
    program.kill('SIGTERM');
    await program.ended();
    expect(log + pipe.read()).to.contain('Stopped.');
  });

  it('of a report hold up no SIGTERM, and get the report when they go on', async () => {
    let asked = 0;
    const prometheus = await startRawServer((socket) => {
      asked++;
      socket.destroy();
    });
    const environment = { ...(await settings()), PROMETHEUS_URL: `http://${prometheus}` };
    const impatient = startProgram(['check'], environment, { stdout: pipe.there });
    // Before it asks, it may have no handler for the signal. Then there is nothing left to do but to report.
    await eventually(() => expect(asked, 'connections').to.be.above(0));
    await sleep(1_000);
    impatient.kill('SIGTERM');
    expect((await impatient.ended()).signal, 'it ends by itself').to.equal(null);
    const patient = startProgram(['check'], await settings(), { stdout: pipe.there });
    let text = '';
    await sleep(1_000);
    await eventually(() => {
      text += pipe.read();
      expect(text).to.contain('Is Prometheus running?');
    });
    expect(await patient.ended()).to.deep.equal({ code: 2, signal: null });
  });

  it('of a report end it without a word when they leave, as with other programs', async () => {
    const child = spawn(process.execPath, [MAIN, 'check'], {
      env: { PATH: process.env.PATH, ...(await settings()) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const [code, signal] = await once(child, 'close');
    expect([code, signal, said]).to.deep.equal([141, null, '']);
  });

  it('of the log do not end the service when they leave', async () => {
    const environment = await settings();
    const child = spawn(process.execPath, [MAIN, 'serve'], {
      env: { PATH: process.env.PATH, ...environment, RETRAIN_SCHEDULE: '* * * * * *' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.destroy();
    const ended = once(child, 'close');
    try {
      const url = `http://127.0.0.1:${environment.PORT}`;
      await eventually(async () => {
        const text = await scrape(url);
        expect(exposedValue(text, 'k8s_anomaly_detector_log_lines_dropped_total')).to.be.above(0);
      });
      child.kill('SIGTERM');
      expect(await ended).to.deep.equal([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
