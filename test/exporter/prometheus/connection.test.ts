import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import * as http from 'node:http';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PrometheusClient } from '../../../src/exporter/prometheus/client.js';
import type { PrometheusConnection } from '../../../src/exporter/prometheus/connection.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { ServerTexts } from '../../../src/exporter/prometheus/server-texts.js';
import { createCertificates, type TestCertificates } from '../../support/certificates.js';
import { connectionTo } from '../../support/connection-to.js';
import { startForwardProxy } from '../../support/forward-proxy.js';
import { closeServers, listenForTest, readBody, startServer, startTlsServer } from '../../support/http-server.js';
import { rejection } from '../../support/rejection.js';

const VECTOR = JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [] } });

type Parts = Parameters<typeof connectionTo>[1];

const fixed = (text: string) => ({ text, file: undefined });

describe('a Prometheus connection', () => {
  let certificates: TestCertificates;
  let directory: string;
  let warnings: string[];
  /** What the server saw of the last request. */
  let seen: { request: IncomingMessage; body: string };

  before(async () => {
    certificates = await createCertificates();
  });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-connection-'));
    warnings = [];
  });

  afterEach(async () => {
    await closeServers();
    rmSync(directory, { recursive: true });
  });

  const listener: RequestListener = async (request, response) => {
    seen = { request, body: await readBody(request) };
    response.end(VECTOR);
  };
  const clientOf = (connection: PrometheusConnection) =>
    new PrometheusClient(connection, { onWarning: (sentence) => warnings.push(sentence) });
  const ask = (client: ReturnType<typeof clientOf>) =>
    client.query({ query: 'up{job="a"}', timeSeconds: 60, signal: AbortSignal.timeout(25_000) });
  const askOnce = (url: string, parts: Parts = {}) => ask(clientOf(connectionTo(url, parts)));
  const failureOf = (url: string, parts: Parts = {}) => rejection(askOnce(url, parts), PrometheusError);
  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return { text: text.trim(), file: path };
  };

  it('can be sent to another thread', () => {
    const connection = connectionTo('http://h', {
      headers: { A: '1' },
      authentication: { kind: 'bearer', token: { text: 'x', file: '/x' } },
    });
    expect(structuredClone(connection)).to.deep.equal(connection);
  });

  describe('sends', () => {
    it('headers and parameters with every request: the parameters in the URL, the query in the body', async () => {
      await askOnce(await startServer(listener), {
        headers: { 'X-Scope-OrgID': 'shop' },
        queryParameters: [
          ['extra[]', 'a=1'],
          ['extra[]', 'b & c'],
        ],
      });
      expect(seen.request.headers['x-scope-orgid']).to.equal('shop');
      expect(seen.request.url).to.equal('/api/v1/query?extra%5B%5D=a%3D1&extra%5B%5D=b+%26+c');
      expect(seen.body).to.equal('query=up%7Bjob%3D%22a%22%7D&time=60.000');
    });

    it('everything in the URL with GET', async () => {
      await askOnce(await startServer(listener), { method: 'GET', queryParameters: [['dedup', 'true']] });
      expect(seen.request.method).to.equal('GET');
      expect(seen.request.url).to.equal('/api/v1/query?dedup=true&query=up%7Bjob%3D%22a%22%7D&time=60.000');
      expect(seen.body).to.equal('');
      expect(seen.request.headers).not.to.have.property('content-type');
    });

    it('user and password, or a token', async () => {
      const url = await startServer(listener);
      await askOnce(url, {
        authentication: { kind: 'basic', username: 'wätcher', password: fixed('p:ß') },
      });
      expect(seen.request.headers.authorization).to.equal(`Basic ${Buffer.from('wätcher:p:ß').toString('base64')}`);
      await askOnce(url, { authentication: { kind: 'bearer', token: fixed('abc.def') } });
      expect(seen.request.headers.authorization).to.equal('Bearer abc.def');
    });
  });

  describe('reads again what stands in a file', () => {
    const tokens = (text: string) => ({ kind: 'bearer', token: file('token', text) }) as const;
    const sentToken = () => seen.request.headers.authorization;

    it('when it is written anew, even within the same second', async () => {
      const client = clientOf(connectionTo(await startServer(listener), { authentication: tokens('one\n') }));
      await ask(client);
      expect(sentToken()).to.equal('Bearer one');
      file('token', 'two\n');
      await ask(client);
      expect(sentToken()).to.equal('Bearer two');
      expect(warnings).to.deep.equal([]);
    });

    it('when the link to it is turned, as Kubernetes does', async () => {
      file('..1', 'one');
      file('..2', 'two');
      const link = join(directory, 'token');
      symlinkSync('..1', link);
      const client = clientOf(
        connectionTo(await startServer(listener), {
          authentication: { kind: 'basic', username: 'u', password: { text: 'one', file: link } },
        }),
      );
      const password = () => Buffer.from(sentToken()?.split(' ')[1] ?? '', 'base64').toString();
      await ask(client);
      expect(password()).to.equal('u:one');
      symlinkSync('..2', `${link}.new`);
      renameSync(`${link}.new`, link);
      await ask(client);
      expect(password()).to.equal('u:two');
    });

    it('and keeps the last good one, with one warning, while it is gone or unfit', async () => {
      const client = clientOf(connectionTo(await startServer(listener), { authentication: tokens('one') }));
      const path = join(directory, 'token');
      unlinkSync(path);
      await ask(client);
      await ask(client);
      expect(sentToken()).to.equal('Bearer one');
      expect(warnings).to.have.lengthOf(1);
      expect(warnings[0]).to.equal(`Cannot read ${path}: no such file. Keeping the previous value.`);
      file('token', 'not one word, hunter2');
      await ask(client);
      await ask(client);
      expect(sentToken()).to.equal('Bearer one');
      expect(warnings).to.have.lengthOf(2);
      expect(warnings[1]).to.include('expected one word').and.not.to.include('hunter2');
      file('token', 'three');
      await ask(client);
      expect(sentToken()).to.equal('Bearer three');
      expect(warnings).to.have.lengthOf(2);
    });

    it('and keeps the authorities whose file is cut off, wherever', async () => {
      const { authority, otherAuthority, valid } = certificates;
      const both = `${otherAuthority.cert.trim()}\n${authority.cert.trim()}\n`;
      const url = await startTlsServer(valid, listener);
      const client = clientOf(connectionTo(url, { tls: { ca: file('ca.crt', both) } }));
      for (const cut of [0, 5, both.length / 2 + 100, both.length - 40, both.length - 5]) {
        file('ca.crt', both.slice(0, cut));
        await ask(client);
      }
      expect(warnings).not.to.be.empty;
    });

    it('and hides the new secret as it hid the old one', async () => {
      const url = await startServer((request, response) => {
        response.writeHead(403).end(`no: ${request.headers.authorization}`);
      });
      const client = clientOf(connectionTo(url, { authentication: tokens('first-token') }));
      await rejection(ask(client), PrometheusError);
      file('token', 'second-token');
      const error = await rejection(ask(client), PrometheusError);
      expect(error.message).to.include('no: Bearer [redacted]').and.not.to.include('second-token');
    });

    it('also certificates and keys, the two of a pair only together', async () => {
      const { authority, otherAuthority, valid, selfSigned } = certificates;
      const url = await startTlsServer(
        { ...valid, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
        listener,
      );
      const client = clientOf(
        connectionTo(url, {
          tls: {
            ca: file('ca.crt', otherAuthority.cert),
            cert: file('tls.crt', selfSigned.cert),
            key: file('tls.key', selfSigned.key),
          },
        }),
      );
      expect((await rejection(ask(client), PrometheusError)).message).to.include('PROMETHEUS_CA_FILE');
      file('ca.crt', authority.cert);
      expect((await rejection(ask(client), PrometheusError)).message).to.include('PROMETHEUS_CERT_FILE');
      file('tls.crt', valid.cert);
      await rejection(ask(client), PrometheusError);
      expect(warnings).to.have.lengthOf(1);
      expect(warnings[0]).to.include('tls.crt').and.to.include('key values mismatch');
      file('tls.key', valid.key);
      await ask(client);
      expect(warnings).to.have.lengthOf(1);
    });
  });

  describe('by TLS', () => {
    const ca = () => fixed(certificates.authority.cert);
    const pair = () => ({ cert: fixed(certificates.valid.cert), key: fixed(certificates.valid.key) });

    it('checks the name that it is given instead of the host', async () => {
      const url = await startTlsServer(certificates.otherName, listener);
      await askOnce(url, { tls: { ca: ca(), serverName: 'other.example.org' } });
      const error = await failureOf(url, { tls: { ca: ca(), serverName: 'third.example.org' } });
      expect(error.kind).to.equal('tls');
    });

    it('accepts any certificate only when told to', async () => {
      for (const name of ['expired', 'otherName', 'selfSigned', 'otherAuthority'] as const) {
        const url = await startTlsServer(certificates[name], listener);
        await askOnce(url, { tls: { insecureSkipVerify: true } });
        expect((await failureOf(url)).kind).to.equal('tls');
      }
    });

    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`shows its certificate where it is asked for one, and says what is missing otherwise (${maxVersion})`, async () => {
        const url = await startTlsServer(
          {
            ...certificates.valid,
            ca: certificates.authority.cert,
            requestCert: true,
            rejectUnauthorized: true,
            maxVersion,
          },
          listener,
        );
        await askOnce(url, { tls: { ca: ca(), ...pair() } });
        const missing = await failureOf(url, { tls: { ca: ca() } });
        expect(missing.message).to.include('PROMETHEUS_CERT_FILE');
        expect(missing.kind).to.equal('tls');
        const { selfSigned } = certificates;
        const unknown = { cert: fixed(selfSigned.cert), key: fixed(selfSigned.key) };
        expect((await failureOf(url, { tls: { ca: ca(), ...unknown } })).message).to.match(
          /PROMETHEUS_CERT_FILE|log of the server/,
        );
      });
    }

    it('says what nginx says without a certificate', async () => {
      const url = await startServer((_request, response) => {
        response.writeHead(400).end('<html><title>400 No required SSL certificate was sent</title></html>');
      });
      const error = await failureOf(url);
      expect(error.kind).to.equal('tls');
      expect(error.message).to.include('PROMETHEUS_CERT_FILE');
    });
  });

  describe('keeps its secrets', () => {
    const SECRETS = {
      // Its base64 has both characters that differ in a URL.
      password: 'pä>>>???:rd/&%" hunter2',
      token: 'eyJ0b2tlbi1odW50ZXIy',
      header: 'tenant-hunter2, and+more',
      parameter: 'key=hunter2&?',
      proxy: 'pr:xy hunter2',
    };
    const secretParts = (kind: 'basic' | 'bearer'): Parts => ({
      headers: { 'X-API-Key': SECRETS.header, 'X-Scope-OrgID': '1' },
      queryParameters: [
        ['api_key', SECRETS.parameter],
        ['dedup', 'true'],
      ],
      authentication:
        kind === 'basic'
          ? { kind, username: 'watcher', password: fixed(SECRETS.password) }
          : { kind, token: fixed(SECRETS.token) },
    });

    it('where a server redirects to another one: that one hears nothing', async () => {
      let reached = 0;
      const other = await startServer((_request, response) => {
        reached++;
        response.end(VECTOR);
      });
      for (const status of [301, 302, 303, 307, 308]) {
        for (const kind of ['basic', 'bearer'] as const) {
          for (const method of ['GET', 'POST'] as const) {
            const url = await startServer((request, response) => {
              response.writeHead(status, { location: other + request.url }).end();
            });
            const error = await failureOf(url, { ...secretParts(kind), method });
            expect(error.kind).to.equal('redirect');
            expect(error.message).to.include(`PROMETHEUS_URL redirects to ${other}`);
            expect(error.message).not.to.include('hunter2');
          }
        }
      }
      expect(reached).to.equal(0);
    });

    const encodings: readonly (readonly [name: string, encode: (text: string) => string])[] = [
      ['as they are', (text) => text],
      ['for a URL', encodeURIComponent],
      [
        'for a URL in lower case',
        (text) => encodeURIComponent(text).replaceAll(/%\w\w/g, (code) => code.toLowerCase()),
      ],
      ['for a form', (text) => new URLSearchParams({ '': text }).toString().slice(1)],
      ['in JSON', (text) => JSON.stringify(text).slice(1, -1)],
      ['in base64', (text) => Buffer.from(text).toString('base64')],
      ['in base64 for a URL', (text) => Buffer.from(text).toString('base64url')],
    ];
    it('have encodings that differ', () => {
      const all = encodings.map(([, encode]) => encode(SECRETS.password));
      expect(new Set(all).size).to.equal(all.length);
    });

    for (const [name, encode] of encodings) {
      it(`where a server repeats them ${name}`, async () => {
        const secrets = [SECRETS.password, SECRETS.header, SECRETS.parameter, `watcher:${SECRETS.password}`];
        const url = await startServer((_request, response) => {
          response.writeHead(500).end(secrets.map(encode).join(' '));
        });
        const { message } = await failureOf(url, secretParts('basic'));
        expect(message.split('[redacted]')).to.have.lengthOf(1 + secrets.length);
        expect(message).not.to.include('hunter2');
        for (const secret of secrets) expect(message).not.to.include(encode(secret));
      });
    }

    it('where a server repeats all that it was sent', async () => {
      const url = await startServer(async (request, response) => {
        const body = await readBody(request);
        response.writeHead(500).end(`${request.url} ${JSON.stringify(request.headers)} ${body}`);
      });
      for (const kind of ['basic', 'bearer'] as const) {
        const { message } = await failureOf(url, secretParts(kind));
        expect(message).to.include('[redacted]').and.to.include('dedup=true');
        expect(message).not.to.include('hunter2').and.not.to.include(SECRETS.token);
        expect(message).not.to.include(encodeURIComponent(SECRETS.parameter));
      }
    });

    it('in warnings beside an answer', async () => {
      const warnings = [`store ${SECRETS.token} is down`];
      const url = await startServer((_request, response) => {
        response.end(JSON.stringify({ ...JSON.parse(VECTOR), warnings }));
      });
      const result = await askOnce(url, secretParts('bearer'));
      expect(result.warnings).to.deep.equal(['store [redacted] is down']);
    });

    it('nor what a terminal would obey', () => {
      expect(new ServerTexts([]).quote('a\u001b[2J\u202eb\r\nc', Infinity)).to.equal('a\\u{1b}[2J\\u{202e}b c');
    });

    it('where one is cut off at the end of what is looked at', () => {
      const { token } = SECRETS;
      for (let padding = 9_960; padding <= 10_030; padding++) {
        const text = 'x'.repeat(padding) + token + token;
        expect(new ServerTexts([token]).quote(text, Infinity)).not.to.include(token.slice(0, 8));
      }
    });
  });

  it('reaches a server at an IPv6 address', async () => {
    for (const [protocol, server] of [
      ['http', http.createServer(listener)],
      ['https', https.createServer({ ...certificates.valid }, listener)],
    ] as const) {
      const port = await listenForTest(server, '::1');
      await askOnce(`${protocol}://[::1]:${port}`, { tls: { insecureSkipVerify: true } });
    }
  });

  describe('through a proxy', () => {
    it('asks an http:// server with the whole URL, and logs in', async () => {
      const url = await startServer(listener);
      const proxy = await startForwardProxy('Basic dXNlcjpwYTpzcw==');
      await askOnce(url, { proxyUrl: proxy.url.replace('//', '//user:pa%3Ass@') });
      expect(proxy.requests).to.deep.equal([`POST ${url}/api/v1/query`]);
      expect(seen.request.headers).not.to.have.property('proxy-authorization');
    });

    it('asks an https:// server through a tunnel, and checks its certificate', async () => {
      const url = await startTlsServer(
        {
          ...certificates.valid,
          ca: certificates.authority.cert,
          requestCert: true,
          rejectUnauthorized: true,
        },
        listener,
      );
      const proxy = await startForwardProxy();
      const { authority, valid } = certificates;
      const tls = { ca: fixed(authority.cert), cert: fixed(valid.cert), key: fixed(valid.key) };
      await askOnce(url, { proxyUrl: proxy.url, tls, headers: { 'X-API-Key': 'hidden' } });
      expect(proxy.requests).to.deep.equal([`CONNECT ${new URL(url).host}`]);
      expect(seen.request.headers['x-api-key']).to.equal('hidden');
      expect((await failureOf(url, { proxyUrl: proxy.url })).message).to.include('PROMETHEUS_CA_FILE');
      // The address of the server must be in it, although it is not sent as a name.
      const other = await startTlsServer(certificates.otherName, listener);
      const { message } = await failureOf(other, { proxyUrl: proxy.url, tls: { ca: fixed(authority.cert) } });
      expect(message).to.include('ERR_TLS_CERT_ALTNAME_INVALID').and.to.include('127.0.0.1');
    });

    it('that has an IPv6 address, to an http:// and to an https:// server', async () => {
      const proxy = await startForwardProxy('Basic dXNlcjpwYXNz', '::1');
      const proxyUrl = proxy.url.replace('//', '//user:pass@');
      expect(proxyUrl).to.match(/@\[::1\]:\d+$/);
      const plain = await startServer(listener);
      await askOnce(plain, { proxyUrl });
      const secure = await startTlsServer(certificates.valid, listener);
      await askOnce(secure, { proxyUrl, tls: { ca: fixed(certificates.authority.cert) } });
      expect(proxy.requests).to.deep.equal([`POST ${plain}/api/v1/query`, `CONNECT ${new URL(secure).host}`]);
    });

    it('says that the proxy is not reached, where it has an IPv6 address as well', async () => {
      const error = await failureOf('http://prometheus.invalid', { proxyUrl: 'http://[::1]:1' });
      expect(error.kind).to.equal('refused');
      expect(error.message).to.include('through the proxy http://[::1]:1').and.to.include('PROMETHEUS_PROXY_URL');
    });

    it('says that the proxy wants another login, without a password', async () => {
      const proxy = await startForwardProxy('Basic other');
      const proxyUrl = proxy.url.replace('//', '//user:hunter2@');
      for (const url of [await startServer(listener), await startTlsServer(certificates.valid, listener)]) {
        const error = await failureOf(url, { proxyUrl });
        expect(error.message).to.include('407').and.to.include('PROMETHEUS_PROXY_URL');
        expect(error.message).not.to.include('hunter2');
      }
    });

    it('says that the proxy is not there, and not that Prometheus is not', async () => {
      const error = await failureOf('http://prometheus.invalid', {
        proxyUrl: 'http://user:hunter2@127.0.0.1:1',
      });
      expect(error.kind).to.equal('refused');
      expect(error.message)
        .to.include('from http://prometheus.invalid/api/v1/query through the proxy http://127.0.0.1:1')
        .and.to.include('PROMETHEUS_PROXY_URL');
      expect(error.message).not.to.include('hunter2');
    });
  });

  it('puts the cause first and shortens the query where no answer came', async () => {
    const client = clientOf(connectionTo('http://127.0.0.1:1'));
    const query = `sum by (namespace, pod) (${'x'.repeat(200)})`;
    const error = await rejection(
      client.query({ query, timeSeconds: 60, signal: AbortSignal.timeout(25_000) }),
      PrometheusError,
    );
    expect(error.message).to.match(/^Got no answer \(connect ECONNREFUSED 127\.0\.0\.1:1\) from /);
    expect(error.message).to.match(/The query was `sum by .{30,60}…`\.$/);
  });
});
