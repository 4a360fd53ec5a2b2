import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { requireTool } from '../support/real-tools.js';
import { eventually } from '../support/waiting.js';
import { type Measurement, summarize, verdict } from './measurement.js';
import { comparison } from './report.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

/** Processes that a process has started and that run, as Linux tells. */
function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number).filter(isRunning);
}

function isRunning(pid: number): boolean {
  try {
    // After the name of the program in parentheses: `Z` for what has ended and is not buried yet.
    return !/^\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*(?=\))/s, ''));
  } catch {
    return false;
  }
}

describe('Benchmark', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('measures everything, at the least effort', async function () {
    this.timeout(300_000);
    const json = join(folder, 'figures.json');
    const effort = ['--scrapes', '2', '--seconds', '1', '--idle', '0.1', '--trainings', '1', '--rounds', '1'];
    const few = ['--pods', '20', '--history', '2'];
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...few, ...effort, '--json', json], {
      timeout: 280_000,
    });
    const { measurements } = JSON.parse(readFileSync(json, 'utf8')) as { measurements: Measurement[] };
    const names = measurements.map(({ name }) => name);
    expect(names).to.include.members([
      'scrape',
      'longest block in a scrape',
      'detect',
      'longest block in detect, all pods',
      'training',
      'scrape p99 while training / idle',
      'processor time at rest, share of one',
      'longest block in a scrape while the past is read',
      'scrape with a history',
      'training with a history',
      'start to first scores, without snapshot',
      'stage: fetch',
      'stage: decode',
      'stage: table',
      'stage: baseline',
      'stage: forest',
      'stage: set and render',
      'stage: gzip',
    ]);
    for (const { name, median, count } of measurements) {
      expect(median, name).to.satisfy(Number.isFinite);
      expect(count, name).to.be.above(0);
      expect(stdout).to.include(name);
    }
  });

  it('measures what a real Prometheus does, beside the plain service', async function () {
    this.timeout(180_000);
    requireTool(this, 'prometheus');
    const json = join(folder, 'figures.json');
    const effort = ['--scrapes', '2', '--trainings', '0', '--history', '0', '--remove'];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [MAIN, '--prometheus', '--pods', '20', ...effort, '--json', json],
      { timeout: 170_000, env: { ...process.env, TMPDIR: folder } },
    );
    const { measurements } = JSON.parse(readFileSync(json, 'utf8')) as { measurements: Measurement[] };
    for (const what of [
      "server's processor time of a scrape of a new minute",
      'a scrape of a new minute, end to end',
      "server's processor time of an hour of scrapes every 30 s",
      'queries of a scrape of a new minute',
      'bytes of the first training',
      'samples read by a scrape of a new minute',
    ]) {
      expect(stdout).to.include(what);
      for (const who of ['exporter', 'plain service']) {
        const found = measurements.find(({ name }) => name === `prometheus: ${what}, ${who}`);
        expect(found?.median, `${what}, ${who}`).to.be.above(0);
      }
    }
    const [databases = ''] = readdirSync(folder).filter((name) => name.includes('bench'));
    expect(readdirSync(join(folder, databases)), 'databases that are left').to.deep.equal([]);
  });

  for (const { what, parameters, processes, signal } of [
    { what: 'the exporter', parameters: ['--scrape'], processes: 2, signal: 'SIGKILL' },
    { what: 'a real server', parameters: ['--prometheus'], processes: 1, signal: 'SIGTERM' },
  ] as const) {
    it(`leaves no process behind where it is ended while it measures ${what}`, async function () {
      if (process.platform !== 'linux') this.skip();
      if (what === 'a real server') requireTool(this, 'prometheus');
      const child = spawn(process.execPath, [MAIN, ...parameters, '--pods', '20'], {
        env: { ...process.env, TMPDIR: folder },
        stdio: 'ignore',
      });
      const ended = once(child, 'exit');
      let started: number[] = [];
      try {
        await eventually(() => {
          started = childrenOf(child.pid as number);
          expect(started).to.have.lengthOf(processes);
        });
        child.kill(signal);
        await ended;
        await eventually(() => expect(started.filter(isRunning)).to.deep.equal([]));
      } finally {
        for (const pid of [child.pid as number, ...started]) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
      }
    });
  }

  it('tells the values that were seen', () => {
    const { median, min, p95, p99, max, count } = summarize('x', 1, 'seconds', [5, 1, 4, 2, 3]);
    expect({ median, min, p95, p99, max, count }).to.deep.equal({
      median: 3,
      min: 1,
      p95: 5,
      p99: 5,
      max: 5,
      count: 5,
    });
  });

  it('says whether a target is met, and by how much not', () => {
    const scrape = (seconds: number) => verdict(summarize('scrape', 10_000, 'seconds', [seconds]));
    expect(scrape(0.13)).to.equal('median <= 130 ms: met');
    expect(scrape(0.26)).to.equal('median <= 130 ms: MISSED by 100 %');
    expect(verdict(summarize('scrape', 77, 'seconds', [1]))).to.equal('');
  });

  it('compares with an earlier run', () => {
    const at = (seconds: number) => [summarize('scrape', 10, 'seconds', [seconds])];
    expect(comparison(at(2), at(1)).split('\n').at(-1)).to.match(/scrape +2.00 s +1.00 s +0.50$/);
    expect(comparison([], at(1)).split('\n')).to.have.lengthOf(1);
  });
});
