/**
 * A Prometheus that takes OTLP, and what an OpenTelemetry Collector sends to it that runs the receivers kubeletstats and
 * k8s_cluster and the processor k8sattributes: OTLP over HTTP, as JSON. Resources, attributes, units and types are those that
 * release 0.149.0 sent when a kubelet and an API server were made up for it.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../src/tools/demo/listen.js';
import { type RealServer, startPrometheus } from './real-servers.js';

/** A pod with one container, `app`, and its course. Times are Unix times in seconds. */
export interface CollectorPod {
  readonly namespace: string;
  readonly pod: string;
  /** By the attributes that name them: `k8s.deployment.name`. */
  readonly owners?: Readonly<Record<string, string>>;
  readonly node?: string;
  /** Cores; measured only where memory is. */
  readonly cpuAt?: (seconds: number) => number;
  readonly memoryAt?: (seconds: number) => number;
  readonly restartsAt?: (seconds: number) => number;
  /** 1 Pending, 2 Running, 3 Succeeded, 4 Failed, 5 Unknown. */
  readonly phase?: 1 | 2 | 3 | 4 | 5;
  /** Why its container waits. */
  readonly waitsFor?: string;
  /** The pod of the Collector that reports it, as labels: Prometheus adds them where it scrapes the Collector. */
  readonly collector?: string;
}

/** What the Collector is told to do. */
export interface CollectorOptions {
  /** Whether each resource is a service, without which Prometheus keeps no `target_info`. */
  readonly withService?: boolean;
  /** Whether counters hold what was added since the value before. */
  readonly deltas?: boolean;
}

/** The instants to send, in seconds. */
interface Span {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly stepSeconds: number;
}

/**
 * Starts a Prometheus that takes OTLP at `/api/v1/otlp/v1/metrics`.
 *
 * @param directory for its configuration and its data.
 * @param configuration such as `otlp`, which says how it stores what comes.
 */
export async function startOtlpPrometheus(
  directory: string,
  configuration: Readonly<Record<string, unknown>>,
  parameters: readonly string[] = [],
): Promise<RealServer> {
  const file = join(directory, 'prometheus.yml');
  await writeFile(file, JSON.stringify(configuration));
  return startPrometheus({
    directory,
    port: await freePort(),
    configuration: file,
    parameters: ['--web.enable-otlp-receiver', ...parameters],
  });
}

/** All series of one request must be within the hour that Prometheus takes at once. */
const SECONDS_PER_REQUEST = 600;

/** Sends what happened in a span to a server, in the order of time. @param url of the path that takes metrics. */
export async function sendAsCollector(
  url: string,
  pods: readonly CollectorPod[],
  span: Span,
  options: CollectorOptions = {},
): Promise<void> {
  for (const resourceMetrics of requestsOf(pods, span, options)) await post(url, JSON.stringify({ resourceMetrics }));
}

/**
 * Writes the same into a VictoriaMetrics, which takes no JSON of OTLP, in its own form: all attributes are labels, and names
 * stay as they are.
 *
 * @param url of the server.
 */
export async function importAsCollector(url: string, pods: readonly CollectorPod[], span: Span): Promise<void> {
  for (const resources of requestsOf(pods, span, {})) {
    const lines = resources.flatMap(({ resource: { attributes }, scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ name, gauge, sum }) =>
          (gauge ?? sum ?? { dataPoints: [] }).dataPoints.map((point) => {
            const labels = [...attributes, ...point.attributes].map(({ key, value }) => [key, value.stringValue]);
            return JSON.stringify({
              metric: { ...Object.fromEntries(labels), __name__: name },
              values: [point.asDouble],
              timestamps: [Number(point.timeUnixNano) / 1e6],
            });
          }),
        ),
      ),
    );
    await post(`${url}/api/v1/import`, lines.join('\n'));
  }
}

async function post(url: string, body: string): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!response.ok)
    throw new Error(`Expected ${url} to take metrics, got ${response.status}: ${await response.text()}`);
}

/** What is sent at once: resources with their metrics. */
function* requestsOf(
  pods: readonly CollectorPod[],
  { startSeconds, endSeconds, stepSeconds }: Span,
  options: CollectorOptions,
): Generator<readonly Resource[]> {
  for (let start = startSeconds; start < endSeconds; start += SECONDS_PER_REQUEST) {
    const end = Math.min(endSeconds, start + SECONDS_PER_REQUEST);
    const times: number[] = [];
    for (let time = start; time < end; time += stepSeconds) times.push(time);
    yield pods.flatMap((pod) => resourcesOf(pod, times, { ...options, startSeconds, stepSeconds }));
  }
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

interface Points {
  readonly dataPoints: readonly {
    readonly attributes: readonly Attribute[];
    readonly startTimeUnixNano: string;
    readonly timeUnixNano: string;
    readonly asDouble: number;
  }[];
}

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly gauge?: Points;
  readonly sum?: Points & { readonly aggregationTemporality: number; readonly isMonotonic: boolean };
}

type Resource = ReturnType<typeof resource>;

type Value = (seconds: number) => number;

function resourcesOf(
  one: CollectorPod,
  times: readonly number[],
  { withService = false, deltas = false, ...span }: CollectorOptions & Pick<Span, 'startSeconds' | 'stepSeconds'>,
): readonly Resource[] {
  const { cpuAt, memoryAt, restartsAt = () => 0, phase = 2, waitsFor } = one;
  const ofPod = {
    'k8s.namespace.name': one.namespace,
    'k8s.pod.name': one.pod,
    'k8s.pod.uid': `uid-of-${one.namespace}-${one.pod}`,
    ...one.owners,
    ...(one.collector !== undefined && { namespace: one.namespace, pod: one.collector, container: 'collector' }),
    ...(withService && { 'service.name': one.pod.replace(/-[^-]*$/, ''), 'service.instance.id': one.pod }),
  };
  const ofContainer = { ...ofPod, 'k8s.container.name': 'app' };
  const ofNode = { 'k8s.node.name': one.node ?? 'node-1' };
  const image = {
    'container.id': `id-of-${one.pod}`,
    'container.image.name': 'shop/app',
    'container.image.tag': 'v1.2',
  };
  const points = (valueAt: Value, attributes: Readonly<Record<string, string>> = {}) =>
    times.map((time) => ({
      attributes: attributesOf(attributes),
      startTimeUnixNano: `${deltas ? time - span.stepSeconds : span.startSeconds}000000000`,
      timeUnixNano: `${time}000000000`,
      asDouble: valueAt(time),
    }));
  const gauge = (name: string, unit: string, valueAt: Value) => ({
    name,
    unit,
    gauge: { dataPoints: points(valueAt) },
  });
  const sum = (name: string, dataPoints: Points['dataPoints'], temporality: number) => ({
    name,
    unit: 's',
    sum: { aggregationTemporality: temporality, isMonotonic: true, dataPoints },
  });
  const cpuTime = (valueAt: Value): Value => {
    // From the beginning of time in steps, so that each request goes on where the one before ended.
    if (deltas) return (time) => valueAt(time) * span.stepSeconds;
    return (time) => {
      let seconds = 0;
      for (let at = span.startSeconds; at < time; at += span.stepSeconds) seconds += valueAt(at) * span.stepSeconds;
      return seconds;
    };
  };
  const usage = (prefix: string, memory: Value, cpu: Value | undefined) => [
    ...(cpu === undefined
      ? []
      : [sum(`${prefix}.cpu.time`, points(cpuTime(cpu)), deltas ? 1 : 2), gauge(`${prefix}.cpu.usage`, '{cpu}', cpu)]),
    gauge(`${prefix}.memory.usage`, 'By', (time) => 1.1 * memory(time)),
    gauge(`${prefix}.memory.working_set`, 'By', memory),
    gauge(`${prefix}.memory.rss`, 'By', (time) => 0.8 * memory(time)),
  ];
  const measured =
    memoryAt === undefined
      ? []
      : [
          resource('kubeletstats', ofPod, usage('k8s.pod', memoryAt, cpuAt)),
          resource('kubeletstats', ofContainer, usage('container', memoryAt, cpuAt)),
        ];
  const reasons = ['CrashLoopBackOff', 'OOMKilled', 'ImagePullBackOff'].map((reason) =>
    points(() => Number(reason === waitsFor), { 'k8s.container.status.reason': reason }),
  );
  return [
    ...measured,
    resource('k8s_cluster', { ...ofPod, ...ofNode }, [gauge('k8s.pod.phase', '', () => phase)]),
    resource('k8s_cluster', { ...ofContainer, ...ofNode, ...image }, [
      gauge('k8s.container.cpu_limit', '{cpu}', () => 2),
      gauge('k8s.container.cpu_request', '{cpu}', () => 0.5),
      gauge('k8s.container.memory_limit', 'By', () => 2 ** 30),
      gauge('k8s.container.memory_request', 'By', () => 2 ** 29),
      gauge('k8s.container.restarts', '{restart}', restartsAt),
      {
        name: 'k8s.container.status.reason',
        unit: '{container}',
        sum: { aggregationTemporality: 2, isMonotonic: false, dataPoints: reasons.flat() },
      },
    ]),
  ];
}

const attributesOf = (values: Readonly<Record<string, string>>): readonly Attribute[] =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));

const resource = (receiver: string, attributes: Readonly<Record<string, string>>, metrics: readonly Metric[]) => ({
  resource: { attributes: attributesOf(attributes) },
  scopeMetrics: [
    {
      scope: { name: `github.com/open-telemetry/opentelemetry-collector-contrib/receiver/${receiver}receiver` },
      metrics,
    },
  ],
});
