/** Small worlds for the tests of the HTTP side. */

import { NO_CONTEXT } from '../../src/exporter/context/pod-context.js';
import type { Detection, PassOutcome, PassReport } from '../../src/exporter/detection/detection.js';
import { NO_EPISODES } from '../../src/exporter/episodes/episodes.js';
import { FeatureTable } from '../../src/exporter/features/table.js';
import { NO_FORECAST } from '../../src/exporter/forecast/forecast-state.js';
import type { Access } from '../../src/exporter/http/access.js';
import type { AppDependencies, Exporter } from '../../src/exporter/http/dependencies.js';
import { METRICS_CONTENT_TYPE } from '../../src/exporter/http/endpoints.js';
import type { HealthReport } from '../../src/exporter/http/schemas.js';
import type { PrometheusErrorKind } from '../../src/exporter/prometheus/errors.js';
import { OPEN } from '../../src/lib/web-config/config.js';
import { additiveModel } from './additive-model.js';
import { scoredAs } from './scored.js';
import { feature } from './tables.js';

/** A pod name that no Kubernetes accepts, for views that must not trust that. */
export const HOSTILE = `</script><img src=x onerror="alert('1')">&`;

/** Five minutes after the passes here. */
const NOW_MILLISECONDS = Date.parse('2026-01-01T00:05:00Z');

const passReport: PassReport = {
  timeSeconds: 1767225600,
  durationSeconds: 0.1,
  queries: [],
  warnings: [],
  isPartial: false,
};

/** A pass that came to nothing. */
export function failedPass(
  kind: 'no_model' | 'timeout' | 'upstream_error' | 'internal',
  message: string,
  cause: PrometheusErrorKind = 'unavailable',
): PassOutcome {
  return kind === 'internal'
    ? { ...passReport, kind, message, error: new Error('A secret of the log.') }
    : kind === 'upstream_error'
      ? { ...passReport, kind, message, cause }
      : { ...passReport, kind, message };
}

/** A pass that scored the given pods, each of a workload of its own where none is given. Each pod has cpu 1, memory 2, …, usually 1.5 lower, 3 spreads away. */
export function passOf(
  pods: readonly { namespace: string; pod: string; score: number; workload?: string }[],
  features: readonly string[] = ['cpu', 'memory', 'restarts'],
): PassOutcome {
  const cells = pods.flatMap(() => features.map((_, column) => column + 1));
  const detection: Detection = {
    timeSeconds: passReport.timeSeconds,
    model: additiveModel(features.map((name) => feature(name, { unit: `${name}-unit` }))),
    table: new FeatureTable({
      features,
      pods: pods.map(({ namespace, pod, workload = `${pod}-workload` }) => ({ namespace, pod, workload })),
      timestampsSeconds: Float64Array.of(passReport.timeSeconds),
      values: Float64Array.from(cells),
    }),
    ...scoredAs(...pods.map(({ score }) => score)),
    expected: Float64Array.from(cells, (value) => value - 1.5),
    deviations: new Float64Array(cells.length).fill(3),
    comparisons: new Uint8Array(cells.length),
    inputs: new Float64Array(cells.length).fill(3),
    unscored: new Map(),
    droppedSeries: new Map(),
  };
  return { ...passReport, kind: 'detection', detection };
}

/** The state before the first training and the first pass. */
export const freshHealth: HealthReport = {
  status: 'degraded',
  version: '1.2.3',
  prometheus: { url: 'http://prometheus:9090', up: null, last_error: null },
  model: {
    trained: false,
    origin: null,
    trained_at: null,
    window_start: null,
    window_end: null,
    age_seconds: null,
    fingerprint: null,
    baseline: 'pod',
    features: [],
    threshold: null,
    samples: null,
    pods: null,
    kept: null,
  },
  training: { running: true, runs: 0, failures: 0, last_success: null, last_error: null, next_run: null },
  snapshot: null,
  history: null,
  budget: null,
  shard: null,
  context: { time: null, pods: 0, last_error: null },
  check: { last_success: null, last_error: null, findings: [] },
  last_pass: null,
};

/** The state after a day of work, with one failure of each kind. */
export const seasonedHealth: HealthReport = {
  status: 'ok',
  version: '1.2.3',
  prometheus: {
    url: 'http://prometheus:9090',
    up: true,
    last_error: { message: 'Prometheus did not answer within 5 s.', time: '2026-01-01T00:00:00Z' },
  },
  model: {
    trained: true,
    origin: 'snapshot',
    trained_at: '2026-01-01T00:00:10Z',
    window_start: '2025-12-31T23:00:00Z',
    window_end: '2026-01-01T00:00:00Z',
    age_seconds: 300,
    fingerprint: 'a1b2c3',
    baseline: 'pod',
    features: ['cpu', 'memory', 'restarts'],
    threshold: 0.6,
    samples: 7320,
    pods: 120,
    kept: { pods: 2, absent_pods: 0, workloads: 1 },
  },
  training: {
    running: false,
    runs: 96,
    failures: 1,
    last_success: '2026-01-01T00:00:10Z',
    last_error: { message: 'Prometheus answered 503.', time: '2025-12-31T12:00:00Z' },
    next_run: '2026-01-01T00:15:00Z',
  },
  snapshot: {
    path: '/var/lib/k8s-anomaly-detector/model',
    trained_at: '2026-01-01T00:00:10Z',
    size_bytes: 123456,
    last_save_succeeded: false,
    last_error: { message: 'The disk is full.', time: '2026-01-01T00:00:10Z' },
  },
  history: {
    days: 7,
    known_days: 2.25,
    missing_hours: 114,
    workloads: 80,
    size_bytes: 345_678,
    failing: false,
    last_error: { message: 'Prometheus answered 503.', time: '2025-12-31T12:00:00Z' },
    file: {
      path: '/var/lib/k8s-anomaly-detector/model.history',
      saved_at: '2026-01-01T00:00:10Z',
      size_bytes: 234_567,
      last_save_succeeded: true,
      last_error: null,
    },
  },
  budget: {
    per_day: 4,
    expected_per_day: 3.5,
    recent_workloads_per_day: 1.25,
    last_day: 2,
    counted_since: '2025-12-31T22:00:00Z',
    workloads: 80,
    known_days: 6,
    accepted_levels: [],
  },
  shard: { ordinal: 1, total: 3, namespaces: 7, message: null },
  context: {
    time: '2026-01-01T00:05:00Z',
    pods: 3,
    last_error: { message: 'Prometheus answered 503.', time: '2025-12-31T12:00:00Z' },
  },
  check: {
    last_success: '2026-01-01T00:00:12Z',
    last_error: { message: 'Prometheus answered 503.', time: '2025-12-31T12:00:01Z' },
    findings: [
      {
        check: 'rate_window',
        severity: 'warning',
        summary: 'The window holds two samples.',
        meaning: 'A missed scrape is a gap.',
        advice: 'Set CPU_RATE_WINDOW to 2m or more.',
        time: '2026-01-01T00:00:12Z',
      },
    ],
  },
  last_pass: {
    time: '2026-01-01T00:05:00Z',
    pods_scored: 118,
    pods_unscored: { missing_cpu: 2 },
    duration_seconds: 0.08,
    warnings: ['The rate of CPU is empty.'],
    error: null,
  },
};

/** Lets everybody in, with some replaced. The clock stands still. */
export function openAccess(replaced: Partial<Access> = {}): Access {
  return {
    webConfig: () => OPEN,
    comparePassword: () => Promise.reject(new Error('No password is compared.')),
    now: () => 0,
    maxRequests: 0,
    ...replaced,
  };
}

/** What a test may replace: parts of the exporter, and what stands beside it. */
export type Replaced = Partial<Exporter> & Partial<Omit<AppDependencies, 'exporter'>>;

/** Dependencies that work, with parts of them or of their exporter replaced, and a record of what they were asked. */
export function fakeDependencies(replaced: Replaced = {}): AppDependencies & {
  /** The scrape timeouts. */
  readonly asked: (number | undefined)[];
  readonly logged: { error: unknown; context: string }[];
} {
  const asked: (number | undefined)[] = [];
  const logged: { error: unknown; context: string }[] = [];
  const exporter: Exporter = {
    renderMetrics: async (scrapeTimeoutSeconds) => {
      asked.push(scrapeTimeoutSeconds);
      return { contentType: METRICS_CONTENT_TYPE, body: '# TYPE up gauge\nup 1\n' };
    },
    detect: async (scrapeTimeoutSeconds) => {
      asked.push(scrapeTimeoutSeconds);
      return passOf([{ namespace: 'shop', pod: 'cart-1', score: 0.1 }]);
    },
    recentPass: async () => failedPass('no_model', 'The first training has not finished yet.'),
    episodes: () => NO_EPISODES,
    context: () => NO_CONTEXT,
    forecast: () => NO_FORECAST,
    history: async () => ({ kind: 'histories', histories: new Map() }),
    day: async () => ({ kind: 'day', timestampsSeconds: new Float64Array(), courses: [] }),
    health: () => freshHealth,
    ...replaced,
  };
  return {
    asked,
    logged,
    version: '1.2.3',
    dashboardUrl: '',
    now: () => NOW_MILLISECONDS,
    access: openAccess(),
    logError: (error, context) => logged.push({ error, context }),
    ...replaced,
    exporter,
  };
}
