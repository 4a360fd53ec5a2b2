import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MistakesError } from '../../../src/lib/usage-error.js';
import type { TlsSettings } from '../../../src/lib/web-config/config.js';
import { liveWebConfig, openWebConfig } from '../../../src/lib/web-config/live-config.js';
import { requireTool } from '../../support/real-tools.js';
import { type RecordingLogger, recordingLogger } from '../../support/recording-logger.js';
import { rejection } from '../../support/rejection.js';
import { eventually } from '../../support/waiting.js';
import { createAuthority, createSigned } from '../../support/web-certificates.js';

const HASH = '$2b$04$abcdefghijklmnopqrstuuw5jHWnvZ0DKhKDkHmwTyoRYxJz9Qh4W';

describe('liveWebConfig', () => {
  let certificates: string;
  let folder: string;
  let logger: RecordingLogger;
  let nowMilliseconds: number;
  const at = (name: string) => join(folder, name);
  const write = (text: string) => writeFileSync(at('web.yaml'), text);
  const use = (name: string) => {
    for (const kind of ['crt', 'key']) copyFileSync(join(certificates, `${name}.${kind}`), at(`used.${kind}`));
  };
  const open = () => liveWebConfig(at('web.yaml'), { logger, now: () => nowMilliseconds });
  const warnings = () => logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);

  const TLS = 'tls_server_config: { cert_file: used.crt, key_file: used.key';

  before(function () {
    requireTool(this, 'openssl');
    certificates = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-web-'));
    createAuthority(certificates, 'authority');
    for (const name of ['first', 'second']) {
      createSigned(certificates, { name, authority: 'authority', subjectAltName: `DNS:${name}` });
    }
  });
  after(() => rmSync(certificates, { recursive: true, force: true }));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-web-'));
    logger = recordingLogger();
    nowMilliseconds = 1_000_000;
    use('first');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is nothing without a file', async () => {
    const source = await openWebConfig('', { logger, now: () => 0 });
    expect(source.current).to.include({ tls: undefined, rateLimit: undefined });
    expect(source.state).to.equal(undefined);
    source.close();
  });

  it('does not begin with a file that is wrong', async () => {
    write('nonsense: 1');
    await rejection(open(), MistakesError);
  });

  it('reads nothing again while nothing changes', async () => {
    write(`${TLS} }`);
    const live = await open();
    const before = live.current;
    nowMilliseconds = 2_000_000;
    await live.refresh();
    expect(live.current).to.equal(before);
    expect(live.state).to.deep.equal({ successful: true, lastSuccessSeconds: 1_000 });
    expect(logger.lines).to.deep.equal([]);
  });

  it('takes over new users, in a file that was replaced', async () => {
    write('basic_auth_users: {}');
    const live = await open();
    writeFileSync(at('new.yaml'), `basic_auth_users: { alice: ${HASH} }`);
    renameSync(at('new.yaml'), at('web.yaml'));
    nowMilliseconds = 2_000_000;
    await live.refresh();
    expect([...live.current.users]).to.deep.equal([['alice', HASH]]);
    expect(live.state).to.deep.equal({ successful: true, lastSuccessSeconds: 2_000 });
    expect(logger.lines.map(({ level }) => level)).to.deep.equal(['info', 'warn']);
  });

  it('warns of passwords without TLS, at the start and once for each change, and not with TLS', async () => {
    write(`basic_auth_users: { alice: ${HASH} }`);
    const live = await open();
    expect(warnings()).to.have.length(1);
    expect(warnings()[0]).to.include('basic_auth_users without tls_server_config');
    await live.refresh();
    expect(warnings()).to.have.length(1);
    logger.lines.length = 0;
    write(`${TLS} }\nbasic_auth_users: { alice: ${HASH} }`);
    await open();
    expect(logger.lines).to.deep.equal([]);
  });

  for (const [what, half] of [
    ['empty', ''],
    ['without its users', `${TLS} }\n`],
    ['with no users', `${TLS} }\nbasic_auth_users: {}`],
  ] as const) {
    it(`lets nobody in for a file that is ${what} for a moment`, async () => {
      const text = `${TLS} }\nbasic_auth_users: { alice: ${HASH} }`;
      write(text);
      const live = await open();
      write(half);
      await live.refresh();
      expect([...live.current.users.keys()]).to.deep.equal(['alice']);
      expect(live.state.successful).to.equal(false);
      expect(warnings().join()).to.include('turning the log-in off takes effect at a restart only');
      write(text);
      await live.refresh();
      expect(live.state.successful).to.equal(true);
    });
  }

  it('takes over a new certificate, although the file that names it stays as it is', async () => {
    write(`${TLS} }`);
    const live = await open();
    const told: TlsSettings[] = [];
    live.onTls((tls) => told.push(tls));
    use('second');
    await live.refresh();
    expect(told).to.have.length(1);
    expect(told[0]?.context).to.equal(live.current.tls?.context);
    await live.refresh();
    expect(told).to.have.length(1);
  });

  it('keeps the old one beside a broken one, says so once, and recovers', async () => {
    write(`${TLS} }`);
    const live = await open();
    const before = live.current;
    copyFileSync(join(certificates, 'second.crt'), at('used.crt'));
    nowMilliseconds = 2_000_000;
    for (let second = 0; second < 3; second++) await live.refresh();
    expect(live.current).to.equal(before);
    expect(live.state).to.deep.equal({ successful: false, lastSuccessSeconds: 1_000 });
    expect(warnings()).to.have.length(1);
    expect(warnings()[0])
      .to.include('the previous one stays active')
      .and.to.include('expected the key that belongs to the certificate');

    rmSync(at('used.crt'));
    await live.refresh();
    expect(warnings()).to.have.length(2);

    use('second');
    await live.refresh();
    expect(live.state).to.deep.equal({ successful: true, lastSuccessSeconds: 2_000 });
    expect(live.current).not.to.equal(before);

    rmSync(at('web.yaml'));
    await live.refresh();
    expect(live.state.successful).to.equal(false);
    expect(warnings()).to.have.length(3);
    expect(JSON.stringify(logger.lines)).not.to.include('PRIVATE KEY').and.not.to.include(HASH.slice(7));
  });

  it('comes back when a link leads to the old file again', async () => {
    const link = (target: string) => {
      symlinkSync(target, at('new'));
      renameSync(at('new'), at('web.yaml'));
    };
    writeFileSync(at('good.yaml'), `basic_auth_users: { alice: ${HASH} }`);
    writeFileSync(at('bad.yaml'), 'nonsense: 1');
    link('good.yaml');
    const live = await open();
    link('bad.yaml');
    await live.refresh();
    expect(live.state.successful).to.equal(false);
    link('good.yaml');
    await live.refresh();
    expect(live.state.successful).to.equal(true);
  });

  describe('for a file that is cut off', () => {
    const SECTIONS = {
      users: `basic_auth_users:\n  alice: ${HASH}\n  bob: ${HASH}\n`,
      limit: 'rate_limit:\n  interval: 1m30s\n  burst: 20\n',
      headers: 'http_server_config:\n  headers:\n    X-Frame-Options: deny\n',
      tls: (isInline = false) => {
        const path = join(certificates, 'authority.crt');
        const authority = readFileSync(path, 'utf8').trim().replaceAll('\n', '\n    ');
        const clientCa = isInline ? `client_ca: |\n    ${authority}\n    ${authority}` : `client_ca_file: ${path}`;
        return (
          'tls_server_config:\n  cert_file: used.crt\n  key_file: used.key\n  min_version: TLS13\n' +
          `  client_auth_type: RequireAndVerifyClientCert\n  ${clientCa}\n` +
          '  client_allowed_sans:\n    - prometheus.example.com\n    - backup.example.com\n'
        );
      },
    };
    const { users, limit, headers, tls } = SECTIONS;
    for (const [order, textOf] of [
      ['with client names at its end', () => `${users}${limit}${headers}${tls(true)}`],
      ['with users at its end', () => `${tls()}${limit}${headers}${users}`],
      ['with the rate limit at its end', () => `${tls()}${users}${headers}${limit}`],
      ['without a line break at its end', () => `${users}${limit}${headers}${tls()}`.trimEnd()],
      ['in one line', () => `{ basic_auth_users: { alice: ${HASH} }, rate_limit: { burst: 20, interval: 1m30s } }\n`],
    ] as const) {
      it(`${order}, never gives wider access, wherever it ends`, async () => {
        const text = textOf();
        write(text);
        const live = await open();
        const before = live.current;
        for (let length = 0; length < text.length; length++) {
          write(text.slice(0, length));
          await live.refresh();
          const { users: known, tls: secured, rateLimit, headers: sent } = live.current;
          const at = `${length}: ${text.slice(0, length).slice(-30)}`;
          expect(known.size, at).to.be.above(0);
          for (const [user, hash] of known) expect(before.users.get(user), at).to.equal(hash);
          expect(rateLimit, at).to.deep.equal(before.rateLimit);
          expect([...sent], at).to.deep.equal([...before.headers]);
          expect(secured?.clientAuthType, at).to.equal(before.tls?.clientAuthType);
          expect(secured?.context.minVersion, at).to.equal(before.tls?.context.minVersion);
          expect(before.tls?.context.ca ?? '', at).to.include(secured?.context.ca ?? '');
          expect(secured?.context.ca === undefined, at).to.equal(before.tls === undefined);
          expect(secured?.clientAllowedSans === undefined, at).to.equal(before.tls === undefined);
          for (const name of secured?.clientAllowedSans ?? [])
            expect(before.tls?.clientAllowedSans, at).to.include(name);
          if (live.current === before) continue;
          write(text);
          await live.refresh();
          expect([...live.current.users.keys()], at).to.deep.equal([...before.users.keys()]);
        }
        write(text);
        await live.refresh();
        expect(live.state.successful).to.equal(true);
      }).timeout(240_000);
    }

    it('lets users be removed, and any key be changed', async () => {
      write(`${users}${limit}`);
      const live = await open();
      write(`basic_auth_users:\n  bob: ${HASH}\nrate_limit:\n  interval: 5s\n  burst: 7\n`);
      await live.refresh();
      expect([...live.current.users.keys()]).to.deep.equal(['bob']);
      expect(live.current.rateLimit).to.deep.equal({ intervalMilliseconds: 5000, burst: 7 });
    });

    for (const [what, without] of [
      ['the rate limit', users],
      ['the rate limit by 0', `${users}rate_limit: { interval: 0 }\n`],
      ['a header', `${users}${limit}http_server_config:\n  headers: {}\n`],
    ] as const) {
      it(`says that to remove ${what} takes a restart`, async () => {
        write(`${users}${limit}${headers}`);
        const live = await open();
        write(without);
        await live.refresh();
        expect(live.current.rateLimit).not.to.equal(undefined);
        expect(live.current.headers.size).to.equal(1);
        expect(warnings().at(-1)).to.include('at a restart only');
      });
    }

    it('keeps the authorities and the chain whose file is cut within a certificate', async () => {
      const authority = readFileSync(join(certificates, 'authority.crt'), 'utf8');
      const both = authority + authority;
      writeFileSync(at('ca.crt'), both);
      write(`${TLS}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt }\n`);
      const live = await open();
      for (const length of [0, 10, authority.length + 40, both.length - 30, both.length - 10]) {
        writeFileSync(at('ca.crt'), both.slice(0, length));
        await live.refresh();
        expect(live.current.tls?.context.ca, String(length)).to.equal(both);
        expect(live.state.successful).to.equal(false);
      }
    });
  });

  it('warns at the start of a file without content, which opens the port', async () => {
    write('# nothing yet\n');
    await open();
    expect(warnings().join()).to.include('The web configuration is empty');
  });

  for (const [what, from, to] of [
    ['TLS off', `${TLS} }`, 'basic_auth_users: {}'],
    ['TLS on', 'basic_auth_users: {}', `${TLS} }`],
    ['another client_auth_type', `${TLS} }`, `${TLS}, client_auth_type: RequireAnyClientCert }`],
  ] as const) {
    it(`does not turn ${what} while it runs, and says that it takes a restart`, async () => {
      write(from);
      const live = await open();
      const before = live.current;
      write(to);
      await live.refresh();
      expect(live.current).to.equal(before);
      expect(live.state.successful).to.equal(false);
      expect(warnings().join()).to.include('at a restart only');
    });
  }

  it('looks for itself every second, until it is closed', async () => {
    write('basic_auth_users: {}');
    const source = await openWebConfig(at('web.yaml'), { logger, now: () => nowMilliseconds });
    try {
      write(`basic_auth_users: { alice: ${HASH} }`);
      await eventually(() => expect(source.current.users.size).to.equal(1));
    } finally {
      source.close();
    }
  });
});
