import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { expect } from 'chai';
import { follow, stageOf } from '../../../src/exporter/prometheus/connecting.js';
import { createCertificates } from '../../support/certificates.js';
import { closeServers, startRawServer, startServer, startTlsServer } from '../../support/http-server.js';
import { eventually, within } from '../../support/waiting.js';

/** A limit that a test waits for, one that is enough to connect on a busy machine, and one that no test comes to. */
const SHORT_MILLISECONDS = 30;
const ENOUGH_MILLISECONDS = 1_000;
const LONG_MILLISECONDS = 60_000;

/** The error that a request ends with. */
const failureOf = (request: http.ClientRequest) =>
  within(
    60_000,
    'the end of the request',
    new Promise<NodeJS.ErrnoException>((resolve) => request.once('error', resolve)),
  );

/** A socket that is being connected, and never will be. */
function hangingSocket(): net.Socket {
  return Object.defineProperty(new net.Socket(), 'connecting', { value: true, writable: true });
}

describe('a request that is followed', () => {
  afterEach(closeServers);

  it('ends when nothing accepts its connection', async () => {
    const request = follow(http.get('http://192.0.2.1/', { createConnection: hangingSocket }), SHORT_MILLISECONDS);
    const error = await failureOf(request);
    expect(error).to.deep.include({ code: 'ETIMEDOUT', message: 'no connection within 0.03 s' });
    expect(stageOf(request)).to.equal('connection');
  });

  it('ends when its host has no address in time', async () => {
    const request = follow(http.get('http://h.example.org/', { lookup: () => {} }), SHORT_MILLISECONDS);
    const error = await failureOf(request);
    expect(error).to.deep.include({ code: 'EAI_AGAIN', message: 'no address of the host name within 0.03 s' });
    expect(stageOf(request)).to.equal('lookup');
  });

  it('ends when a tunnel is not made', async () => {
    const agent = Object.assign(new http.Agent(), { addRequest: () => {} });
    const request = follow(http.get('http://192.0.2.1/', { agent }), SHORT_MILLISECONDS);
    expect((await failureOf(request)).code).to.equal('ETIMEDOUT');
    expect(stageOf(request)).to.equal('connection');
  });

  it('waits for the answer of a server that took the connection, whatever the limit', async () => {
    const url = await startServer((_request, response) => {
      setTimeout(() => response.end('late'), 2 * ENOUGH_MILLISECONDS);
    });
    const request = http.get(url);
    const answered = new Promise((resolve) => request.once('response', (response) => resolve(response.statusCode)));
    follow(request, ENOUGH_MILLISECONDS);
    expect(await answered).to.equal(200);
    expect(stageOf(request)).to.equal('answer');
  });

  it('tells the handshake from the answer', async () => {
    const silent = await startRawServer(() => {});
    const stuck = follow(https.get(`https://${silent}`), LONG_MILLISECONDS);
    stuck.once('error', () => {});
    await eventually(() => expect(stageOf(stuck)).to.equal('handshake'));
    stuck.destroy();
    const { valid } = await createCertificates();
    const url = await startTlsServer(valid, () => {});
    const waiting = follow(https.get(url, { rejectUnauthorized: false }), LONG_MILLISECONDS);
    waiting.once('error', () => {});
    await eventually(() => expect(stageOf(waiting)).to.equal('answer'));
    waiting.destroy();
  });

  it('begins with the answer on a connection that was kept', async () => {
    const url = await startServer((_request, response) => void response.end());
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let round = 0; round < 2; round++) {
      const request = follow(http.get(url, { agent }), LONG_MILLISECONDS);
      await new Promise((resolve) => request.once('response', (response) => response.resume().once('end', resolve)));
      expect(request.reusedSocket).to.equal(round > 0);
      expect(stageOf(request)).to.equal('answer');
      await new Promise(setImmediate);
    }
    agent.destroy();
  });
});
