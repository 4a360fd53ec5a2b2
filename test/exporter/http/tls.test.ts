import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type * as http from 'node:http';
import * as https from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { listen, type RunningServer } from '../../../src/exporter/http/server.js';
import type { TlsSettings } from '../../../src/lib/web-config/config.js';
import { loadWebConfig } from '../../../src/lib/web-config/load.js';
import { LOCAL } from '../../support/http-server.js';
import { closed } from '../../support/raw-http.js';
import { requireTool } from '../../support/real-tools.js';
import { eventually, gate, within } from '../../support/waiting.js';
import { createAuthority, createSigned } from '../../support/web-certificates.js';

describe('TLS', () => {
  let folder: string;
  let server: RunningServer | undefined;
  let agent: https.Agent;
  let change: (settings: TlsSettings) => void;
  let hold: Promise<void>;
  let served: number;

  const pem = (name: string) => readFileSync(join(folder, name), 'utf8');
  const identity = (name: string) => ({ cert: pem(`${name}.crt`), key: pem(`${name}.key`) });

  before(function () {
    requireTool(this, 'openssl');
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-tls-'));
    for (const name of ['authority', 'stranger']) createAuthority(folder, name);
    for (const [name, authority, subjectAltName] of [
      ['server', 'authority', 'IP:127.0.0.1'],
      ['renewed', 'authority', 'IP:127.0.0.1'],
      ['prometheus', 'authority', 'DNS:prometheus'],
      ['alice', 'authority', 'DNS:alice'],
      ['mallory', 'stranger', 'DNS:prometheus'],
    ] as const) {
      createSigned(folder, { name, authority, subjectAltName });
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  beforeEach(() => {
    agent = new https.Agent({ keepAlive: true });
    hold = Promise.resolve();
    served = 0;
  });
  afterEach(async () => {
    agent.destroy();
    await server?.close();
    server = undefined;
  });

  async function settingsWith(more = '', name = 'server'): Promise<TlsSettings> {
    writeFileSync(
      join(folder, 'web.yaml'),
      `tls_server_config: { cert_file: ${name}.crt, key_file: ${name}.key${more} }`,
    );
    return (await loadWebConfig(join(folder, 'web.yaml'))).config.tls ?? expect.fail('There is no TLS.');
  }

  async function start(more?: string): Promise<RunningServer> {
    const settings = await settingsWith(more);
    server = await listen(
      async (request, response) => {
        served += 1;
        const { subject } = (request.socket as tls.TLSSocket).getPeerCertificate() ?? {};
        await hold;
        response.end(`hello ${subject?.CN ?? 'stranger'}`);
      },
      LOCAL,
      {
        settings,
        onChange: (listener) => {
          change = listener;
        },
      },
    );
    return server;
  }

  async function get(options: https.RequestOptions = {}): Promise<string> {
    const request = https.get(server?.url ?? '', { ca: pem('authority.crt'), agent: false, ...options });
    request.setTimeout(9_000, () => request.destroy(new Error('timeout')));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    return text(response);
  }
  const refused = async (options: https.RequestOptions = {}): Promise<string> => {
    const before = served;
    const outcome = await get(options).catch((error: NodeJS.ErrnoException) => `refused: ${error.code}`);
    expect(outcome).to.match(/^refused: (?:ERR_SSL_|ECONNRESET|EPROTO|EPIPE)/);
    expect(served, 'requests that came through').to.equal(before);
    return outcome;
  };

  it('serves at an https URL, with TLS 1.2 and 1.3 and nothing older', async () => {
    expect((await start()).url).to.match(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await get()).to.equal('hello stranger');
    expect(await get({ maxVersion: 'TLSv1.2' })).to.equal('hello stranger');
    await refused({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  });

  it('keeps to the versions, the ciphers and the curves of the configuration', async () => {
    await start(', min_version: TLS13, curve_preferences: [CurveP384]');
    await refused({ maxVersion: 'TLSv1.2' });
    await refused({ ecdhCurve: 'X25519' });
    expect(await get({ ecdhCurve: 'secp384r1' })).to.equal('hello stranger');
    await server?.close();
    await start(', cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]');
    await refused({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' });
    expect(await get({ maxVersion: 'TLSv1.2' })).to.equal('hello stranger');
    expect(await get({ minVersion: 'TLSv1.3' }), 'the suites of TLS 1.3 stay').to.equal('hello stranger');
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`asks for client certificates in ${maxVersion}`, async () => {
      await start(', client_ca_file: authority.crt, client_auth_type: RequireAndVerifyClientCert');
      await refused({ maxVersion });
      await refused({ maxVersion, ...identity('mallory') });
      expect(await get({ maxVersion, ...identity('prometheus') })).to.equal('hello prometheus');
      await server?.close();

      await start(', client_ca_file: authority.crt, client_auth_type: VerifyClientCertIfGiven');
      expect(await get({ maxVersion })).to.equal('hello stranger');
      await refused({ maxVersion, ...identity('mallory') });
      await server?.close();

      await start(', client_auth_type: RequireAnyClientCert');
      await refused({ maxVersion });
      expect(await get({ maxVersion, ...identity('mallory') })).to.equal('hello mallory');
      await server?.close();

      await start(', client_auth_type: RequestClientCert');
      expect(await get({ maxVersion })).to.equal('hello stranger');
      expect(await get({ maxVersion, ...identity('mallory') })).to.equal('hello mallory');
    });

    it(`lets in only the names that are allowed in ${maxVersion}, also when a session is resumed`, async () => {
      const names = (list: string) =>
        `, client_ca_file: authority.crt, client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: [${list}]`;
      await start(names('prometheus, alice'));
      const port = Number(new URL(server?.url ?? '').port);
      const options = { port, host: '127.0.0.1', ca: pem('authority.crt'), maxVersion, ...identity('alice') };
      /** Asks on a connection of its own. */
      const ask = async (session?: Buffer) => {
        const socket = tls.connect({ ...options, ...(session && { session }) });
        const sessions: Buffer[] = [];
        socket.on('session', (each: Buffer) => sessions.push(each));
        let isReused = false;
        socket.once('secureConnect', () => {
          isReused = socket.isSessionReused();
        });
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        const answer = await text(socket).catch((error: NodeJS.ErrnoException) => `refused: ${error.code}`);
        return { answer, session: sessions.at(-1), isReused };
      };
      const first = await ask();
      expect(first.answer).to.include('hello alice');
      const resumed = await ask(first.session);
      expect(resumed.answer).to.include('hello alice');
      expect(resumed.isReused).to.equal(true);
      change(await settingsWith(names('prometheus')));
      for (const session of [first.session, resumed.session, undefined]) {
        expect((await ask(session)).answer).not.to.include('hello');
      }
      await refused({ maxVersion, ...identity('alice') });
      expect(await get({ maxVersion, ...identity('prometheus') })).to.equal('hello prometheus');
      expect(served).to.equal(3);
    });
  }

  it('shows a new certificate to new connections, and closes those that have seen the old one', async () => {
    await start();
    const serial = async () => {
      const socket = tls.connect({
        port: Number(new URL(server?.url ?? '').port),
        host: '127.0.0.1',
        ca: pem('authority.crt'),
      });
      await once(socket, 'secureConnect');
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await serial();
    await get({ agent });
    expect(Object.values(agent.freeSockets).flat()).to.have.length(1);
    change(await settingsWith('', 'renewed'));
    expect(await serial()).not.to.equal(before);
    await eventually(() => expect(Object.values(agent.freeSockets).flat()).to.have.length(0));
    expect(await get({ agent })).to.equal('hello stranger');
  });

  it('lets an answer under way finish when the certificate changes, and when the server closes', async () => {
    for (const end of [async () => change(await settingsWith('', 'renewed')), async () => server?.close()]) {
      await server?.close();
      await start();
      const gates = gate();
      hold = gates.opened;
      served = 0;
      const answer = get({ agent });
      await eventually(() => expect(served).to.equal(1));
      const ended = end();
      setTimeout(() => gates.open(), 50);
      expect(await answer).to.equal('hello stranger');
      await within(60_000, 'the end', ended);
      await eventually(() => expect(Object.values(agent.freeSockets).flat()).to.have.length(0));
    }
  });

  it('turns plain HTTP and noise away, and goes on', async () => {
    await start();
    const port = Number(new URL(server?.url ?? '').port);
    for (const bytes of ['GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01\x00\x05hello', '\0'.repeat(9_999)]) {
      const socket = connect(port, '127.0.0.1');
      socket.resume().write(bytes, 'latin1');
      await within(9_000, 'the connection to be closed', closed(socket));
    }
    expect(served).to.equal(0);
    expect(await get()).to.equal('hello stranger');
  });

  it('closes at once although somebody has begun a handshake', async () => {
    await start();
    const socket = connect(Number(new URL(server?.url ?? '').port), '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    await get();
    await within(6_000, 'the server to close', server?.close() ?? Promise.resolve());
  });
});
