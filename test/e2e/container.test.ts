import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../src/tools/demo/listen.js';
import { upstreamOf } from '../support/fake-prometheus.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { get } from '../support/http-client.js';
import { healthOf } from '../support/scraping.js';
import { SmallCluster } from '../support/small-cluster.js';
import { eventually } from '../support/waiting.js';

/** Everything about the image that can be known without a container engine. */
describe('the container image', function () {
  this.timeout(180_000);

  const dockerfile = readFileSync('Dockerfile', 'utf8');
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  /** What a part of the Dockerfile copies, each with the stage that it comes from; none: from the repository. */
  const copiesOf = (text: string) =>
    [...text.matchAll(/^COPY (?:--from=(\S+) )?(.+) \S+$/gm)].flatMap(([, stage, sources = '']) =>
      sources.split(' ').map((source) => ({ stage, path: source.replace(/^\/app\//, '') })),
    );
  const [healthCheck = [], command = []] = [...lastStage.matchAll(/^\s*CMD (\[.*\])$/gm)].map(
    ([, json = '']) => JSON.parse(json) as string[],
  );
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-image-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** Puts into the directory what the last stage holds. */
  function unpack(): void {
    for (const { stage, path } of copiesOf(lastStage)) {
      if (stage !== 'dependencies') cpSync(path, join(directory, path), { recursive: true });
    }
    const packages = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], { encoding: 'utf8' });
    for (const path of packages
      .trim()
      .split('\n')
      .map((line) => relative(process.cwd(), line))) {
      if (path !== '') cpSync(path, join(directory, path), { recursive: true });
    }
    expect(existsSync(join(directory, 'node_modules/mocha')), 'development dependencies').to.equal(false);
  }

  it('copies only files that are there, and that .dockerignore lets through', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copies = copiesOf(dockerfile);
    expect(copies).to.not.be.empty;
    for (const { stage, path } of copies) {
      expect(existsSync(path), path).to.equal(true);
      if (stage === undefined) expect(allowed, path).to.include(`!${path}`);
    }
  });

  it('does not run as root, by a number', () => {
    expect(dockerfile).to.match(/^USER [1-9]\d*:[1-9]\d*$/m);
  });

  it('starts with what its last stage holds and the production dependencies alone, answers, and stops', async () => {
    unpack();

    const port = await freePort();
    const environment = { PATH: process.env.PATH, PORT: String(port), PROMETHEUS_URL: 'http://127.0.0.1:1' };
    const start = ([, ...parameters]: string[]) =>
      spawn(process.execPath, parameters, { cwd: directory, env: environment, stdio: 'ignore' });
    const service = start(command);
    try {
      await eventually(async () => {
        expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).to.equal(200);
      });
      expect((await once(start(healthCheck), 'exit'))[0], 'health check').to.equal(0);
      service.kill('SIGTERM');
      expect((await once(service, 'exit'))[0], 'exit status').to.equal(0);
    } finally {
      service.kill('SIGKILL');
    }
  });

  it('writes no file, starts no process and connects to Prometheus alone', async () => {
    unpack();
    const cluster = new SmallCluster();
    const proxy = await startFaultProxy(upstreamOf(cluster.answer));
    // Told by every thread, before anything of the program runs.
    const recorder = `
      import { subscribe } from 'node:diagnostics_channel';
      import { writeSync } from 'node:fs';
      subscribe('net.client.socket', ({ socket }) => {
        socket.once('connect', () => writeSync(2, 'CONNECTED ' + socket.remoteAddress + ':' + socket.remotePort + '\\n'));
      });`;
    const permission = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const [, ...parameters] = command;
    const port = await freePort();
    const service = spawn(
      process.execPath,
      [
        permission,
        '--allow-fs-read=*',
        '--allow-worker',
        // From Node.js 25 on, the network needs a permission too.
        ...(process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []),
        `--import=data:text/javascript,${encodeURIComponent(recorder)}`,
        ...parameters,
      ],
      {
        cwd: directory,
        env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: String(port), PROMETHEUS_URL: proxy.url },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let said = '';
    service.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      await eventually(async () => {
        expect((await healthOf(url)).model.trained, said).to.equal(true);
      });
      for (const path of ['/metrics', '/detect', '/docs', '/']) {
        expect((await get(url + path)).status, path).to.equal(200);
      }
      service.kill('SIGTERM');
      expect((await once(service, 'exit'))[0], said).to.equal(0);
    } finally {
      service.kill('SIGKILL');
      await proxy.close();
    }
    const connections = [...said.matchAll(/^CONNECTED (.*)$/gm)].map(([, address]) => address);
    expect([...new Set(connections)]).to.deep.equal([new URL(proxy.url).host]);
    expect(said).not.to.include('ERR_ACCESS_DENIED');
  });
});
