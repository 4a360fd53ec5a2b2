import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MistakesError } from '../../../src/lib/usage-error.js';
import { CLIENT_AUTH_TYPES } from '../../../src/lib/web-config/config.js';
import { loadWebConfig } from '../../../src/lib/web-config/load.js';
import { CIPHER_SUITES, CURVES } from '../../../src/lib/web-config/tls-names.js';
import { requireTool } from '../../support/real-tools.js';
import { rejection } from '../../support/rejection.js';
import { createAuthority, createSigned } from '../../support/web-certificates.js';

/** Of "correct horse", with a cost of 4. */
const HASH = '$2b$04$abcdefghijklmnopqrstuuw5jHWnvZ0DKhKDkHmwTyoRYxJz9Qh4W';

describe('the web configuration', () => {
  let folder: string;
  const path = () => join(folder, 'web.yaml');
  const load = (text: string) => {
    writeFileSync(path(), text);
    return loadWebConfig(path());
  };
  /** The mistakes, with the folder taken away. */
  const mistakesOf = async (text: string): Promise<readonly string[]> => {
    const { mistakes } = await rejection(load(text), MistakesError);
    return mistakes.map((mistake) => mistake.replaceAll(`${folder}/`, ''));
  };

  before(function () {
    requireTool(this, 'openssl');
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-web-'));
    createAuthority(folder, 'authority');
    createSigned(folder, { name: 'server', authority: 'authority', subjectAltName: 'IP:127.0.0.1' });
    createSigned(folder, { name: 'other', authority: 'authority', subjectAltName: 'IP:127.0.0.1' });
    writeFileSync(join(folder, 'garbage.pem'), 'no PEM at all\n');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const TLS = 'tls_server_config: { cert_file: server.crt, key_file: server.key';

  describe('accepts', () => {
    it('an empty file, as plain HTTP for everybody', async () => {
      const { config } = await load('# nothing\n');
      expect(config.tls).to.equal(undefined);
      expect(config.rateLimit).to.equal(undefined);
      expect([config.headers.size, config.users.size]).to.deep.equal([0, 0]);
    });

    it('files relative to itself, and names all that it has read', async () => {
      const { config, files } = await load(
        `${TLS}, client_ca_file: ./authority.crt, client_auth_type: RequireAndVerifyClientCert }`,
      );
      expect(config.tls?.context).to.include({
        cert: readFileSync(join(folder, 'server.crt'), 'utf8'),
        key: readFileSync(join(folder, 'server.key'), 'utf8'),
        ca: readFileSync(join(folder, 'authority.crt'), 'utf8'),
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
        honorCipherOrder: true,
      });
      expect(files).to.deep.equal(
        ['web.yaml', 'server.crt', 'server.key', 'authority.crt'].map((name) => join(folder, name)),
      );
    });

    it('certificate and key within the file', async () => {
      const pem = (name: string) => readFileSync(join(folder, name), 'utf8').trim().replaceAll('\n', '\n    ');
      const { config } = await load(
        `tls_server_config:\n  cert: |\n    ${pem('server.crt')}\n  key: |\n    ${pem('server.key')}\n`,
      );
      expect(config.tls?.clientAuthType).to.equal('NoClientCert');
    });

    for (const type of CLIENT_AUTH_TYPES) {
      it(`client_auth_type ${type}`, async () => {
        const authority = type.includes('Verify') ? ', client_ca_file: authority.crt' : '';
        const { config } = await load(`${TLS}, client_auth_type: ${type}${authority} }`);
        expect(config.tls?.clientAuthType).to.equal(type);
      });
    }

    it('the older name of RequireAnyClientCert', async () => {
      const { config } = await load(`${TLS}, client_auth_type: RequireClientCert }`);
      expect(config.tls?.clientAuthType).to.equal('RequireAnyClientCert');
    });

    it('every cipher suite and every curve that it names', async () => {
      for (const name of Object.keys(CIPHER_SUITES)) await load(`${TLS}, cipher_suites: [${name}] }`);
      for (const name of Object.keys(CURVES)) await load(`${TLS}, curve_preferences: [${name}] }`);
      const { config } = await load(
        `${TLS}, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], curve_preferences: [X25519, CurveP256],` +
          ' prefer_server_cipher_suites: false, min_version: TLS13 }',
      );
      expect(config.tls?.context).to.include({
        ciphers:
          'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256',
        ecdhCurve: 'X25519:prime256v1',
        honorCipherOrder: false,
        minVersion: 'TLSv1.3',
      });
    });

    it('headers, users and a rate limit', async () => {
      const { config } = await load(
        [
          'http_server_config:',
          '  http2: false',
          '  headers: { X-Frame-Options: deny, Strict-Transport-Security: max-age=60, X-XSS-Protection: "" }',
          `basic_auth_users: { alice: ${HASH}, "": ${HASH}, __proto__: ${HASH} }`,
          'rate_limit: { interval: 1m0.5s, burst: 20 }',
        ].join('\n'),
      );
      expect([...config.headers]).to.deep.equal([
        ['X-Frame-Options', 'deny'],
        ['Strict-Transport-Security', 'max-age=60'],
        ['X-XSS-Protection', ''],
      ]);
      expect([...config.users.keys()]).to.deep.equal(['alice', '', '__proto__']);
      expect(config.rateLimit).to.deep.equal({ intervalMilliseconds: 60_500, burst: 20 });
    });

    for (const [interval, milliseconds] of [
      ['1s', 1000],
      ['250ms', 250],
      ['1h2m3s', 3_723_000],
      ['500us', 0.5],
      ['.5s', 500],
    ] as const) {
      it(`an interval of ${interval}`, async () => {
        const { config } = await load(`rate_limit: { interval: ${interval}, burst: 1 }`);
        expect(config.rateLimit?.intervalMilliseconds).to.equal(milliseconds);
      });
    }

    it('an interval of 0 as no limit', async () => {
      expect((await load('rate_limit: { interval: 0, burst: 0x1 }')).config.rateLimit).to.equal(undefined);
    });
  });

  describe('refuses', () => {
    const rows: readonly (readonly [what: string, text: string, ...mistakes: (string | RegExp)[]])[] = [
      ['text that is no mapping', 'true', 'web.yaml:1:1: expected a mapping, got no mapping.'],
      ['broken YAML', 'basic_auth_users: {', /^web\.yaml:1:20: invalid YAML: /],
      [
        'an unknown key, by name, with what was meant',
        'basic_auth_user: {}',
        'web.yaml:1:1: expected one of the keys `tls_server_config`, `http_server_config`, `basic_auth_users`, ' +
          '`rate_limit`, got `basic_auth_user`. Did you mean `basic_auth_users`?',
      ],
      [
        'an unknown key of a section',
        `${TLS},\n  client_ca_fil: x }`,
        /^web\.yaml:2:3: tls_server_config: expected one of the keys .*, got `client_ca_fil`\. Did you mean `client_ca_file`\?$/,
      ],
      [
        'a section for TLS without a certificate',
        'tls_server_config: { min_version: TLS12 }',
        'web.yaml:1:1: tls_server_config: expected `cert_file` (or `cert`), got none.',
        'web.yaml:1:1: tls_server_config: expected `key_file` (or `key`), got none.',
      ],
      [
        'a certificate without a value',
        'tls_server_config:\n  cert_file:\n  key_file: server.key',
        'web.yaml:1:1: tls_server_config: expected `cert_file` (or `cert`), got none.',
      ],
      [
        'a certificate twice',
        `${TLS}, cert: x }`,
        'web.yaml:1:73: tls_server_config: expected `cert` or `cert_file`, got both.',
      ],
      [
        'files that are not there',
        'tls_server_config:\n  cert_file: no.crt\n  key_file: no.key',
        'web.yaml:2:14: cannot read no.crt: no such file.',
        'web.yaml:3:13: cannot read no.key: no such file.',
      ],
      [
        'files that are no PEM',
        'tls_server_config:\n  cert_file: garbage.pem\n  key_file: garbage.pem\n' +
          '  client_ca_file: garbage.pem\n  client_auth_type: RequireAndVerifyClientCert',
        'web.yaml:2:14: expected a certificate in PEM, got something else.',
        'web.yaml:3:13: expected a private key in PEM, without a passphrase, got something else.',
        'web.yaml:4:19: expected certificates in PEM, got something else.',
      ],
      [
        'the key of another certificate',
        'tls_server_config:\n  cert_file: server.crt\n  key_file: other.key',
        'web.yaml:3:13: expected the key that belongs to the certificate, got another one.',
      ],
      [
        'clients that are verified by nobody in particular',
        `${TLS}, client_auth_type: RequireAndVerifyClientCert }`,
        /^web\.yaml:1:1: tls_server_config: expected `client_ca_file` beside .* public authority would be accepted\.$/,
      ],
      [
        'an authority of clients that are not asked',
        `${TLS}, client_ca_file: authority.crt }`,
        /^web\.yaml:1:1: .*got `NoClientCert`: clients would not be asked for a certificate\.$/,
      ],
      [
        'names of clients that nobody verifies',
        `${TLS}, client_auth_type: RequireAnyClientCert, client_allowed_sans: [a] }`,
        /^web\.yaml:1:\d+: .*got `RequireAnyClientCert`: names in an unverified certificate prove nothing\.$/,
      ],
      [
        'an unknown client_auth_type, without further conclusions',
        `${TLS}, client_ca_file: authority.crt, client_auth_type: Require }`,
        /expected one of `NoClientCert`, .*, got "Require"\.$/,
      ],
      ['an old version of TLS', `${TLS}, min_version: TLS10 }`, /expected one of `TLS12`, `TLS13`, got "TLS10"\.$/],
      [
        'versions the wrong way round',
        `${TLS}, min_version: TLS13, max_version: TLS12 }`,
        /expected at least `TLS13`, got `TLS12`\.$/,
      ],
      ['an invented cipher', `${TLS}, cipher_suites: [TLS_NULL] }`, /cipher_suites: expected .*, got "TLS_NULL"\.$/],
      ['an invented curve', `${TLS}, curve_preferences: [P1] }`, /curve_preferences: expected .*, got "P1"\.$/],
      [
        'HTTP/2',
        'http_server_config: { http2: true }',
        /http2: expected `http2: false` or no `http2` key, since this server uses HTTP\/1\.1, got true\.$/,
      ],
      [
        'other headers',
        'http_server_config: { headers: { Server: x } }',
        /^web\.yaml:1:34: http_server_config\.headers: expected one of the keys .*, got `Server`\.$/,
      ],
      [
        'other values of headers',
        'http_server_config: { headers: { X-Frame-Options: allow, X-Content-Type-Options: "" } }',
        /X-Frame-Options: expected one of `deny`, `sameorigin`, got "allow"\.$/,
        /X-Content-Type-Options: expected one of `nosniff`, got ""\.$/,
      ],
      [
        'a header of two lines',
        'http_server_config: { headers: { Content-Security-Policy: "a\\r\\nSet-Cookie: b" } }',
        /Content-Security-Policy: expected a valid header value/,
      ],
      [
        'users in a list',
        'basic_auth_users: [alice]',
        /expected a mapping from user names to bcrypt hashes, got a list\.$/,
      ],
      [
        'a forgotten space, without showing the hash',
        `basic_auth_users:\n  alice:${HASH}`,
        'web.yaml:2:3: basic_auth_users: expected a mapping from user names to bcrypt hashes, got no mapping.',
      ],
      [
        'passwords that are not hashed, too cheap, too dear or absent, without showing them',
        `basic_auth_users:\n  a: hunter2\n  b: ${HASH.replace('$04', '$03')}\n  c: ${HASH.replace('$04', '$17')}\n  d:\n  e: 12345678`,
        ...['a', 'b', 'c', 'd', 'e'].map(
          (user, index) =>
            new RegExp(
              `^web\\.yaml:${index + 2}:\\d+: basic_auth_users\\.${user}: expected a bcrypt hash .*, got something else\\.$`,
            ),
        ),
      ],
      [
        'a user that nobody can log in as',
        `basic_auth_users: { "a:b": ${HASH} }`,
        'web.yaml:1:28: basic_auth_users: expected user names without a colon, got "a:b".',
      ],
      ['a user twice', `basic_auth_users:\n  a: ${HASH}\n  a: ${HASH}`, /invalid YAML: Map keys must be unique\.$/],
      ...['1', '1x', '25h', '-1s', '""', '1 s'].map(
        (interval) =>
          [
            `an interval of ${interval}`,
            `rate_limit: { interval: ${interval}, burst: 1 }`,
            /rate_limit\.interval: expected a duration with its unit/,
          ] as const,
      ),
      [
        'a limit that lets nothing pass',
        'rate_limit: { interval: 1s }',
        /expected `burst` beside `interval`, got none/,
      ],
      ['a burst of nothing', 'rate_limit: { interval: 1s, burst: 0 }', /burst: expected a whole number .*, got 0\.$/],
    ];
    for (const [what, text, ...expected] of rows) {
      it(what, async () => {
        const mistakes = await mistakesOf(text);
        const shown = mistakes.join('\n');
        expect(mistakes, shown).to.have.length(Math.max(expected.length, 1));
        for (const [index, mistake] of expected.entries()) {
          if (typeof mistake === 'string') expect(mistakes[index]).to.equal(mistake);
          else expect(mistakes[index]).to.match(mistake);
        }
        for (const secret of [HASH.slice(7), 'hunter2', '12345678', 'PRIVATE KEY']) {
          expect(shown).not.to.include(secret);
        }
      });
    }

    it('all at once, in the order of the file', async () => {
      const mistakes = await mistakesOf(
        'rate_limit: { interval: never, burst: 1 }\nbasic_auth_users: { a: b }\n' +
          'tls_server_config: { cert_file: no.crt, key_file: server.key }\nwhat: 1\n',
      );
      expect(mistakes.map((mistake) => Number(mistake.split(':')[1]))).to.deep.equal([1, 2, 3, 4]);
    });

    it('a file that is not there', async () => {
      const error = await rejection(loadWebConfig('no-such-file.yaml'), MistakesError);
      expect(error).to.have.property(
        'message',
        '1 mistake in the web configuration no-such-file.yaml:\n' +
          '  WEB_CONFIG_FILE: cannot read no-such-file.yaml: no such file. ' +
          'Example: WEB_CONFIG_FILE="/etc/detector/web-config.yaml"',
      );
    });
  });
});
