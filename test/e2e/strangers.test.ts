import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import { ENDPOINTS } from '../../src/exporter/http/endpoints.js';
import { type FakePrometheus, startFakePrometheus } from '../support/fake-prometheus.js';
import { get } from '../support/http-client.js';
import { freeAddress } from '../support/http-server.js';
import { endPrograms, startProgram } from '../support/program.js';
import { closed, getRequest } from '../support/raw-http.js';
import { untilTrained } from '../support/scraping.js';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.js';
import { namedPods, SmallCluster } from '../support/small-cluster.js';
import { eventually, within } from '../support/waiting.js';

const MEBIBYTE = 1024 * 1024;

const portOf = (url: string) => Number(new URL(url).port);

/** One request from an address of its own, and its status; 0 for a connection that was closed without an answer. */
async function statusOf(url: string, localAddress: string, request: string): Promise<number> {
  const socket = connect({ port: portOf(url), host: '127.0.0.1', localAddress });
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  const ended = closed(socket);
  socket.write(request);
  await within(60_000, 'an answer', ended);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? 0);
}

describe('strangers', function () {
  this.timeout(180_000);

  afterEach(endPrograms);

  describe('who guess passwords', () => {
    const folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-strangers-'));
    after(() => rmSync(folder, { recursive: true }));

    /** An exporter that has just started, so that it has seen no right password yet. */
    async function start(): Promise<string> {
      const file = join(folder, 'web.yaml');
      writeFileSync(file, `basic_auth_users:\n  prometheus: ${hashSync('secret', 5)}\n`);
      const program = startProgram(['serve'], {
        PROMETHEUS_URL: `http://${await freeAddress()}`,
        HOST: '127.0.0.1',
        PORT: '0',
        WEB_CONFIG_FILE: file,
      });
      return program.listening();
    }

    const logIn = (password: string) =>
      getRequest('/healthz', `Authorization: Basic ${Buffer.from(`prometheus:${password}`).toString('base64')}`);

    for (const [what, addressOf] of [
      ['from the same address, as behind a proxy', () => '127.0.0.1'],
      ['each from an address of its own', (guesser: number) => `127.0.1.${guesser + 1}`],
    ] as const) {
      it(`do not keep out the right password: 18 of them, ${what}`, async () => {
        const url = await start();
        let goesOn = true;
        let guess = 0;
        const statuses = new Map<number, number>();
        const guessers = Array.from({ length: 18 }, async (_, guesser) => {
          while (goesOn) {
            const status = await statusOf(url, addressOf(guesser), logIn(`guess ${guess++}`));
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
          }
        });
        try {
          await eventually(() => expect(statuses.get(401) ?? 0).to.be.above(2));
          // At the first attempt.
          expect(await statusOf(url, '127.0.0.1', logIn('secret'))).to.equal(200);
          expect(await statusOf(url, '127.0.0.1', logIn('secret'))).to.equal(200);
          expect([...statuses.keys()]).to.deep.equal([401]);
        } finally {
          goesOn = false;
          await endPrograms();
          await Promise.all(guessers);
        }
      });
    }
  });

  describe('who ask without end', () => {
    let cluster: FakePrometheus;
    let service: ServiceProcess;

    before(async () => {
      cluster = await startFakePrometheus(new SmallCluster(namedPods(200)).answer);
      service = await startServiceProcess({
        PROMETHEUS_URL: cluster.url,
        RETRAIN_SCHEDULE: '0 4 29 2 *',
        HISTORY_DAYS: '0',
      });
      await untilTrained(service.url);
    });
    after(async () => {
      await service.kill();
      await cluster.close();
    });

    const assets = [
      '/docs/swagger-ui-bundle.js',
      '/docs/swagger-ui.css',
      '/status-page.js',
      '/nothing',
      '/detect?limit=0',
    ];
    for (const path of [...ENDPOINTS.map((endpoint) => endpoint.path), ...assets]) {
      it(`${path} and do not read the answers cost little memory, and no probe`, async () => {
        const { url } = service;
        await get(`${url}${path}`);
        const before = (await service.measure()).peakBytes;
        const bytes = getRequest(path).replace('Connection: close\r\n', '').repeat(1_000);
        const sockets: Socket[] = Array.from({ length: 30 }, () => {
          const socket = connect(portOf(url), '127.0.0.1').on('error', () => {});
          socket.pause().write(bytes);
          return socket;
        });
        try {
          for (let probe = 0; probe < 3; probe++) {
            expect(await statusOf(url, '127.0.0.2', getRequest('/-/healthy'))).to.equal(200);
          }
          expect((await service.measure()).peakBytes - before).to.be.below(100 * MEBIBYTE);
        } finally {
          for (const socket of sockets) socket.destroy();
        }
        const usual = await get(`${url}/metrics`);
        expect(usual.text).to.contain('k8s_anomaly_detector_up 1');
      });
    }

    it('and hold all connections keep out neither probes nor scrapes', async () => {
      const { url } = service;
      const sockets: Socket[] = Array.from({ length: 700 }, () =>
        connect({ port: portOf(url), host: '127.0.0.1', localAddress: '127.0.0.3' }).on('error', () => {}),
      );
      try {
        await eventually(() => expect(sockets.filter(({ closed: isClosed }) => isClosed).length).to.be.at.least(188));
        for (const path of ['/-/healthy', '/-/ready', '/metrics']) {
          expect(await statusOf(url, '127.0.0.1', getRequest(path)), path).to.equal(200);
          expect(await statusOf(url, '127.0.0.3', getRequest(path)), 'from the same address').to.equal(200);
        }
      } finally {
        for (const socket of sockets) socket.destroy();
      }
    });
  });
});
