import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { listen, type RunningServer } from '../../../src/exporter/http/server.js';
import { LOCAL } from '../../support/http-server.js';
import { closed, parseAnswers } from '../../support/raw-http.js';
import { eventually } from '../../support/waiting.js';

const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

describe('connections', () => {
  let server: RunningServer;
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.close({ deadlineMs: 0 });
  });

  /** A client with an address of its own: Linux has all of 127.0.0.0/8. */
  function client(localAddress = '127.0.0.1'): Socket {
    const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', localAddress });
    socket.on('error', () => {});
    sockets.push(socket);
    return socket;
  }

  /** A server whose requests wait, by their paths, until a test answers them. */
  async function holding() {
    const held: { readonly path: string; readonly response: ServerResponse }[] = [];
    const app: RequestListener = ({ url = '' }, response) => void held.push({ path: url, response });
    server = await listen(app, LOCAL);
    return { held, paths: () => held.map(({ path }) => path) };
  }

  it('have one request answered at a time, in their order', async () => {
    const { held, paths } = await holding();
    const socket = client();
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.write(request('/1') + request('/2') + request('/3'));
    for (const last of ['/1', '/2', '/3']) {
      await eventually(() => expect(paths().at(-1)).to.equal(last));
      await sleep(50);
      expect(paths().at(-1), 'the next one waits').to.equal(last);
      held.at(-1)?.response.end(last);
    }
    await eventually(() => expect(received).to.contain('/3'));
    expect(parseAnswers(received).map(({ body }) => body)).to.deep.equal(['/1', '/2', '/3']);
  });

  it('have requests answered in their turn that expect something', async () => {
    const { held, paths } = await holding();
    const socket = client();
    const expecting = (what: string) => `GET /${what} HTTP/1.1\r\nHost: x\r\nExpect: ${what}\r\n\r\n`;
    socket.write(request('/1') + expecting('100-continue') + expecting('wonders').repeat(20));
    await eventually(() => expect(held[0]?.response.destroyed, 'too many wait').to.equal(true));
    expect(paths()).to.deep.equal(['/1']);
  });

  it('have the next one answered when the client has taken the answer before it', async () => {
    const long = Buffer.alloc(20_000_000);
    let begun = 0;
    server = await listen((_request, response) => {
      begun++;
      response.end(long);
    }, LOCAL);
    const socket = client();
    socket.pause();
    socket.write(request('/').repeat(5));
    await eventually(() => expect(begun).to.equal(1));
    await sleep(300);
    expect(begun).to.equal(1);
    socket.resume();
    await eventually(() => expect(begun).to.equal(5));
  });

  it('are closed when they send very many requests at once, after which no work is done for them', async () => {
    const { held, paths } = await holding();
    const socket = client();
    socket.write(request('/').repeat(1_000));
    await closed(socket);
    await eventually(() => expect(held[0]?.response.destroyed).to.equal(true));
    expect(paths()).to.deep.equal(['/']);
  });

  it('that are gone have none of their requests answered that waited', async () => {
    const { held, paths } = await holding();
    const socket = client();
    socket.write(request('/1') + request('/2'));
    await eventually(() => expect(paths()).to.deep.equal(['/1']));
    socket.destroy();
    await eventually(() => expect(held[0]?.response.destroyed).to.equal(true));
    await sleep(50);
    expect(paths()).to.deep.equal(['/1']);
  });

  it('are closed when CONNECT comes behind a request that is being answered', async () => {
    const { held } = await holding();
    const socket = client();
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.write(`${request('/')}CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n`);
    await closed(socket);
    expect(held).to.have.length(1);
    expect(received).to.equal('');
  });

  describe('at their limit', () => {
    const LIMIT = 512;

    /** Connections that have been accepted. */
    async function open(count: number, localAddress: string) {
      const opened = Array.from({ length: count }, () => client(localAddress));
      await Promise.all(opened.map((socket) => once(socket, 'connect')));
      return opened;
    }
    const closedOf = (some: readonly Socket[]) => some.filter(({ closed: isClosed }) => isClosed).length;
    const answer = async (socket: Socket) => {
      socket.write(request('/'));
      const [chunk] = await once(socket, 'data');
      expect(String(chunk)).to.contain('hello');
    };

    it('make room for another client: the oldest idle one of the client that has the most is closed', async () => {
      server = await listen((_request, response) => response.end('hello'), LOCAL);
      const [kubelet] = await open(1, '127.0.0.2');
      const strangers = await open(LIMIT - 1, '127.0.0.3');
      const [prometheus] = await open(1, '127.0.0.4');
      await answer(prometheus as Socket);
      await answer(kubelet as Socket);
      await eventually(() => expect(strangers[0]?.closed).to.equal(true));
      expect(closedOf(strangers)).to.equal(1);
    });

    it('are shared by clients that come one after the other, also if each is another', async () => {
      server = await listen((_request, response) => response.end('hello'), LOCAL);
      const strangers = (
        await Promise.all(
          Array.from({ length: LIMIT }, (_, index) => open(1, `127.1.${index >> 8}.${index & 255 || 1}`)),
        )
      ).flat();
      const [probe] = await open(1, '127.0.0.2');
      await answer(probe as Socket);
      await eventually(() => expect(closedOf(strangers)).to.equal(1));
    });

    it('spare those that are at work', async () => {
      const { held } = await holding();
      const busy = await open(10, '127.0.0.3');
      for (const socket of busy) socket.write(request('/'));
      await eventually(() => expect(held).to.have.length(10));
      const idle = await open(LIMIT - 10, '127.0.0.3');
      const [first, second] = await open(2, '127.0.0.2');
      first?.write(request('/probe'));
      second?.write(request('/probe'));
      await eventually(() => expect(held).to.have.length(12));
      expect([closedOf(busy), closedOf(idle)]).to.deep.equal([0, 2]);
    });
  });
});
