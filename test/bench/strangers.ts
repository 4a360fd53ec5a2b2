/**
 * What strangers cost who send requests without end: `npm run bench:strangers -- [PODS] [SECONDS]`. For each kind of request a
 * new exporter, whose memory is measured, and whose probe is asked all the time.
 */

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequest } from '../support/raw-http.js';
import { startChild } from './children.js';
import { Exporter } from './exporter.js';
import { format } from './measurement.js';

/** What a stranger does on each connection. */
interface Attack {
  readonly what: string;
  readonly connections: number;
  /** Bytes that are sent again and again. */
  readonly bytes: string;
  /** Whether the answers are read. */
  readonly reads: boolean;
}

const keep = (path: string, ...headers: readonly string[]) =>
  getRequest(path, ...headers).replace('Connection: close\r\n', '');
const pipelined = (path: string) => keep(path).repeat(1_000);

const ATTACKS: readonly Attack[] = [
  { what: 'nobody', connections: 0, bytes: '', reads: true },
  ...[
    '/docs/swagger-ui-bundle.js',
    '/openapi.json',
    '/metrics',
    '/detect',
    '/healthz',
    '/',
    '/nothing',
    '/-/healthy',
  ].flatMap((path) => [
    {
      what: `${path}, 1,000 at once on each of 40 connections, not read`,
      connections: 40,
      bytes: pipelined(path),
      reads: false,
    },
    { what: `${path}, the same, read`, connections: 40, bytes: pipelined(path), reads: true },
  ]),
  {
    what: '/detect?limit=0, one on each of 39 connections, not read',
    connections: 39,
    bytes: keep('/detect?limit=0'),
    reads: false,
  },
  {
    what: '/detect?limit=0, one on each of 39 connections, read',
    connections: 39,
    bytes: keep('/detect?limit=0'),
    reads: true,
  },
];

const only = process.argv[4];
const pods = Number(process.argv[2] ?? 10_000);
const seconds = Number(process.argv[3] ?? 10);

function assail(url: string, { bytes, reads }: Attack): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
  if (reads) socket.resume();
  else socket.pause();
  socket.write(bytes);
  return socket;
}

/** Seconds from the connection to the answer of a probe; `undefined` without an answer. */
function probe(url: string): Promise<number | undefined> {
  const started = performance.now();
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.once('data', () => {
      resolve((performance.now() - started) / 1000);
      socket.destroy();
    });
    socket.on('error', () => resolve(undefined)).once('close', () => resolve(undefined));
    socket.write(getRequest('/-/healthy'));
  });
}

async function measure(prometheusUrl: string, attack: Attack): Promise<string> {
  const exporter = new Exporter({ PROMETHEUS_URL: prometheusUrl, RETRAIN_SCHEDULE: '0 4 29 2 *', LOG_LEVEL: 'info' });
  try {
    await exporter.trained();
    const url = await exporter.listening();
    await exporter.scrape();
    await sleep(1_000);
    const before = exporter.memory()?.residentBytes ?? Number.NaN;
    const sockets = Array.from({ length: attack.connections }, () => assail(url, attack));
    const probes: number[] = [];
    let most = 0;
    let unanswered = 0;
    const end = performance.now() + 1000 * seconds;
    while (performance.now() < end) {
      const time = await probe(url);
      if (time === undefined) unanswered++;
      else probes.push(time);
      most = Math.max(most, exporter.memory()?.residentBytes ?? 0);
      await sleep(50);
    }
    for (const socket of sockets) socket.destroy();
    const longest = Math.max(...probes);
    return `| ${attack.what} | ${format(before, 'bytes')} | ${format(most, 'bytes')} | ${format(longest, 'seconds')} | ${unanswered} |`;
  } finally {
    await exporter.stop();
  }
}

const prometheus = await startChild<{ url: string }>('prometheus.js', [String(pods)], ['--max-old-space-size=8192']);
try {
  console.log(
    `| ${pods} pods, ${seconds} s | memory before | most memory | longest probe | probes without an answer |`,
  );
  console.log('| --- | --- | --- | --- | --- |');
  for (const attack of ATTACKS) {
    if (only !== undefined && !attack.what.includes(only)) continue;
    console.log(
      await measure(prometheus.first.url, attack).catch((e: Error) => `| ${attack.what} | ${e.message.slice(0, 200)}`),
    );
  }
} finally {
  await prometheus.stop();
}
