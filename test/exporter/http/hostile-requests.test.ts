import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Access } from '../../../src/exporter/http/access.js';
import { createApp } from '../../../src/exporter/http/app.js';
import { ErrorResponse } from '../../../src/exporter/http/schemas.js';
import { listen, type RunningServer } from '../../../src/exporter/http/server.js';
import { OPEN, type WebConfig } from '../../../src/lib/web-config/config.js';
import { fakeDependencies, openAccess } from '../../support/http-fixtures.js';
import { LOCAL } from '../../support/http-server.js';
import { closed, getRequest, parseAnswers, sendRaw } from '../../support/raw-http.js';
import { eventually, gate } from '../../support/waiting.js';

/** What anybody can send to the port. */
describe('hostile requests', () => {
  let server: RunningServer;
  let dependencies: ReturnType<typeof fakeDependencies>;

  beforeEach(async () => {
    dependencies = fakeDependencies();
    server = await listen(createApp(dependencies), LOCAL);
  });
  afterEach(() => server.close());

  /** The one answer to these bytes. */
  async function ask(bytes: string) {
    const [answer, ...others] = parseAnswers(await sendRaw(server.url, bytes));
    expect(others).to.deep.equal([]);
    return answer ?? expect.fail('The connection was closed without an answer.');
  }

  const request = (line: string, ...lines: string[]) =>
    [line, 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n');
  const many = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: y`);

  const errors: readonly (readonly [what: string, status: number, bytes: string])[] = [
    ['no HTTP at all', 400, 'hello\r\n\r\n'],
    ['the beginning of TLS', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
    ['an unknown method', 400, request('BREW /metrics HTTP/1.1')],
    ['a version that does not exist', 400, request('GET /metrics HTTP/9.9')],
    ['NUL in the path', 400, request('GET /met\0rics HTTP/1.1')],
    ['NUL in a header', 400, request('GET /metrics HTTP/1.1', 'X: a\0b')],
    ['a header without a name', 400, request('GET /metrics HTTP/1.1', ': x')],
    ['two lengths that differ', 400, request('POST /metrics HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2')],
    ['a length and chunks', 400, request('GET /metrics HTTP/1.1', 'Content-Length: 1', 'Transfer-Encoding: chunked')],
    ['a negative length', 400, request('GET /metrics HTTP/1.1', 'Content-Length: -1')],
    ['an unknown query parameter', 400, getRequest('/detect?pod=x')],
    ['a repeated query parameter', 400, getRequest('/detect?limit=1&limit=2')],
    ['a parameter named as a part of every object', 400, getRequest('/detect?__proto__=x')],
    ['a limit that is no number', 400, getRequest('/detect?limit=1e9')],
    ['an unknown path', 404, getRequest('/metricsx')],
    ['two slashes', 404, getRequest('//metrics')],
    ['a step up', 404, getRequest('/../../etc/passwd')],
    ['a step up in the assets', 404, getRequest('/docs/../../../package.json')],
    ['an encoded step up', 404, getRequest('/docs/%2e%2e/%2e%2e/package.json')],
    ['an encoded slash', 404, getRequest('/docs%2Fswagger-ui.css')],
    ['an encoded NUL', 404, getRequest('/docs/swagger-ui.css%00')],
    ['broken percent encoding', 404, getRequest('/%zz')],
    ['half a percent encoding', 404, getRequest('/docs/%')],
    ['bytes that are no UTF-8', 404, getRequest('/%ff%fe')],
    ['another URL', 404, getRequest('http://example.org/nothing')],
    ['a URL of a file', 404, getRequest('file:///etc/passwd')],
    ['OPTIONS', 405, request('OPTIONS /metrics HTTP/1.1')],
    ['OPTIONS of everything', 404, request('OPTIONS * HTTP/1.1')],
    ['TRACE', 405, request('TRACE /metrics HTTP/1.1', 'Authorization: Basic secret')],
    ['PUT with a body', 405, `${request('PUT /metrics HTTP/1.1', 'Content-Length: 3')}abc`],
    ['DELETE', 405, request('DELETE /detect HTTP/1.1')],
    ['CONNECT', 405, request('CONNECT example.org:443 HTTP/1.1')],
    ['POST to nothing', 404, request('POST /nothing HTTP/1.1')],
    ['a body', 413, `${getRequest('/metrics', 'Content-Length: 5')}hello`],
    ['a body in chunks', 413, `${getRequest('/metrics', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`],
    ['a body that is announced and never comes', 413, getRequest('/metrics', 'Content-Length: 99999999999')],
    ['a body that waits to be asked for', 413, getRequest('/metrics', 'Content-Length: 99999', 'Expect: 100-continue')],
    ['a body for a probe', 413, getRequest('/-/healthy', 'Content-Length: 5')],
    ['a long path', 414, getRequest(`/${'a'.repeat(2_048)}`)],
    ['a long query', 414, getRequest(`/detect?namespace=${'a'.repeat(4_000)}`)],
    ['many headers', 431, getRequest('/metrics', ...many(99))],
    ['very many headers', 431, getRequest('/metrics', ...many(900))],
    ['a header of 20 KB', 431, getRequest('/metrics', `Cookie: ${'a'.repeat(20_000)}`)],
    ['a path of 20 KB', 431, getRequest(`/${'a'.repeat(20_000)}`)],
  ];
  for (const [what, status, bytes] of errors) {
    it(`answers ${status} to ${what}`, async () => {
      const answer = await ask(bytes);
      expect(answer.status, answer.body).to.equal(status);
      expect(answer.headers).to.include({
        'content-type': 'application/json; charset=utf-8',
        'x-content-type-options': 'nosniff',
        connection: 'close',
      });
      const { error } = ErrorResponse.parse(JSON.parse(answer.body));
      expect(error.message).to.match(/\.$/);
      expect(answer.body).not.to.match(/\bat .*:\d+|node_modules|node:|secret/);
      expect(dependencies.asked, 'no work was done').to.deep.equal([]);
      expect(dependencies.logged, 'nobody is woken up').to.deep.equal([]);
    });
  }

  it('answers 400 to a request without a host, and 417 to an expectation that nobody knows', async () => {
    expect((await ask('GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n')).status).to.equal(400);
    expect((await ask(getRequest('/metrics', 'Expect: miracles'))).status).to.equal(417);
  });

  for (const [what, bytes] of [
    ['a URL with a host, as a proxy sends it', getRequest('http://example.org/metrics?x=y')],
    ['an upgrade that is not wanted', getRequest('/metrics', 'Upgrade: websocket')],
    ['an empty body', getRequest('/metrics', 'Content-Length: 0')],
    ['a query that means nothing', getRequest('/metrics?%zz=%&&&==')],
    ['HTTP/1.0', 'GET /metrics HTTP/1.0\r\n\r\n'],
    ['as many headers as are allowed', getRequest('/metrics', ...many(98))],
  ] as const) {
    it(`answers 200 to ${what}`, async () => {
      const answer = await ask(bytes);
      expect(answer.status).to.equal(200);
      expect(answer.body).to.include('up 1');
    });
  }

  it('answers HEAD with the headers of GET and nothing else', async () => {
    for (const path of ['/', '/metrics', '/detect', '/healthz', '/-/ready', '/docs', '/openapi.json']) {
      const received = await sendRaw(server.url, request(`HEAD ${path} HTTP/1.1`));
      expect(received).to.match(/^HTTP\/1\.1 200 OK\r\n/);
      expect(received.split('\r\n\r\n')[1], path).to.equal('');
    }
  });

  it('answers requests that come all at once, in their order', async () => {
    const keep = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const received = await sendRaw(
      server.url,
      `${keep('/-/ready')}${keep('/nothing')}${keep('/metrics')}${getRequest('/-/healthy')}`,
    );
    const answers = parseAnswers(received);
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 404, 200, 200]);
  });

  it('answers without waiting for the body, and closes the connection that the client would keep', async () => {
    for (const length of ['Content-Length: 1000000000', 'Transfer-Encoding: chunked']) {
      const received = await sendRaw(server.url, `POST /metrics HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n`);
      expect(received).to.match(/^HTTP\/1\.1 405 /);
    }
  });

  it('closes a connection that says nothing, and one that says it slowly, within its deadlines', async () => {
    const ends = ['', 'GET / HTTP/1.1\r\nHost: x\r\nX: '].map(async (bytes) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk;
      });
      socket.write(bytes);
      const drip = setInterval(() => {
        if (bytes !== '' && socket.writable) socket.write('a');
      }, 500);
      await closed(socket);
      clearInterval(drip);
      return received;
    });
    for (const received of await Promise.all(ends)) expect(received).to.match(/^HTTP\/1\.1 408 /);
  });

  it('accepts a limited number of connections, and more when some are gone', async () => {
    const port = Number(new URL(server.url).port);
    const sockets = Array.from({ length: 600 }, () =>
      connect(port, '127.0.0.1')
        .resume()
        .on('error', () => {}),
    );
    try {
      await eventually(() => expect(sockets.filter(({ closed }) => closed).length).to.equal(88), 15_000);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await eventually(async () => expect((await ask(getRequest('/metrics'))).status).to.equal(200));
  });

  it('answers 503 with the limit to more requests at a time than are allowed, but never to probes', async () => {
    await server.close();
    const hold = gate();
    const { exporter, access } = dependencies;
    const app = createApp({
      ...dependencies,
      access: { ...access, maxRequests: 2 },
      exporter: {
        ...exporter,
        renderMetrics: async (scrapeTimeoutSeconds) => {
          const answer = await exporter.renderMetrics(scrapeTimeoutSeconds);
          await hold.opened;
          return answer;
        },
      },
    });
    server = await listen(app, LOCAL);
    const get = (path: string) => fetch(`${server.url}${path}`, { signal: AbortSignal.timeout(25_000) });
    const controller = new AbortController();
    const first = get('/metrics');
    const second = fetch(`${server.url}/metrics`, { signal: controller.signal }).catch(() => 'aborted');
    await eventually(() => expect(dependencies.asked).to.have.length(2));
    const others = ['/healthz', '/docs', '/openapi.json', '/docs/swagger-ui.css', '/status-page.css', '/nothing'];
    for (const path of ['/', '/metrics', '/detect', ...others]) {
      const refused = await get(path);
      expect(refused.status).to.equal(503);
      expect(refused.headers.get('retry-after')).to.equal('1');
      expect(ErrorResponse.parse(await refused.json()).error).to.deep.equal({
        code: 'overloaded',
        message: 'Limit of concurrent requests reached (2, WEB_MAX_REQUESTS). Try again later.',
      });
    }
    for (const path of ['/-/healthy', '/-/ready']) {
      expect((await get(path)).status, path).to.equal(200);
    }
    // One who goes away makes room.
    controller.abort();
    expect(await second).to.equal('aborted');
    await eventually(async () => expect((await get('/detect')).status).to.equal(200));
    hold.open();
    expect((await first).status).to.equal(200);
    expect((await get('/metrics')).status).to.equal(200);
  });

  describe('with two requests at a time', () => {
    const hold = { current: gate() };
    let sockets: Socket[] = [];
    const users = new Map([['prometheus', '[secret]']]);

    /** @param config of the server. */
    async function startWith(config: Partial<WebConfig> = {}, comparePassword?: Access['comparePassword']) {
      await server.close();
      hold.current = gate();
      const { exporter } = dependencies;
      const access = openAccess({
        maxRequests: 2,
        webConfig: () => ({ ...OPEN, ...config }),
        ...(comparePassword && { comparePassword }),
      });
      const renderMetrics = async (seconds: number | undefined) => {
        const answer = await exporter.renderMetrics(seconds);
        await hold.current.opened;
        return answer;
      };
      server = await listen(createApp({ ...dependencies, access, exporter: { ...exporter, renderMetrics } }), LOCAL);
    }
    afterEach(() => {
      hold.current.open();
      for (const socket of sockets) socket.destroy();
      sockets = [];
    });

    /** Sends bytes from an address of its own. */
    function from(localAddress: string, bytes: string) {
      const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', localAddress });
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk;
      });
      socket.on('error', () => {}).write(bytes);
      sockets.push(socket);
      return { socket, received: () => received };
    }
    const asked = (count: number) => eventually(() => expect(dependencies.asked).to.have.length(count));

    it('has nothing left of requests that were sent at once and abandoned', async () => {
      await startWith();
      for (let round = 1; round <= 4; round++) {
        const { socket } = from('127.0.0.1', getRequest('/metrics').replace('Connection: close\r\n', '').repeat(4));
        await asked(round);
        socket.destroy();
        await closed(socket);
      }
      const both = [from('127.0.0.1', getRequest('/metrics')), from('127.0.0.1', getRequest('/metrics'))];
      await asked(6);
      hold.current.open();
      await eventually(() => expect(both.map(({ received }) => received())).to.match(/up 1.*up 1/s));
    });

    it('has nothing left of one who left while the password was compared', async () => {
      const compared = gate();
      let comparing = 0;
      await startWith({ users }, async (password, hash) => {
        comparing++;
        await compared.opened;
        return hash === `[${password}]`;
      });
      const authorization = `Authorization: Basic ${Buffer.from('prometheus:secret').toString('base64')}`;
      const impatient = [1, 2, 3].map(() => from('127.0.0.1', getRequest('/metrics', authorization)));
      await eventually(() => expect(comparing).to.equal(1));
      for (const { socket } of impatient) socket.destroy();
      await Promise.all(impatient.map(({ socket }) => closed(socket)));
      await sleep(100);
      compared.open();
      hold.current.open();
      await eventually(async () => expect((await ask(getRequest('/healthz', authorization))).status).to.equal(200));
      expect(dependencies.asked).to.deep.equal([]);
    });

    it('answers one who has fewer than another, in place of the oldest of that other', async () => {
      await startWith();
      const oldest = from('127.0.0.3', getRequest('/metrics'));
      await asked(1);
      const newer = from('127.0.0.3', getRequest('/metrics'));
      await asked(2);
      const refused = from('127.0.0.3', getRequest('/metrics'));
      await eventually(() => expect(refused.received()).to.match(/^HTTP\/1.1 503 /));
      const prometheus = from('127.0.0.2', getRequest('/metrics'));
      await asked(3);
      await eventually(() => expect(oldest.socket.closed).to.equal(true));
      const third = from('127.0.0.4', getRequest('/metrics'));
      await eventually(() => expect(third.received(), 'each has one').to.match(/^HTTP\/1.1 503 /));
      hold.current.open();
      await eventually(() => expect(prometheus.received()).to.contain('up 1'));
      await eventually(() => expect(newer.received()).to.contain('up 1'));
    });
  });
});
