/**
 * What the plain service asks that the exporter succeeds: one Python process with scikit-learn, whose scrape is three
 * instant queries, one after the other, and whose training is the same three over an hour.
 */

import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';

const NAMESPACES = '.*';
const CONTAINERS = `container!="",container!="POD",namespace=~"${NAMESPACES}"`;

export const PLAIN_QUERIES: readonly string[] = [
  `sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{${CONTAINERS}}[1m]))`,
  `sum by (namespace, pod) (container_memory_usage_bytes{${CONTAINERS}})`,
  `sum by (namespace, pod) (kube_pod_container_status_restarts_total{namespace=~"${NAMESPACES}"})`,
];

const LOOKBACK_SECONDS = 3600;
const STEP_SECONDS = 60;

/** One query as it is sent. */
export type Asked =
  | { readonly query: string; readonly timeSeconds: number }
  | {
      readonly query: string;
      readonly startSeconds: number;
      readonly endSeconds: number;
      readonly stepSeconds: number;
    };

/** A scrape of the plain service at a time. */
export function plainScrape(timeSeconds: number): Asked[] {
  return PLAIN_QUERIES.map((query) => ({ query, timeSeconds }));
}

/** Its training at a time. */
export function plainTraining(endSeconds: number): Asked[] {
  const range = { startSeconds: endSeconds - LOOKBACK_SECONDS, endSeconds, stepSeconds: STEP_SECONDS };
  return PLAIN_QUERIES.map((query) => ({ query, ...range }));
}

const agent = new Agent({ keepAlive: true });

/**
 * Asks one query after the other, and parses each answer as JSON.
 *
 * @param encodings as the header says: that of Python's `requests` by default.
 * @returns bytes of the answers, as they were sent.
 */
export async function askInTurn(url: string, queries: readonly Asked[], encodings = 'gzip, deflate'): Promise<number> {
  let bytes = 0;
  for (const asked of queries) {
    const answer = await send(url, asked, encodings);
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    const isPacked = answer.headers['content-encoding'] === 'gzip';
    const { status, error } = JSON.parse(await text(isPacked ? answer.pipe(createGunzip()) : answer));
    if (status !== 'success') throw new Error(`Expected an answer to ${asked.query}, got: ${error}`);
  }
  return bytes;
}

function send(url: string, asked: Asked, encodings: string): Promise<IncomingMessage> {
  const isInstant = 'timeSeconds' in asked;
  const parameters = new URLSearchParams(
    isInstant
      ? { query: asked.query, time: String(asked.timeSeconds) }
      : {
          query: asked.query,
          start: String(asked.startSeconds),
          end: String(asked.endSeconds),
          step: String(asked.stepSeconds),
        },
  );
  const path = `/api/v1/${isInstant ? 'query' : 'query_range'}?${parameters}`;
  return new Promise((resolve, reject) => {
    request(url + path, { agent, headers: { 'Accept-Encoding': encodings } }, resolve)
      .on('error', reject)
      .end();
  });
}
