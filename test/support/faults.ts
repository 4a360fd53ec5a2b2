/**
 * The injected faults, with the expected effect of each. The tests go through these tables, and docs/faults.md is
 * generated from them.
 */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { type Behaviour, type Exchange, type FaultSwitch, passOn } from './fault-proxy.js';
import { topicOf } from './small-cluster.js';

/** One fault between the exporter and Prometheus. */
export interface UpstreamFault {
  /** What Prometheus, or something in front of it, does. */
  readonly name: string;
  readonly fault: FaultSwitch;
  /**
   * The pods in the scrape during the fault, from the usual ones: `none` means `k8s_anomaly_detector_up 0`, everything else
   * `k8s_anomaly_detector_up 1`.
   */
  readonly pods: 'none' | { readonly named: string; of(usual: readonly string[]): readonly string[] };
  /** How the fault shows in `/healthz` or in the metrics. */
  readonly says: RegExp;
  /** The same in words, for the docs. */
  readonly sees: string;
  /** It ends by a timeout alone: who asks may say that it waits for a short time only. */
  readonly lasts?: true;
}

/** The form of an answer, as far as faults change it. */
interface Series {
  metric: Record<string, string>;
  values?: [number, string][];
  value?: [number, string];
}

const MEBIBYTE = 1024 * 1024;

/** More than the exporter accepts. Compressed it is a thousandth of that. */
const BOMB_BYTES = 300 * MEBIBYTE;

const answerWith =
  (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  ({ response }) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);
  };

/** HTTP 200 with JSON in place of the answer. */
const json = (value: unknown): Behaviour => answerWith(200, JSON.stringify(value));

const success = (data: unknown) => json({ status: 'success', data });

const matrix = (result: unknown) => success({ resultType: 'matrix', result });

/** Parses the answer, changes its series and sends the result. Answers about owners do not change. */
const rewrite =
  (change: (series: Series[], topic: string) => unknown): Behaviour =>
  async ({ query, response, upstream }) => {
    const answer = JSON.parse((await upstream()).body) as { data: { result: Series[] } };
    const topic = topicOf(query);
    if (!topic.startsWith('kube_')) answer.data.result = change(answer.data.result, topic) as Series[];
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
  };

/** Adds fields beside the data of the answer. */
const beside =
  (fields: object): Behaviour =>
  async ({ response, upstream }) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ ...JSON.parse((await upstream()).body), ...fields }));
  };

/** Replaces every sample. */
const samples = (change: (sample: [number, string], isLast: boolean) => [number, string]): Behaviour =>
  rewrite((result) =>
    result.map((series) => ({
      ...series,
      ...(series.values && {
        values: series.values.map((sample, index, all) => change(sample, index === all.length - 1)),
      }),
      ...(series.value && { value: change(series.value, true) }),
    })),
  );

/** Adds copies of the first pod under these names. */
const named = (...names: readonly string[]): Behaviour =>
  rewrite((result) => {
    const [first] = result;
    if (first === undefined) return result;
    return [...result, ...names.map((pod) => ({ ...first, metric: { ...first.metric, pod } }))];
  });

/** The start of the real answer, then what `rest` does. */
const halfOf =
  (rest: (exchange: Exchange, half: Buffer) => void): Behaviour =>
  async (exchange) => {
    const body = Buffer.from((await exchange.upstream()).body);
    exchange.response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    exchange.response.write(body.subarray(0, body.length / 2), () => rest(exchange, body));
  };

/** The same piece again and again, until the client disconnects. */
const endless =
  (piece: Buffer): Behaviour =>
  async ({ response }) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    while (!response.destroyed) {
      // A closed connection never drains.
      if (response.write(piece)) await sleep(0);
      else await Promise.race([once(response, 'drain'), sleep(100)]);
    }
  };

const bomb = (encoding: string, compress: (bytes: Buffer) => Buffer): Behaviour => {
  let compressed: Buffer | undefined;
  return ({ response }) => {
    // Created on first use, because it takes a second.
    compressed ??= compress(Buffer.alloc(BOMB_BYTES, ' '));
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': encoding });
    response.end(compressed);
  };
};

const drip: Behaviour = async ({ response, upstream }) => {
  const { body } = await upstream();
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  for (let sent = 0; sent < body.length && !response.destroyed; sent++) {
    response.write(body.charAt(sent));
    await sleep(1000);
  }
};

const bytes =
  (text: string): Behaviour =>
  ({ response }) => {
    response.socket?.end(text);
  };

const hang: Behaviour = () => {};

const none = { pods: 'none' } as const;
const all = { named: 'all pods', of: (usual: readonly string[]) => usual };
const noPod = { named: 'no pods, with `k8s_anomaly_detector_up 1`', of: () => [] };

const connection: readonly UpstreamFault[] = [
  {
    ...none,
    name: 'refuses connections',
    fault: 'refuse',
    says: /ECONNREFUSED/,
    sees: '“Is Prometheus running?”',
  },
  {
    ...none,
    name: 'resets the connection before the answer',
    fault: ({ response }) => void (response.socket as import('node:net').Socket).resetAndDestroy(),
    says: /ECONNRESET/,
    sees: '“read ECONNRESET”',
  },
  {
    ...none,
    name: 'closes the connection without an answer',
    fault: ({ response }) => void response.destroy(),
    says: /socket hang up/,
    sees: '“socket hang up”',
  },
  {
    ...none,
    name: 'resets the connection in the middle of the body',
    fault: halfOf(({ response }) => void (response.socket as import('node:net').Socket).resetAndDestroy()),
    says: /ECONNRESET|aborted/,
    sees: '“an incomplete answer”',
  },
  {
    ...none,
    name: 'closes the connection in the middle of the body',
    fault: halfOf(({ response }) => void response.destroy()),
    says: /aborted|ECONNRESET/,
    sees: '“an incomplete answer”',
  },
  {
    ...none,
    lasts: true,
    name: 'accepts and never answers',
    fault: hang,
    says: /in time|within/,
    sees: '“No result within”',
  },
  {
    ...none,
    lasts: true,
    name: 'sends half of the answer and then nothing',
    fault: halfOf(() => {}),
    says: /in time|within/,
    sees: '“No result within”',
  },
  {
    ...none,
    lasts: true,
    name: 'sends one byte a second',
    fault: drip,
    says: /in time|within/,
    sees: '“No result within”',
  },
  {
    ...none,
    name: 'speaks another protocol',
    fault: bytes('SSH-2.0-OpenSSH_9.2p1\r\n'),
    says: /Does the port speak/,
    sees: '“Does the port speak HTTPS?”',
  },
  {
    ...none,
    name: 'speaks HTTP/2 only',
    // Settings, as the first thing that such a server sends.
    fault: ({ response }) => void response.socket?.end(Buffer.from('000000040000000000', 'hex')),
    says: /an answer in HTTP\/2/,
    sees: '“an answer in HTTP/2”',
  },
  {
    ...none,
    name: 'sends headers without an end',
    fault: async ({ response }) => {
      const { socket } = response;
      socket?.write('HTTP/1.1 200 OK\r\n');
      for (let line = 0; socket?.writable && line < 10_000; line++) socket.write(`X-${line}: ${'x'.repeat(100)}\r\n`);
    },
    says: /HPE_HEADER_OVERFLOW/,
    sees: '“HPE_HEADER_OVERFLOW”',
  },
];

const status: readonly UpstreamFault[] = [
  {
    ...none,
    name: 'answers 500 with an error in JSON',
    fault: answerWith(500, '{"status":"error","errorType":"internal","error":"the disk is full"}'),
    says: /HTTP 500 \("the disk is full"\)/,
    sees: 'the error text of Prometheus',
  },
  {
    ...none,
    name: 'answers 502 with the error page of a proxy',
    fault: answerWith(502, '<html><h1>502 Bad Gateway</h1></html>', { 'Content-Type': 'text/html' }),
    says: /HTTP 502 .*Bad Gateway/,
    sees: 'the start of the page',
  },
  {
    ...none,
    name: 'answers 503 without a body',
    fault: answerWith(503, ''),
    says: /HTTP 503/,
    sees: 'the status',
  },
  {
    ...none,
    name: 'answers 429 with Retry-After: 3600',
    fault: answerWith(429, 'slow down', { 'Retry-After': '3600' }),
    says: /HTTP 429 .*Query less often/,
    sees: '“Query less often, or raise the limit”; the next scrape asks anyway',
  },
  {
    ...none,
    name: 'answers 401',
    fault: answerWith(401, 'no', { 'WWW-Authenticate': 'Basic' }),
    says: /HTTP 401/,
    sees: 'the setting for the password',
  },
  {
    ...none,
    name: 'answers 401 with “no org id” (Mimir, Cortex)',
    fault: answerWith(401, 'no org id'),
    says: /X-Scope-OrgID/,
    sees: 'the header for the tenant, `X-Scope-OrgID`',
  },
  {
    ...none,
    name: 'answers 414, as proxies do with a long GET',
    fault: answerWith(414, 'URI Too Long'),
    says: /PROMETHEUS_HTTP_METHOD to POST/,
    sees: '“set PROMETHEUS_HTTP_METHOD to POST”',
  },
  {
    ...none,
    name: 'runs in agent mode',
    fault: answerWith(422, '{"status":"error","errorType":"execution","error":"unavailable with Prometheus Agent"}'),
    says: /agent mode, which stores nothing/,
    sees: '“agent mode, which stores nothing”, and where to ask',
  },
  {
    ...none,
    name: 'is behind a mesh or an ingress (Envoy) that cannot reach it',
    fault: answerWith(503, 'upstream connect error or disconnect/reset before headers. reset reason: overflow'),
    says: /mutual TLS/,
    sees: '“gets no connection to Prometheus”, and what to look at',
  },
  {
    ...none,
    name: 'wants signed requests (Amazon)',
    fault: answerWith(403, '{"message":"Missing Authentication Token"}'),
    says: /a proxy that signs them/,
    sees: '“only requests that are signed (SigV4)”, and which proxy does that',
  },
  {
    ...none,
    name: 'is behind a proxy that takes POST for a change (OpenShift, the Kubernetes API)',
    fault: answerWith(403, 'Forbidden (user=a, verb=create, resource=pods, subresource=)'),
    says: /PROMETHEUS_HTTP_METHOD to GET/,
    sees: '“set PROMETHEUS_HTTP_METHOD to GET”',
  },
  {
    ...none,
    name: 'redirects to itself',
    fault: ({ response }) => void response.writeHead(307, { Location: '/api/v1/query_range' }).end(),
    says: /HTTP 307 to .* redirects to itself/,
    sees: '“redirects to itself”, and the most common reason',
  },
  {
    ...none,
    name: 'redirects to another host',
    fault: answerWith(302, '', { Location: 'http://login.example.org/?next=x' }),
    says: /HTTP 302 to http:\/\/login\.example\.org/,
    sees: 'the target; redirects are not followed',
  },
];

const body: readonly UpstreamFault[] = [
  {
    ...none,
    name: 'answers with a login page',
    fault: answerWith(200, '<!doctype html><title>Sign in</title>', { 'Content-Type': 'text/html' }),
    says: /not JSON .*Sign in/,
    sees: 'the start of the page',
  },
  {
    ...none,
    name: 'answers with nothing',
    fault: answerWith(200, ''),
    says: /0 bytes/,
    sees: '“not JSON”',
  },
  {
    ...none,
    name: 'answers with truncated JSON',
    fault: async ({ response, upstream }) => {
      const { body: text } = await upstream();
      response.end(text.slice(0, text.length / 2));
    },
    says: /not JSON/,
    sees: '“not JSON”',
  },
  ...(
    [
      ['an array', json([]), /a list instead of an object/],
      ['null', json(null), /null instead of an object/],
      ['a number', json(42), /42 instead of an object/],
      ['an error under HTTP 200', json({ status: 'error', error: 'too many' }), /too many/],
      ['no data', json({ status: 'success' }), /nothing instead of an object at data/],
      ['another type of result', success({ resultType: 'scalar', result: [0, '1'] }), /"scalar" instead of "matrix"/],
      ['no list of series', matrix({}), /an object instead of a list/],
      ['series that are no objects', matrix([null]), /null instead of an object/],
      ['series without labels', matrix([{ values: [] }]), /nothing instead of an object of texts/],
      ['labels that are numbers', matrix([{ metric: { namespace: 1, pod: 2 }, values: [] }]), /an object of texts/],
      ['series without samples', matrix([{ metric: {} }]), /nothing instead of a list of samples/],
      ['values that are numbers', matrix([{ metric: {}, values: [[1, 1]] }]), /a pair of a time and a text/],
      ['samples of three', matrix([{ metric: {}, values: [[1, '1', 1]] }]), /a pair of a time and a text/],
      ['times that are texts', matrix([{ metric: {}, values: [['1', '1']] }]), /a pair of a time and a text/],
      ['times that are null', matrix([{ metric: {}, values: [[null, '1']] }]), /a pair of a time and a text/],
    ] as const
  ).map(([what, fault, says]) => ({
    ...none,
    name: `answers with the wrong JSON: ${what}`,
    fault,
    says,
    sees: 'what was expected, what came, and where',
  })),
  {
    ...none,
    name: 'answers with JSON that is nested a million levels deep',
    fault: answerWith(200, `{"status":"success","data":${'['.repeat(1e6)}${']'.repeat(1e6)}}`),
    says: /a list instead of an object at data|in time|within/,
    sees: 'what was expected, what came, and where',
  },
  {
    name: 'answers with a duplicate key in its JSON',
    fault: async ({ response, upstream }) => {
      response.end((await upstream()).body.replace('{', '{"status":"error","status":"error",'));
    },
    pods: all,
    says: /k8s_anomaly_detector_up 1\n/,
    sees: 'not at all: the last value counts, as with `JSON.parse`',
  },
  {
    ...none,
    name: 'answers with a body that never ends',
    fault: endless(Buffer.alloc(MEBIBYTE, ' ')),
    says: /too large an answer|in time|within/,
    sees: '“too large an answer”',
  },
  ...(
    [
      ['gzip', (plain: Buffer) => gzipSync(plain, { level: 1 })],
      ['deflate', (plain: Buffer) => deflateSync(plain, { level: 1 })],
      ['br', (plain: Buffer) => brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ] as const
  ).map(([encoding, compress]) => ({
    ...none,
    name: `answers with a compression bomb (${encoding})`,
    fault: bomb(encoding, compress),
    says: /too large an answer|in time|within/,
    sees: '“too large an answer”',
  })),
  {
    ...none,
    name: 'declares gzip and sends plain text',
    fault: answerWith(200, 'plain', { 'Content-Encoding': 'gzip' }),
    says: /incorrect header check|cannot be read to its end/,
    sees: '“an incomplete answer”',
  },
];

/** Names that Kubernetes does not allow. The first ones are escaped, the others are dropped and counted. */
const ODD_NAMES = ['quo"ted', 'back\\slash', '{}} 1', '🐢', '__proto__', 'constructor', 'toString'];
const IMPOSSIBLE_NAMES = ['two\nlines', 'n\u0000ul', 'a,pod:b', 'a/b', 'x'.repeat(65_536), '\ud800', '\ud801'];

/** Moves the range of a query before it is answered. */
const moveRange =
  (move: (times: { start: number; end: number; step: number }) => { start: number; end: number }): Behaviour =>
  (exchange) => {
    const { form } = exchange;
    const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
    if (exchange.path.includes('/query_range') && start && end && step) {
      for (const [name, seconds] of Object.entries(move({ start, end, step }))) form.set(name, String(seconds));
    }
    return passOn(exchange);
  };

const down = (seconds: number, step: number) => Math.floor(seconds / step) * step;
const up = (seconds: number, step: number) => Math.ceil(seconds / step) * step;

/** As Thanos, Cortex and Mimir do; and VictoriaMetrics, whose number of instants stays the same. */
export const alignDown = moveRange(({ start, end, step }) => ({ start: down(start, step), end: down(end, step) }));

const alignOutwards = moveRange(({ start, end, step }) => ({ start: down(start, step), end: up(end, step) }));

/** The newest value once more, at the end that was asked for. */
const fastForward: Behaviour = async (exchange) => {
  const end = Number(exchange.form.get('end'));
  const add = rewrite((result) =>
    result.map((series) => {
      const newest = series.values?.at(-1);
      return newest === undefined || newest[0] >= end
        ? series
        : { ...series, values: [...(series.values ?? []), [end, newest[1]] as [number, string]] };
    }),
  );
  const { form } = exchange;
  if (!exchange.path.includes('/query_range')) return passOn(exchange);
  const step = Number(form.get('step'));
  form.set('start', String(down(Number(form.get('start')), step)));
  form.set('end', String(down(end, step)));
  return add(exchange);
};

const unchanged = rewrite((result) => result);
const newcomer = named('newcomer-0');

const data: readonly UpstreamFault[] = [
  {
    name: 'has every series twice',
    fault: rewrite((result) => [...result, ...result]),
    pods: all,
    says: /k8s_anomaly_detector_series_dropped\{reason="duplicate"\}/,
    sees: '`k8s_anomaly_detector_series_dropped{reason="duplicate"}`',
  },
  ...(['NaN', '+Inf', '-Inf', 'no number'] as const).map(
    (text): UpstreamFault => ({
      name: `has ${text} as the last value of all pods`,
      fault: samples(([time, value], isLast) => [time, isLast ? text : value]),
      pods: noPod,
      says: /k8s_anomaly_detector_pods_unscored\{reason="not_finite"\}/,
      sees: '`k8s_anomaly_detector_pods_unscored{reason="not_finite"}`',
    }),
  ),
  {
    name: 'has pods with quotes, backslashes, emoji and `__proto__` in their names',
    fault: named(...ODD_NAMES),
    pods: {
      named: 'all pods, these too',
      of: (usual) => [...usual, ...ODD_NAMES.map((pod) => `shop/${pod}`)],
    },
    says: /quo\\"ted/,
    sees: 'the pods, escaped as the text format requires',
  },
  {
    name: 'has pods with line feeds, NUL, commas, slashes, lone surrogates and 64 KiB in their names',
    fault: named(...IMPOSSIBLE_NAMES),
    pods: all,
    says: /k8s_anomaly_detector_series_dropped\{reason="bad_name"\}/,
    sees: '`k8s_anomaly_detector_series_dropped{reason="bad_name"}`',
  },
  {
    name: 'has no pods',
    fault: rewrite(() => []),
    pods: noPod,
    says: /the query found no series/,
    sees: '`k8s_anomaly_detector_pods_scored 0`, a warning in `/healthz`',
  },
  {
    name: 'says that there is nothing as older Cortex and the frontend of Google do (null, and a type that is empty)',
    fault: success({ resultType: '', result: null }),
    pods: noPod,
    says: /the query found no series/,
    sees: '`k8s_anomaly_detector_pods_scored 0`, a warning in `/healthz`',
  },
  {
    ...none,
    name: 'answers with native histograms',
    fault: matrix([{ metric: { namespace: 'shop', pod: 'cart-0' }, histograms: [[1, { count: '1', sum: '1' }]] }]),
    says: /a native histogram instead of numbers/,
    sees: '“a native histogram instead of numbers”, and functions that make numbers',
  },
  {
    name: 'has one pod',
    fault: rewrite((result) => result.slice(0, 1)),
    pods: { named: 'that pod', of: (usual) => usual.slice(0, 1) },
    says: /k8s_anomaly_detector_pods_scored 1\n/,
    sees: '`k8s_anomaly_detector_pods_scored 1`',
  },
  {
    name: 'replaces all pods at once',
    fault: rewrite((result) =>
      result.map((series) => ({ ...series, metric: { ...series.metric, pod: `${series.metric.pod}-next` } })),
    ),
    pods: { named: 'the new pods', of: (usual) => usual.map((pod) => `${pod}-next`) },
    says: /-next"/,
    sees: 'the new pods, compared with their workload or with all pods',
  },
  {
    ...none,
    name: 'fails for one of the features',
    fault: (exchange) => (topicOf(exchange.query) === 'memory' ? answerWith(500, 'no')(exchange) : unchanged(exchange)),
    says: /k8s_anomaly_detector_query_success\{query="memory"\} 0/,
    sees: '`k8s_anomaly_detector_query_success{query="memory"} 0`',
  },
  {
    lasts: true,
    name: 'has a new pod and hangs on the query for its owner',
    fault: (exchange) => (topicOf(exchange.query).startsWith('kube_') ? hang(exchange) : newcomer(exchange)),
    pods: { named: 'all pods', of: (usual) => [...usual, 'shop/newcomer-0'] },
    says: /Workloads of new pods are taken from their names/,
    sees: 'a warning in `/healthz`; the workload is derived from the name of the pod',
  },
  {
    name: 'aligns start and end to the step, as query frontends do',
    fault: alignDown,
    pods: all,
    says: /k8s_anomaly_detector_up 1\n/,
    sees: 'not at all: scrapes ask for whole minutes',
  },
  {
    name: 'aligns start and end, and adds the value of now (Trickster)',
    fault: fastForward,
    pods: all,
    says: /k8s_anomaly_detector_up 1\n/,
    sees: 'not at all',
  },
  {
    name: 'aligns the start down and the end up',
    fault: alignOutwards,
    pods: all,
    says: /k8s_anomaly_detector_up 1\n/,
    sees: 'not at all',
  },
  {
    name: 'sends 20,000 warnings with each answer',
    fault: beside({ warnings: Array.from({ length: 20_000 }, (_, index) => `store ${index} is down`) }),
    pods: all,
    says: /cpu: 19,990 more, which are not listed\./,
    sees: 'ten of them in `/healthz` for each query, and “19,990 more, which are not listed”',
  },
  {
    name: 'is a VictoriaMetrics cluster without a part of its storage',
    fault: beside({ isPartial: true }),
    ...none,
    says: /a partial answer \(`isPartial`\)\. A vmstorage is down/,
    sees: '“A vmstorage is down” in `/healthz`',
  },
  {
    name: 'has labels that would rewrite a terminal',
    fault: named('\u001b[2J', 'cart\u202e'),
    pods: {
      named: 'all pods, and one with the code of the character',
      of: (usual) => [...usual, 'shop/cart\\u{202e}'],
    },
    says: /k8s_anomaly_detector_series_dropped\{reason="bad_name"\}/,
    sees: 'characters that turn a text as their codes; pods with control characters are dropped',
  },
  {
    name: 'has a clock that is an hour behind',
    fault: samples(([time, value]) => [time - 3600, value]),
    pods: noPod,
    says: /k8s_anomaly_detector_pods_unscored\{reason="misaligned"\}|series_dropped\{reason="misaligned"\}/,
    sees: '`k8s_anomaly_detector_series_dropped{reason="misaligned"}`',
  },
  {
    name: 'has a clock that is an hour ahead',
    fault: samples(([time, value]) => [time + 3600, value]),
    pods: noPod,
    says: /k8s_anomaly_detector_pods_unscored\{reason="misaligned"\}/,
    sees: '`k8s_anomaly_detector_pods_unscored{reason="misaligned"}`',
  },
];

/** Faults of the exporter itself, of its machine, and of the process of Prometheus. */
export const PROCESS_FAULTS = {
  'Prometheus is restarted': {
    scrape: 'no pods until it answers again',
    sees: '“Is Prometheus running?”, then “Prometheus answers again”',
  },
  'The database of Prometheus is lost': {
    scrape: 'all pods, scored by the old model, and by new ones, which have the samples that were read before',
    sees: 'nothing, unless the exporter starts again within the next hour',
  },
  'The clock of the exporter jumps a day ahead': {
    scrape: 'no pods: Prometheus has no data for tomorrow',
    sees: '`k8s_anomaly_detector_pods_scored 0`, “the query found no series”',
  },
  'The clock of the exporter jumps a day back': {
    scrape: 'the pods of yesterday, or no pods if Prometheus has no data for that time',
    sees: '`k8s_anomaly_detector_pods_scored 0`, “the query found no series”; trainings continue',
  },
  'The training thread is killed': {
    scrape: 'all pods, scored by the old model',
    sees: '“The training thread ended without an outcome”, `k8s_anomaly_detector_last_training_success 0`',
  },
  'The training thread runs out of memory': {
    scrape: 'all pods, scored by the old model',
    sees: '“… MiB of heap, half of what this process has”, `k8s_anomaly_detector_last_training_success 0`',
  },
  'A training hangs': {
    scrape: 'all pods, scored by the old model',
    sees: 'the reason in `/healthz`, after 60 s for one request or one interval of the schedule for all',
  },
  'The disk under MODEL_PATH is full': {
    scrape: 'all pods, scored by the new model, which is not saved; the old file stays',
    sees: '`k8s_anomaly_detector_model_snapshot_last_save_success 0`, the reason in `/healthz`',
  },
  'SIGTERM during startup': {
    scrape: '—',
    sees: 'status 0; before Node.js has loaded the program, it ends by the signal',
  },
  'SIGTERM during a training': { scrape: '—', sees: '“Stopping on SIGTERM”, “Stopped”, status 0' },
  'SIGTERM during scrapes that hang': {
    scrape: 'answered before the process ends',
    sees: '“Stopping on SIGTERM”, “Stopped”, status 0 within 10 s',
  },
} as const satisfies Readonly<Record<string, { readonly scrape: string; readonly sees: string }>>;

/** What a training may lack that the one before had: what the model then rests on. */
export const TRAINING_FAULTS = {
  'Prometheus was down for 45 minutes': 'all pods keep their usual values',
  'Prometheus was down for 55 minutes': 'all pods keep their usual values',
  'the database of Prometheus has lost its past': 'all pods keep their usual values',
  'a replica of Prometheus answers that has no past': 'all pods keep their usual values',
  'one kubelet was out of reach for 48 minutes': 'its pods keep their usual values',
  'a store with half of the pods does not answer':
    'its pods and their workloads keep their usual values, for when they come back',
  'kube-state-metrics has no owners': 'pods stay in the workloads that they were in',
  'kube-state-metrics has no restarts':
    'the training fails (“the model of before knows them”), and the old model stays until it is too old',
} as const;

export type TrainingFaultName = keyof typeof TRAINING_FAULTS;

export type ProcessFaultName = keyof typeof PROCESS_FAULTS;

/** All of them, in the order of the docs. */
export const UPSTREAM_FAULTS: readonly UpstreamFault[] = [...connection, ...status, ...body, ...data];

/** @throws {Error} if no fault has that name. */
export function upstreamFault(name: string): UpstreamFault {
  const found = UPSTREAM_FAULTS.find((fault) => fault.name === name);
  if (found === undefined) throw new Error(`There is no fault with the name ${name}.`);
  return found;
}
