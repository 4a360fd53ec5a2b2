/** A port of 127.0.0.1 that drops packets, as behind a firewall: a full queue of a process that has been stopped. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LISTENER = `const server = require('node:net').createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => console.log(server.address().port));`;

/** More than the queue holds. */
const MOST_CONNECTIONS = 20;

export interface Unreachable {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  close(): Promise<void>;
}

export async function startUnreachable(): Promise<Unreachable> {
  const child = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const port = Number(line);
  child.kill('SIGSTOP');
  const sockets: net.Socket[] = [];
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  for (let count = 0; count < MOST_CONNECTIONS; count++) {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    await Promise.race([once(socket, 'connect'), sleep(500)]);
    if (socket.connecting) return { address: `127.0.0.1:${port}`, close };
  }
  await close();
  throw new Error('Expected the queue of a stopped process to become full.');
}
