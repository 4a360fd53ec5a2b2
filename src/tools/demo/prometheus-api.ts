/** The part of the Prometheus HTTP API that the exporter uses, in this process, with answers from any source. */

import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { messageOf } from '../../lib/logging/message-of.js';
import { listen, type RunningServer } from './listen.js';
import type { MetricSample } from './metric-family.js';
import type { Evaluate, ResolveQuery } from './queries.js';

/** The limit of Prometheus for the steps of a range query. */
const MAX_STEPS = 11_000;

/** An invalid request: status 400, `bad_data`. */
class BadData extends Error {}

/** Starts the API on 127.0.0.1. @param nowSeconds Unix time for requests without a time. @param port 0 takes a free one. */
export function startPrometheusApi(resolve: ResolveQuery, nowSeconds: () => number, port = 0): Promise<RunningServer> {
  return listen((request, response) => {
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    answer(request, resolve, nowSeconds).then(
      (data) =>
        data === undefined
          ? response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n')
          : send(200, { status: 'success', data }),
      (error: unknown) => {
        const [status, errorType] = error instanceof BadData ? [400, 'bad_data'] : [500, 'internal'];
        send(status as number, { status: 'error', errorType, error: messageOf(error) });
      },
    );
  }, port);
}

/** The `data` of the answer; `undefined` if there is no such endpoint. */
async function answer(request: IncomingMessage, resolve: ResolveQuery, nowSeconds: () => number): Promise<unknown> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const form = request.method === 'POST' ? new URLSearchParams(await text(request)) : undefined;
  const parameter = (name: string) => form?.get(name) ?? searchParams.get(name) ?? undefined;
  switch (pathname) {
    case '/api/v1/query': {
      const evaluate = known(parameter('query'), resolve);
      const time = seconds('time', parameter('time') ?? String(nowSeconds()));
      const result = evaluate(time).map(({ labels, value }) => ({
        metric: labels,
        value: point(time, value),
      }));
      return { resultType: 'vector', result };
    }
    case '/api/v1/query_range': {
      const evaluate = known(parameter('query'), resolve);
      const [start = 0, end = 0] = ['start', 'end'].map((name) => seconds(name, parameter(name)));
      const step = stepSeconds(parameter('step'));
      if (end < start) throw new BadData('invalid parameter "end": end timestamp must not be before start time');
      if ((end - start) / step > MAX_STEPS) {
        throw new BadData(
          'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
        );
      }
      return { resultType: 'matrix', result: matrix(evaluate, start, end, step) };
    }
    case '/api/v1/status/buildinfo': {
      const unknown = { branch: '', buildUser: '', buildDate: '', goVersion: '' };
      return { version: '2.42.0', revision: 'simulated', ...unknown };
    }
    default:
      return undefined;
  }
}

function known(query = '', resolve: ResolveQuery): Evaluate {
  const evaluate = resolve(query);
  if (evaluate === undefined) {
    throw new BadData(
      `invalid parameter "query": this simulated Prometheus answers only the built-in queries of the exporter, got: ${query}`,
    );
  }
  return evaluate;
}

/** Unix seconds, or an RFC 3339 date. */
function seconds(name: string, value: string | undefined): number {
  const parsed = value === undefined || value === '' ? NaN : Number(value);
  const time = Number.isNaN(parsed) ? Date.parse(value ?? '') / 1000 : parsed;
  if (!Number.isFinite(time)) {
    throw new BadData(`invalid parameter "${name}": cannot parse "${value ?? ''}" to a valid timestamp`);
  }
  return time;
}

/** Seconds, or a duration of whole seconds, minutes or hours. */
function stepSeconds(value = ''): number {
  const [, count, unit = 's'] = /^([\d.]+)([smh]?)$/.exec(value) ?? [];
  const step = Number(count) * (unit === 'h' ? 3600 : unit === 'm' ? 60 : 1);
  if (!(step > 0)) {
    throw new BadData(`invalid parameter "step": cannot parse "${value}" to a valid duration above 0`);
  }
  return step;
}

/** Values are strings because JSON has no NaN and no infinity. */
const point = (time: number, value: number): [number, string] => [time, String(value).replace('Infinity', 'Inf')];

function matrix(evaluate: Evaluate, start: number, end: number, step: number): unknown[] {
  const series = new Map<string, { metric: MetricSample['labels']; values: [number, string][] }>();
  for (let i = 0; start + i * step <= end; i++) {
    const time = start + i * step;
    for (const { labels, value } of evaluate(time)) {
      const key = JSON.stringify(labels);
      const line = series.get(key) ?? { metric: labels, values: [] };
      line.values.push(point(time, value));
      series.set(key, line);
    }
  }
  return [...series.values()];
}
