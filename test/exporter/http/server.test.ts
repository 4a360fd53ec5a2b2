import { EventEmitter, once } from 'node:events';
import { Agent, get, type IncomingMessage, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { ListenError, listen, type RunningServer } from '../../../src/exporter/http/server.js';
import { LOCAL } from '../../support/http-server.js';

const hello: RequestListener = (_request, response) => response.end('hello');
const fetchWith = async (agent: Agent, url: string) => {
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  return { headers: response.headers, body: text(response) };
};

/** A deadline that a test does not live to see: what ends has not waited for it. */
const NEVER = { deadlineMs: 1_000_000 };

describe('listen', () => {
  it('serves at the URL that it gives', async () => {
    const server = await listen(hello, LOCAL);
    expect(await (await fetch(server.url)).text()).to.equal('hello');
    await server.close();
  });

  it('puts an IPv6 address into brackets', async function () {
    const server = await listen(hello, { ...LOCAL, host: '::1' }).catch(() => {
      console.warn('SKIPPED: this machine has no IPv6 loopback address.');
      return this.skip();
    });
    expect(server.url).to.match(/^http:\/\/\[::1\]:\d+$/);
    expect(await (await fetch(server.url)).text()).to.equal('hello');
    await server.close();
  });

  it('reports an error of the socket after the start, and goes on', async () => {
    const errors: string[] = [];
    const server = await listen(
      (request, response) => {
        // As Node.js does when the system has no memory for another connection.
        (request.socket as Socket & { readonly server: EventEmitter }).server.emit(
          'error',
          new Error('accept ENOBUFS'),
        );
        response.end('hello');
      },
      { ...LOCAL, onError: (error) => errors.push(error.message) },
    );
    expect(await (await fetch(server.url)).text()).to.equal('hello');
    expect(await (await fetch(server.url)).text()).to.equal('hello');
    expect(errors).to.deep.equal(['accept ENOBUFS', 'accept ENOBUFS']);
    await server.close();
  });

  it('says that a port is taken, and what to do', async () => {
    const server = await listen(hello, LOCAL);
    const port = Number(new URL(server.url).port);
    const error = await listen(hello, { ...LOCAL, port }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(ListenError);
    expect(error).to.have.property(
      'message',
      `Port ${port} on 127.0.0.1 is already in use. Stop the other program or set PORT.`,
    );
    await server.close();
  });

  it('says that an address belongs to another machine', async () => {
    const error = await listen(hello, { ...LOCAL, host: '192.0.2.1' }).catch((reason: unknown) => reason);
    expect(error).to.have.property(
      'message',
      'The address 192.0.2.1 does not belong to this machine. Set HOST to one that does, or to 0.0.0.0.',
    );
  });

  it('says that a host name has no address', async () => {
    const error = await listen(hello, { ...LOCAL, host: 'nowhere.invalid' }).catch((reason: unknown) => reason);
    expect(error).to.have.property(
      'message',
      'The host name nowhere.invalid cannot be resolved. Set HOST to an address of this machine.',
    );
  });

  it('explains a port that needs privileges, and passes on what it does not know', () => {
    const denied = Object.assign(new Error('listen EACCES'), { code: 'EACCES' });
    expect(new ListenError('0.0.0.0', 80, denied).message).to.equal(
      'No permission to listen on port 80 of 0.0.0.0. Set PORT to 1024 or above.',
    );
    expect(new ListenError('h', 1, new Error('odd')).message).to.equal('Cannot listen on port 1 of h: odd');
  });
});

describe('close', () => {
  let agent: Agent;
  beforeEach(() => {
    agent = new Agent({ keepAlive: true });
  });
  afterEach(() => agent.destroy());

  /** A server whose requests wait until `release`; `arrived` resolves with the first one. */
  async function slowServer(
    answer: RequestListener,
  ): Promise<{ server: RunningServer; arrived: Promise<unknown>; release: () => void }> {
    const events = new EventEmitter();
    const arrived = once(events, 'arrived');
    const released = once(events, 'released');
    const server = await listen(async (request, response) => {
      if (request.url === '/started') response.write('start ');
      events.emit('arrived');
      await released;
      answer(request, response);
    }, LOCAL);
    return { server, arrived, release: () => events.emit('released') };
  }

  it('does not wait for an idle keep-alive connection, nor for one that never sent a request', async () => {
    const server = await listen(hello, LOCAL);
    await (await fetchWith(agent, server.url)).body;
    const silent = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(silent, 'connect');
    await server.close(NEVER);
    silent.destroy();
  });

  for (const path of ['/', '/started']) {
    it(`lets a request in flight at ${path} finish, then ends at once`, async () => {
      const { server, arrived, release } = await slowServer(hello);
      const answer = fetchWith(agent, server.url + path);
      await arrived;
      const closed = server.close(NEVER);
      setTimeout(release, 100);
      expect(await (await answer).body).to.match(/hello$/);
      if (path === '/') expect((await answer).headers.connection).to.equal('close');
      await closed;
    });
  }

  it('lets a slow reader have the whole of a long answer that is written already', async () => {
    const body = Buffer.alloc(30_000_000);
    const server = await listen((_request, response) => response.end(body), LOCAL);
    const { body: received } = await fetchWith(agent, server.url);
    // The test and the server share a thread: not more than the buffers of the system is sent so far.
    const closed = server.close();
    expect(await received).to.have.length(body.length);
    await closed;
  });

  it('accepts no new connection meanwhile', async () => {
    const { server, arrived, release } = await slowServer(hello);
    const answer = fetchWith(agent, server.url);
    await arrived;
    const closed = server.close();
    const refused = await fetch(server.url).catch((error: Error) => error.cause);
    expect(refused).to.have.property('code', 'ECONNREFUSED');
    release();
    await (await answer).body;
    await closed;
  });

  it('cuts off at the deadline what still runs', async () => {
    const { server, arrived } = await slowServer(hello);
    const answer = fetchWith(agent, server.url).catch((error: unknown) => error);
    await arrived;
    await server.close({ deadlineMs: 100 });
    expect(await answer).to.have.property('code', 'ECONNRESET');
  });

  it('may be asked twice', async () => {
    const server = await listen(hello, LOCAL);
    await Promise.all([server.close(), server.close()]);
    await server.close();
  });
});
