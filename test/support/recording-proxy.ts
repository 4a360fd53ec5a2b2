/** A proxy before Prometheus that passes everything on, byte by byte, and notes what was asked and how large the answers are. */

import { request as ask, type IncomingMessage } from 'node:http';
import { listen } from '../../src/tools/demo/listen.js';
import { readBody } from './http-server.js';

/** One request, and its answer. */
export interface RecordedRequest {
  /** `/api/v1/query` or another. */
  readonly path: string;
  readonly form: URLSearchParams;
  /** Body of the answer, compressed as it was sent. */
  readonly answerBytes: number;
}

export interface RecordingProxy {
  readonly url: string;
  /** The requests whose answers have ended since the last call. */
  take(): RecordedRequest[];
  close(): Promise<void>;
}

/** What the engine of Prometheus read for a query. */
export interface SamplesRead {
  /** Over all instants: samples of windows count at each instant anew. */
  readonly total: number;
  /** The most that it held at a time. */
  readonly peak: number;
}

export async function startRecordingProxy(upstream: string): Promise<RecordingProxy> {
  let recorded: RecordedRequest[] = [];
  const server = await listen(async (request, response) => {
    try {
      const body = await readBody(request);
      const path = request.url ?? '';
      const { host: _host, connection: _connection, ...headers } = request.headers;
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const asked = ask(upstream + path, { method: request.method ?? 'GET', headers }, resolve);
        asked.on('error', reject).end(body);
      });
      let answerBytes = 0;
      answer.on('data', (chunk: Buffer) => {
        answerBytes += chunk.length;
      });
      answer.on('end', () => recorded.push({ path, form: new URLSearchParams(body), answerBytes }));
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', () => response.destroy()).pipe(response);
    } catch {
      // The exporter sees what a broken server shows: a connection that ends.
      response.destroy();
    }
  });
  return {
    url: server.url,
    take: () => {
      const taken = recorded;
      recorded = [];
      return taken;
    },
    close: () => server.close(),
  };
}

/** Whether it is PromQL, which reads samples. */
export function isQuery({ path }: Pick<RecordedRequest, 'path'>): boolean {
  return /^\/api\/v1\/query(?:_range)?(?:\?|$)/.test(path);
}

/**
 * Asks a query once more, for what Prometheus reads to answer it.
 *
 * @throws {Error} when the server does not tell: only Prometheus does.
 */
export async function samplesRead(url: string, { path, form }: RecordedRequest): Promise<SamplesRead> {
  const body = new URLSearchParams(form);
  body.set('stats', 'all');
  const response = await fetch(url + path, { method: 'POST', body });
  const text = await response.text();
  const total = /"totalQueryableSamples":(\d+)/.exec(text)?.[1];
  const peak = /"peakSamples":(\d+)/.exec(text)?.[1];
  if (total === undefined || peak === undefined) {
    throw new Error(`Expected ${path} to tell how many samples it read, got: ${text.slice(0, 200)}`);
  }
  return { total: Number(total), peak: Number(peak) };
}
