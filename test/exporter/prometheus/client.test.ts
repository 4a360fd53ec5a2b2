import type { RequestListener, ServerResponse } from 'node:http';
import * as http2 from 'node:http2';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { AnswerReader } from '../../../src/exporter/prometheus/answer/answer-reader.js';
import { isPartial, type PrometheusApi } from '../../../src/exporter/prometheus/api.js';
import { PrometheusClient } from '../../../src/exporter/prometheus/client.js';
import { PrometheusError, type PrometheusErrorKind } from '../../../src/exporter/prometheus/errors.js';
import { createCertificates, type TestCertificates } from '../../support/certificates.js';
import { connectionTo } from '../../support/connection-to.js';
import { startForwardProxy } from '../../support/forward-proxy.js';
import {
  closeServers,
  freeAddress,
  listenForTest,
  readBody,
  startRawServer,
  startServer,
  startTlsServer,
} from '../../support/http-server.js';
import { rejection } from '../../support/rejection.js';
import { startUnreachable } from '../../support/unreachable.js';
import { gate, within } from '../../support/waiting.js';

const VECTOR = JSON.stringify({
  status: 'success',
  data: { resultType: 'vector', result: [{ metric: { pod: 'a' }, value: [60, '1'] }] },
});
const MATRIX = JSON.stringify({
  status: 'success',
  data: {
    resultType: 'matrix',
    result: [
      {
        metric: { pod: 'a' },
        values: [
          [60, '1'],
          [120, '2'],
        ],
      },
    ],
  },
});

const PASSWORD = 'p@ss/w:rd%';

/** The base URL with a user and a password that must not be seen again. */
const withPassword = (baseUrl: string): string => baseUrl.replace('//', `//watcher:${encodeURIComponent(PASSWORD)}@`);

/** A text that does not stand in a file. */
const fixed = (text: string) => ({ text, file: undefined });

/** A wait that never ends would fail here, long before the test's own limit. */
const query = (api: PrometheusApi, signal = AbortSignal.timeout(25_000)) =>
  api.query({ query: 'up{job="a"}', timeSeconds: 60, signal });

/** The failure of one query, which must not show the password anywhere. */
async function failureOf(
  baseUrl: string,
  {
    signal,
    onRequest = () => {},
    connection = {},
  }: {
    readonly signal?: AbortSignal;
    readonly onRequest?: (code: string) => void;
    readonly connection?: Parameters<typeof connectionTo>[1];
  } = {},
): Promise<PrometheusError> {
  const api = new PrometheusClient(connectionTo(withPassword(baseUrl), connection), { onRequest });
  const error = await rejection(query(api, signal), PrometheusError);
  expectNoSecret(error);
  expect(error.message)
    .to.include('`up{job="a"}`')
    .and.to.include(`${baseUrl.replace(/\/$/, '')}/api/v1/query`);
  return error;
}

function expectNoSecret(error: unknown): void {
  const shown = [String(error), inspect(error, { depth: Infinity, showHidden: true }), JSON.stringify(error)];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    shown.push(cause.message, cause.stack ?? '', JSON.stringify(Object.getOwnPropertyDescriptors(cause)));
  }
  const basic = Buffer.from(`watcher:${PASSWORD}`).toString('base64');
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), basic]) {
    expect(shown.join('\n')).to.not.include(secret);
  }
}

/** A listener that sends one answer. */
const answering =
  (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
  };

const apiError = (errorType: string, error: string): string => JSON.stringify({ status: 'error', errorType, error });

describe('labelValues', () => {
  afterEach(closeServers);

  const valuesOf = (url: string) =>
    new PrometheusClient(connectionTo(url)).labelValues({
      label: 'namespace',
      selectors: ['a{x="1,2"}', 'b'],
      startSeconds: 60,
      endSeconds: 120.5,
      signal: AbortSignal.timeout(25_000),
    });
  const answering = (status: number, body: string) =>
    startServer((_request, response) => response.writeHead(status).end(body));

  it('asks by GET for the values within the series and the time', async () => {
    let seen = '';
    const url = await startServer((request, response) => {
      seen = `${request.method} ${request.url}`;
      response.end('{"status":"success","data":["data","shop"]}');
    });
    expect(await valuesOf(url)).to.deep.equal({ values: ['data', 'shop'], warnings: [] });
    const [method, path = ''] = seen.split(' ');
    const { pathname, searchParams } = new URL(path, url);
    expect([method, pathname]).to.deep.equal(['GET', '/api/v1/label/namespace/values']);
    expect([...searchParams]).to.deep.equal([
      ['match[]', 'a{x="1,2"}'],
      ['match[]', 'b'],
      ['start', '60.000'],
      ['end', '120.500'],
    ]);
  });

  it('takes null for no value', async () => {
    const { values } = await valuesOf(await answering(200, '{"status":"success","data":null}'));
    expect(values).to.deep.equal([]);
  });

  it('has the warnings beside the list', async () => {
    const body = '{"status":"success","data":["shop"],"warnings":["store is down"]}';
    const { warnings } = await valuesOf(await answering(200, body));
    expect(warnings).to.deep.equal(['store is down']);
  });

  it('is partial where VictoriaMetrics says so', async () => {
    const body = '{"status":"success","isPartial":true,"data":["shop"]}';
    expect(isPartial(await valuesOf(await answering(200, body)))).to.equal(true);
    expect(isPartial(await valuesOf(await answering(200, body.replace('true', 'false'))))).to.equal(false);
  });

  it('refuses a list of many megabytes', async () => {
    const data = Array.from({ length: 200_000 }, (_, index) => `namespace-${index}`);
    const error = await rejection(
      valuesOf(await answering(200, JSON.stringify({ status: 'success', data }))),
      PrometheusError,
    );
    expect(error.kind).to.equal('too_large');
    expect(error.message).to.include('NAMESPACE_REGEX');
  });

  for (const [status, body, kind] of [
    [200, '<html>', 'not_json'],
    [200, '{"status":"success","data":[1]}', 'bad_answer'],
    [200, '{"status":"error","data":[]}', 'bad_answer'],
    [200, '{"status":"success"}', 'bad_answer'],
    [404, '404 page not found', 'not_found'],
    [503, 'no', 'unavailable'],
  ] as const) {
    it(`fails with ${kind} on HTTP ${status} and ${body}`, async () => {
      const error = await rejection(valuesOf(await answering(status, body)), PrometheusError);
      expect(error.kind).to.equal(kind);
      expect(error.message).to.include('/api/v1/label/namespace/values');
    });
  }
});

describe('PrometheusClient', () => {
  afterEach(closeServers);

  describe('the request', () => {
    it('posts an instant query as a form, to the millisecond, below the path prefix', async () => {
      const seen: unknown[] = [];
      const url = await startServer(async (request, response) => {
        const { method, headers } = request;
        seen.push(method, request.url, headers.accept, headers['user-agent'], headers.authorization);
        seen.push(headers['content-type']?.split(';')[0], await readBody(request));
        response.end(VECTOR);
      });
      const api = new PrometheusClient(connectionTo(`${url}/prefix/`));
      const signal = AbortSignal.timeout(25_000);
      const result = await api.query({ query: 'a+b{c="ü &"}', timeSeconds: 1700000000.1234, signal });
      expect([...result.values]).to.deep.equal([1]);
      expect(seen).to.deep.equal([
        'POST',
        '/prefix/api/v1/query',
        'application/json',
        'k8s-anomaly-detector',
        undefined,
        'application/x-www-form-urlencoded',
        'query=a%2Bb%7Bc%3D%22%C3%BC+%26%22%7D&time=1700000000.123',
      ]);
    });

    it('posts a range query', async () => {
      let seen = '';
      const url = await startServer(async (request, response) => {
        seen = `${request.url} ${await readBody(request)}`;
        response.end(MATRIX);
      });
      const result = await new PrometheusClient(connectionTo(url)).queryRange({
        query: 'up',
        startSeconds: 60,
        endSeconds: 120,
        stepSeconds: 0.5,
        signal: AbortSignal.timeout(25_000),
      });
      expect([...result.values]).to.deep.equal([1, 2]);
      expect(seen).to.equal('/api/v1/query_range query=up&start=60.000&end=120.000&step=0.500');
    });

    it('keeps the series of a query that is sent again, whatever is asked once in between', async () => {
      const api = new PrometheusClient(connectionTo(await startServer(answering(200, MATRIX))));
      const range = { startSeconds: 60, endSeconds: 120, stepSeconds: 60, signal: AbortSignal.timeout(25_000) };
      const { labels } = await api.queryRange({ ...range, query: 'again' });
      for (let page = 0; page < 20; page++) {
        await api.queryRange({ ...range, query: `up{page="${page}"}`, isOneOff: true });
      }
      const later = await api.queryRange({ ...range, query: 'again' });
      expect(later.labels[0], 'the same object, not one like it').to.equal(labels[0]);
    });

    it('sends user and password of the base URL as basic authentication', async () => {
      let authorization: string | undefined;
      const url = await startServer((request, response) => {
        authorization = request.headers.authorization;
        response.end(VECTOR);
      });
      await query(new PrometheusClient(connectionTo(withPassword(url))));
      expect(authorization).to.equal(`Basic ${Buffer.from(`watcher:${PASSWORD}`).toString('base64')}`);
    });

    it('does not take a proxy from the environment', async () => {
      const url = await startServer(answering(200, VECTOR));
      const before = process.env.HTTP_PROXY;
      process.env.HTTP_PROXY = `http://${await startRawServer((socket) => socket.destroy())}`;
      try {
        await query(new PrometheusClient(connectionTo(url)));
      } finally {
        if (before === undefined) delete process.env.HTTP_PROXY;
        else process.env.HTTP_PROXY = before;
      }
    });

    it('reads a compressed answer', async () => {
      const url = await startServer((_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(VECTOR));
      });
      expect((await query(new PrometheusClient(connectionTo(url)))).values[0]).to.equal(1);
    });

    it('asks for compression only where it is wanted', async () => {
      const asked: (string | undefined)[] = [];
      const url = await startServer(({ headers }, response) => {
        asked.push(headers['accept-encoding']?.toString());
        response.end(VECTOR);
      });
      for (const compression of [true, false]) await query(new PrometheusClient(connectionTo(url, { compression })));
      expect(asked[0]).to.include('gzip');
      expect(asked[1]).to.equal('identity');
    });

    it('keeps the connection, and opens another where the server closed it', async () => {
      const ports: (number | undefined)[] = [];
      const codes: string[] = [];
      const url = await startServer((request, response) => {
        const { remotePort } = request.socket;
        if (ports.filter((port) => port === remotePort).length === 2) request.socket.destroy();
        else response.end(VECTOR);
        ports.push(remotePort);
      });
      const api = new PrometheusClient(connectionTo(url), { onRequest: (code) => codes.push(code) });
      for (let round = 0; round < 3; round++) await query(api);
      const [first, second, third, fourth] = ports;
      expect([second, third]).to.deep.equal([first, first]);
      expect(fourth).to.be.a('number').and.not.equal(first);
      expect(codes).to.deep.equal(['200', '200', '200']);
    });
  });

  describe('an answer that is a failure', () => {
    const rows: [title: string, listener: RequestListener, kind: PrometheusErrorKind, ...messages: string[]][] = [
      [
        'a bad query',
        answering(400, apiError('bad_data', 'invalid parameter "query": 1:3: parse error')),
        'bad_query',
        'HTTP 400 ("invalid parameter "query": 1:3: parse error")',
        'NAMESPACE_REGEX',
      ],
      [
        'plain HTTP on the HTTPS port of a server written in Go',
        answering(400, 'Client sent an HTTP request to an HTTPS server.\n'),
        'tls',
        'https://',
      ],
      ['no login', answering(401, 'Unauthorized'), 'unauthorized', 'HTTP 401 ("Unauthorized")', 'password'],
      ['a forbidden query', answering(403, ''), 'forbidden', 'HTTP 403', 'Allow'],
      [
        'a wrong path',
        answering(404, '404 page not found\n'),
        'not_found',
        'path prefix missing',
        '404 page not found',
      ],
      ['a wrong method', answering(405, ''), 'method_not_allowed', 'POST'],
      [
        'a URL that is too long',
        answering(414, 'URI Too Long'),
        'http',
        'PROMETHEUS_HTTP_METHOD to POST',
        'NAMESPACE_REGEX',
      ],
      ['headers that are too long', answering(431, ''), 'http', 'PROMETHEUS_HTTP_METHOD to POST'],
      ['a body that is too long', answering(413, '<html>'), 'http', 'limit of the proxy'],
      ['no tenant', answering(401, 'no org id\n'), 'unauthorized', 'X-Scope-OrgID=name', 'HTTP 401 ("no org id")'],
      [
        'an agent',
        answering(422, apiError('execution', 'unavailable with Prometheus Agent')),
        'http',
        'agent mode, which stores nothing',
        'remote_write',
      ],
      ['HTTP/2 only, as a load balancer says it', answering(464, ''), 'http', 'HTTP/2'],
      [
        'a query that cannot be executed',
        answering(422, apiError('execution', 'found duplicate series')),
        'unprocessable',
        'found duplicate series',
      ],
      ['a limit', answering(429, 'slow down', { 'retry-after': '7' }), 'rate_limited', 'HTTP 429 ("slow down")'],
      ['an internal error', answering(500, apiError('internal', 'disk')), 'unavailable', 'HTTP 500 ("disk")'],
      ['a bad gateway', answering(502, '<html>Bad\n  Gateway</html>'), 'unavailable', '<html>Bad Gateway</html>'],
      ['a server that starts', answering(503, 'Service Unavailable'), 'unavailable', 'log of Prometheus'],
      ['an odd status', answering(418, '{"error":7}'), 'http', 'HTTP 418 ("{"error":7}")'],
      [
        'a page',
        answering(200, `<!doctype html>\n\n<title>Log in</title>${'x'.repeat(100)}`),
        'not_json',
        '<!doctype html> <title>Log in</title>',
        'login page',
      ],
      ['an empty answer', answering(200, ''), 'not_json', '0 bytes'],
      ['half a JSON text', answering(200, VECTOR.slice(0, 50)), 'not_json', '50 bytes'],
      [
        'a scalar',
        answering(200, '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}'),
        'bad_answer',
        '"scalar" instead of "vector" at data.resultType',
      ],
      [
        'a redirect to another path',
        answering(302, '', { location: '/prometheus/api/v1/query?token=x' }),
        'redirect',
        '/prometheus: set it to that.',
      ],
      [
        'a redirect to another origin',
        answering(308, '', { location: withPassword('https://other.example.org/p/api/v1/query') }),
        'redirect',
        'PROMETHEUS_URL redirects to https://other.example.org/p: set it to that.',
      ],
      [
        'a redirect to a login page',
        answering(303, '', { location: 'https://login.example.org/auth?state=hidden' }),
        'redirect',
        'HTTP 303 to https://login.example.org/auth. ',
        'login page',
      ],
      ['a redirect to nowhere', answering(301, ''), 'redirect', 'HTTP 301 without a target'],
      [
        'a redirect with the query behind it',
        answering(308, '', { location: 'https://other.example.org/p/api/v1/query?query=up&time=1' }),
        'redirect',
        'PROMETHEUS_URL redirects to https://other.example.org/p: set it to that.',
      ],
      [
        'a redirect to the same place',
        ({ headers, url }, response) =>
          void response.writeHead(308, { location: `http://${headers.host}${url}` }).end(),
        'redirect',
        'redirects to itself',
        'X-Forwarded-Proto',
      ],
      [
        'plain HTTP on the HTTPS port of Apache',
        answering(400, "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.</p>"),
        'tls',
        'https://',
      ],
      [
        'what Kubernetes says',
        answering(
          403,
          JSON.stringify({ kind: 'Status', metadata: {}, message: 'User "a" cannot get resource "services/proxy"' }),
        ),
        'forbidden',
        'HTTP 403 ("User "a" cannot get resource "services/proxy"")',
      ],
      [
        'what Google and Azure say',
        answering(401, '{"error": {"code": 401, "message": "Request had invalid credentials."}}'),
        'unauthorized',
        'HTTP 401 ("Request had invalid credentials.")',
      ],
      [
        'a login that only a header explains',
        answering(401, '', {
          'www-authenticate': 'Bearer error="invalid_token", error_description="The token expired"',
        }),
        'unauthorized',
        'The token expired',
        'PROMETHEUS_BEARER_TOKEN_FILE',
      ],
    ];
    for (const [title, listener, kind, ...messages] of rows) {
      it(`says what to do about ${title}`, async () => {
        const codes: string[] = [];
        const error = await failureOf(await startServer(listener), { onRequest: (code) => codes.push(code) });
        expect(error.kind).to.equal(kind);
        for (const message of messages) expect(error.message).to.include(message);
        expect(error.message).to.not.match(/hidden|token=/);
        expect(codes).to.have.lengthOf(1);
        expect(codes[0]).to.match(/^\d{3}$/);
      });
    }

    it('does not take what an agent says for a query that is too large', async () => {
      const url = await startServer(answering(422, apiError('execution', 'unavailable with Prometheus Agent')));
      expect((await failureOf(url)).tooMuch).to.equal(false);
    });

    const places: [path: string, listener: RequestListener, kind: PrometheusErrorKind][] = [
      ['/graph', answering(404, '404 page not found\n'), 'not_found'],
      ['/api/v1', answering(405, ''), 'not_found'],
      ['/graph', answering(200, '<!doctype html>'), 'not_json'],
      ['/alerts', answering(302, '', { location: 'https://login.example.org/' }), 'redirect'],
    ];
    for (const [path, listener, kind] of places) {
      it(`says that ${path} does not belong into the URL (${kind})`, async () => {
        const base = await startServer(listener);
        const error = await failureOf(`${base}/prefix${path}/`);
        expect(error.kind).to.equal(kind);
        expect(error.message).to.include(`only what is before ${path}: set it to ${base}/prefix.`);
      });
    }

    const waits: [title: string, headers: Record<string, string>, seconds: number | undefined][] = [
      ['seconds', { 'retry-after': '7' }, 7],
      ['a time', { date: 'Thu, 01 Jan 2026 00:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 00:02:00 GMT' }, 120],
      [
        'a time that has passed',
        { date: 'Thu, 01 Jan 2026 00:02:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 00:00:00 GMT' },
        0,
      ],
      ['neither', { 'retry-after': 'soon' }, undefined],
      ['nothing', {}, undefined],
    ];
    for (const status of [429, 503]) {
      for (const [title, headers, seconds] of waits) {
        it(`reads Retry-After of HTTP ${status} as ${title}`, async () => {
          const error = await failureOf(await startServer(answering(status, '', headers)));
          expect(error.retryAfterSeconds).to.equal(seconds);
        });
      }
    }

    const limits: [status: number, body: string, tooMuch: boolean][] = [
      [422, 'query processing would load too many samples into memory', true],
      [503, 'query timed out in expression evaluation', true],
      [504, 'gateway', true],
      [400, 'exceeded maximum resolution of 11,000 points per timeseries', true],
      [503, 'Service Unavailable', false],
      [400, 'parse error', false],
      [429, 'limit', false],
      [422, apiError('422', "too long query; mustn't exceed `-search.maxQueryLen=100` bytes"), false],
    ];
    for (const [status, body, tooMuch] of limits) {
      it(`says whether a smaller query may be answered: HTTP ${status} (${body})`, async () => {
        const error = await failureOf(await startServer(answering(status, body)));
        expect(error.tooMuch).to.equal(tooMuch);
      });
    }

    it('does not repeat the password where the server does', async () => {
      const url = await startServer((request, response) => {
        response.writeHead(500).end(`${PASSWORD} ${encodeURIComponent(PASSWORD)} ${request.headers.authorization}`);
      });
      expect((await failureOf(url)).message).to.include('[redacted] [redacted] Basic [redacted]');
    });

    for (const compressed of [false, true]) {
      it(`refuses too large an answer${compressed ? ', counted after decompression' : ''}`, async () => {
        const body = Buffer.from(`"${'x'.repeat(100_000)}"`);
        const url = await startServer((_request, response) => {
          if (compressed) response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body));
          else response.end(body);
        });
        const error = await failureOf(url, { connection: { maxResponseBytes: 10_000 } });
        expect(error.kind).to.equal('too_large');
        expect(error.message).to.include('10000').and.to.include('fewer series');
      });
    }
  });

  describe('a connection that fails', () => {
    let certificates: TestCertificates;
    before(async () => {
      certificates = await createCertificates();
    });

    it('says that nothing listens', async () => {
      const codes: string[] = [];
      const error = await failureOf(`http://${await freeAddress()}`, {
        onRequest: (code) => codes.push(code),
      });
      expect(error.kind).to.equal('refused');
      expect(error.message).to.include('ECONNREFUSED').and.to.include('Is Prometheus running?');
      expect(codes).to.deep.equal(['error']);
    });

    it('says soon that packets are dropped, and that a smaller request would not help', async () => {
      const { address, close } = await startUnreachable();
      try {
        // Long before the deadline, and also where that comes first.
        for (const milliseconds of [60_000, 500]) {
          const error = await failureOf(`http://${address}`, { signal: AbortSignal.timeout(milliseconds) });
          expect(error.kind).to.equal('unreachable');
          expect(error.message).to.match(/no connection within 4 s|Timed out connecting to/);
          expect(error.message).to.include('a firewall or a network policy drops its packets');
          expect(error.tooMuch).to.equal(false);
        }
      } finally {
        await close();
      }
    });

    it('says that the server speaks HTTP/2 only', async () => {
      const url = `http://127.0.0.1:${await listenForTest(http2.createServer())}`;
      const error = await failureOf(url);
      expect(error.kind).to.equal('http');
      expect(error.message).to.include('Got an answer in HTTP/2').and.to.include('speaks HTTP/1.1');
      const secure = http2.createSecureServer({ ...certificates.valid });
      const tls = { ca: fixed(certificates.authority.cert) };
      const other = await failureOf(`https://127.0.0.1:${await listenForTest(secure)}`, { connection: { tls } });
      expect(other.kind).to.equal('http');
      expect(other.message).to.include('most often HTTP/2');
    });

    it('says that the host name is unknown', async () => {
      const tooLong = 'x'.repeat(64);
      const error = await failureOf(`http://${tooLong}.invalid:9090`);
      expect(error.kind).to.equal('dns');
      expect(error.message)
        .to.match(/ENOTFOUND|EAI_AGAIN/)
        .and.to.include('host');
    });

    it('says that the answer broke off', async () => {
      const codes: string[] = [];
      const url = await startServer((_request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{', () => response.socket?.resetAndDestroy());
      });
      const error = await failureOf(url, { onRequest: (code) => codes.push(code) });
      expect(error.kind).to.equal('connection');
      // What was written before the reset may or may not have been read by then.
      expect(error.message).to.match(/HTTP 200 and an incomplete answer|no whole answer/);
      expect(codes).to.deep.equal(['error']);
    });

    it('is not what a fault of this program looks like', async () => {
      const { push } = AnswerReader.prototype;
      const codes: string[] = [];
      const url = await startServer(answering(200, VECTOR));
      const api = new PrometheusClient(connectionTo(url), { onRequest: (code) => codes.push(code) });
      AnswerReader.prototype.push = () => {
        throw new RangeError('A position that is none.');
      };
      try {
        const error = await rejection(query(api), RangeError);
        expect(error.message).to.equal('A position that is none.');
        expect(codes).to.deep.equal(['error']);
      } finally {
        AnswerReader.prototype.push = push;
      }
      expect((await query(api)).values).to.deep.equal(Float64Array.of(1));
    });

    it('says that a compressed answer is damaged', async () => {
      const url = await startServer(answering(200, VECTOR, { 'content-encoding': 'gzip' }));
      const error = await failureOf(url);
      expect(error.kind).to.equal('connection');
      expect(error.message).to.include('incomplete answer');
    });

    it('says that the server closed the connection without an answer', async () => {
      const error = await failureOf(`http://${await startRawServer((socket) => socket.resetAndDestroy())}`);
      expect(error.kind).to.equal('connection');
    });

    it('says that the server speaks another protocol', async () => {
      const error = await failureOf(`http://${await startRawServer((socket) => socket.end('220 mail\r\n'))}`);
      expect(error.kind).to.equal('connection');
      expect(error.message).to.include('https://');
    });

    it('trusts the given authority', async () => {
      const url = await startTlsServer(certificates.valid, answering(200, VECTOR));
      const api = new PrometheusClient(connectionTo(url, { tls: { ca: fixed(certificates.authority.cert) } }));
      expect((await query(api)).values[0]).to.equal(1);
    });

    const rows: [certificate: keyof TestCertificates, trusted: boolean, ...messages: string[]][] = [
      ['selfSigned', false, 'PROMETHEUS_CA_FILE'],
      ['selfSigned', true, 'PROMETHEUS_CA_FILE'],
      ['valid', false, 'PROMETHEUS_CA_FILE'],
      ['otherAuthority', true, 'PROMETHEUS_CA_FILE'],
      ['expired', true, 'CERT_HAS_EXPIRED', 'Renew'],
      ['otherName', true, 'ERR_TLS_CERT_ALTNAME_INVALID', 'PROMETHEUS_SERVER_NAME'],
    ];
    for (const [name, trusted, ...messages] of rows) {
      it(`refuses the certificate "${name}" where its authority is ${trusted ? '' : 'not '}given`, async () => {
        const url = await startTlsServer(certificates[name], answering(200, VECTOR));
        const error = await failureOf(
          url,
          trusted ? { connection: { tls: { ca: fixed(certificates.authority.cert) } } } : {},
        );
        expect(error.kind).to.equal('tls');
        for (const message of messages) expect(error.message).to.include(message);
      });
    }

    it('says that the port does not speak HTTPS', async () => {
      const url = await startServer(answering(200, VECTOR));
      const error = await failureOf(url.replace('http:', 'https:'));
      expect(error.kind).to.equal('tls');
      expect(error.message).to.include('http://.');
    });

    for (const [alert, number, ...messages] of [
      ['unrecognized name', 112, 'PROMETHEUS_SERVER_NAME'],
      ['internal error', 80, 'PROMETHEUS_SERVER_NAME'],
      ['protocol version', 70, 'TLS 1.2'],
    ] as const) {
      it(`says what is meant by the alert of TLS "${alert}"`, async () => {
        const record = Buffer.from([0x15, 3, 3, 0, 2, 2, number]);
        const address = await startRawServer((socket) => void socket.once('data', () => socket.end(record)));
        const error = await failureOf(`https://${address}`);
        expect(error.kind).to.equal('tls');
        for (const message of messages) expect(error.message).to.include(message);
        expect(error.message).to.not.include('plain HTTP');
      });
    }

    it('names the proxy that may have answered in place of the server', async () => {
      const { url: proxyUrl } = await startForwardProxy();
      const error = await failureOf('http://127.0.0.1:1', { connection: { proxyUrl } });
      expect(error.kind).to.equal('unavailable');
      expect(error.message).to.include(`Or did the proxy ${proxyUrl} answer?`);
    });

    it('says that a Service of another namespace needs a longer name', async () => {
      const advice = 'In another namespace of Kubernetes, its name is longer: prometheus-x.monitoring';
      expect((await failureOf('http://prometheus-x:9090')).message).to.include(advice);
      expect((await failureOf('http://prometheus.invalid:9090')).message).to.not.include('another namespace');
    });

    it('says that the port does not speak HTTP', async () => {
      const url = await startTlsServer(certificates.valid, answering(200, VECTOR));
      const error = await failureOf(url.replace('https:', 'http:'));
      expect(error.kind).to.be.oneOf(['connection', 'tls']);
      expect(error.message).to.match(/https:\/\/|speak the protocol/);
    });
  });

  describe('the signal', () => {
    const trickle = (response: ServerResponse): void => {
      response.write('{"status":');
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    };
    const servers: [title: string, listener: RequestListener][] = [
      ['does not answer', () => {}],
      ['stalls in the body', (_request, response) => void response.write('{"status":')],
      ['trickles', (_request, response) => trickle(response)],
      [
        'stalls in a compressed body',
        (_request, response) => {
          response.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync(VECTOR).subarray(0, 20));
        },
      ],
    ];
    for (const [title, listener] of servers) {
      it(`ends a request to a server that ${title}, as a timeout`, async () => {
        const codes: string[] = [];
        const late = new AbortController();
        const url = await startServer((request, response) => {
          listener(request, response);
          setTimeout(() => late.abort(new DOMException('Too late.', 'TimeoutError')), 50);
        });
        const error = await failureOf(url, {
          signal: late.signal,
          onRequest: (code) => codes.push(code),
        });
        expect(error.kind).to.equal('timeout');
        expect(error.message).to.include('Timed out waiting for');
        expect(codes).to.deep.equal(['error']);
      });
    }

    it('ends a request to a port that accepts and says nothing, also before TLS is up', async () => {
      const late = new AbortController();
      const address = await startRawServer(() => {
        setTimeout(() => late.abort(new DOMException('Too late.', 'TimeoutError')), 50);
      });
      const error = await failureOf(`https://${address}`, { signal: late.signal });
      expect(error.kind).to.equal('timeout');
      expect(error.message).to.include('Timed out in the TLS handshake').and.to.include('Does the port speak HTTPS?');
    });

    it('ends the connection too', async () => {
      const { opened: closed, open: close } = gate();
      const controller = new AbortController();
      const url = await startServer((request, response) => {
        // A reset is an end as well: `events.once` would take its error for a failure.
        request.socket.once('close', close);
        trickle(response);
        // Not after a time, in which a busy machine might not even have sent the request.
        controller.abort(new DOMException('Too late.', 'TimeoutError'));
      });
      expect((await failureOf(url, { signal: controller.signal })).kind).to.equal('timeout');
      await within(60_000, 'the end of the connection', closed);
    });

    it('tells another reason from a timeout', async () => {
      const url = await startServer(() => controller.abort(new Error(`stopped ${PASSWORD}`)));
      const controller = new AbortController();
      expect((await failureOf(url, { signal: controller.signal })).kind).to.equal('aborted');
    });

    it('sees the timeout through AbortSignal.any', async () => {
      const url = await startServer(() => {});
      const signal = AbortSignal.any([AbortSignal.timeout(100), new AbortController().signal]);
      expect((await failureOf(url, { signal })).kind).to.equal('timeout');
    });

    it('sends nothing where the signal came first', async () => {
      let requests = 0;
      const url = await startServer((_request, response) => {
        requests++;
        response.end(VECTOR);
      });
      expect((await failureOf(url, { signal: AbortSignal.abort() })).kind).to.equal('aborted');
      expect(requests).to.equal(0);
    });
  });
});
