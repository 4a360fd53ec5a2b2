/** A `PrometheusApi` without a network, for the tests of what stands on it. */

import type { PrometheusApi, QueryResult } from '../../src/exporter/prometheus/api.js';
import { PrometheusError } from '../../src/exporter/prometheus/errors.js';
import type { Answer, FakeSample } from './small-cluster.js';

/** One question, instant (with both ends equal) or range. */
export interface AskedQuery {
  readonly kind: 'instant' | 'range';
  readonly query: string;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly stepSeconds: number;
  readonly signal: AbortSignal | undefined;
}

/** The API, and what it was asked. */
export interface FakeApi extends PrometheusApi {
  readonly asked: AskedQuery[];
  /** Awaited before each answer; may reject. Replace it at will. */
  before: (asked: AskedQuery) => Promise<void> | void;
  /** Sent with each answer. */
  warnings: string[];
}

/** Answers from a function. Like the real client, it rejects as soon as the signal aborts. */
export function fakeApi(answer: Answer): FakeApi {
  const ask = async (asked: AskedQuery): Promise<QueryResult> => {
    api.asked.push(asked);
    await untilAborted(asked.signal, async () => api.before(asked));
    return { ...gather(answer, asked), warnings: [...api.warnings], infos: [] };
  };
  const api: FakeApi = {
    asked: [],
    before: () => {},
    warnings: [],
    query: ({ query, timeSeconds, signal }) =>
      ask({
        kind: 'instant',
        query,
        startSeconds: timeSeconds,
        endSeconds: timeSeconds,
        stepSeconds: 1,
        signal,
      }),
    queryRange: (request) => ask({ kind: 'range', signal: undefined, ...request }),
  };
  return api;
}

async function untilAborted(signal = new AbortController().signal, work: () => Promise<void>): Promise<void> {
  let leave = () => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = () => {
      const timeout = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
      reject(new PrometheusError(timeout ? 'timeout' : 'aborted', 'The fake gave up on its signal.'));
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  try {
    await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** All instants from start to end, both included. */
export function instantsOf({
  startSeconds,
  endSeconds,
  stepSeconds,
}: Pick<AskedQuery, 'startSeconds' | 'endSeconds' | 'stepSeconds'>): number[] {
  if (!(stepSeconds > 0)) throw new Error(`Expected a step above 0, got ${stepSeconds}.`);
  const count = Math.floor((endSeconds - startSeconds) / stepSeconds + 1e-6) + 1;
  return Array.from({ length: count }, (_, index) => startSeconds + index * stepSeconds);
}

/** One series with its samples. */
export interface FakeSeries {
  readonly labels: FakeSample['labels'];
  readonly samples: { readonly timeSeconds: number; readonly value: number }[];
}

/** What tells series apart, for labels that were seen: those of a steady cluster are the same objects at each instant. */
const keys = new WeakMap<FakeSample['labels'], string>();

function keyOf(labels: FakeSample['labels']): string {
  const key = keys.get(labels) ?? JSON.stringify(Object.entries(labels).sort());
  keys.set(labels, key);
  return key;
}

/** The samples of all instants by series, in the order in which the series appear. */
export function seriesOf(answer: Answer, query: string, instants: readonly number[]): FakeSeries[] {
  const series = new Map<string, FakeSeries>();
  for (const timeSeconds of instants) {
    for (const { labels, value } of answer(query, timeSeconds)) {
      const key = keyOf(labels);
      const known = series.get(key) ?? { labels, samples: [] };
      known.samples.push({ timeSeconds, value });
      series.set(key, known);
    }
  }
  return [...series.values()];
}

function gather(answer: Answer, asked: AskedQuery): Omit<QueryResult, 'warnings' | 'infos'> {
  const series = seriesOf(answer, asked.query, instantsOf(asked));
  const samples = series.flatMap((one) => one.samples);
  const offsets = new Uint32Array(series.length + 1);
  series.forEach((one, index) => {
    offsets[index + 1] = (offsets[index] as number) + one.samples.length;
  });
  return {
    labels: series.map(({ labels }) => labels),
    offsets,
    timestampsSeconds: Float64Array.from(samples, ({ timeSeconds }) => timeSeconds),
    values: Float64Array.from(samples, ({ value }) => value),
  };
}
