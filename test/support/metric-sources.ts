/** What metrics are made from, built by hand: the same numbers on every machine. */

import type { FindingsState } from '../../src/exporter/check/runner.js';
import { type ContextState, NO_CONTEXT } from '../../src/exporter/context/pod-context.js';
import type { Detection, PassOutcome } from '../../src/exporter/detection/detection.js';
import type { EndReason, EpisodesState } from '../../src/exporter/episodes/episodes.js';
import { FeatureTable, podKey } from '../../src/exporter/features/table.js';
import type { ForecastState } from '../../src/exporter/forecast/forecast-state.js';
import type { KeeperState } from '../../src/exporter/keeper/keeper.js';
import type { ScrapeState } from '../../src/exporter/metrics/state.js';
import type { Model } from '../../src/exporter/model/model.js';
import { createRandom } from '../../src/exporter/model/random.js';
import type { SnapshotState } from '../../src/exporter/model/snapshot/manager.js';
import type { TrainingState } from '../../src/exporter/training/trainer.js';
import { scoredAs } from './scored.js';
import { FEATURES } from './small-cluster.js';

/** Of a model, metrics read these. */
export const MODEL = {
  fingerprint: '0123456789abcdef',
  features: FEATURES,
  baseline: {
    kind: 'pod',
    pods: {
      flags: Uint8Array.of(3, 3, 7),
      fittedSeconds: Float64Array.of(1_767_268_200, 1_767_264_600, 1_767_264_600),
    },
    workloads: { fittedSeconds: Float64Array.of(1_767_268_200, 0, 1_767_264_600) },
  },
  windowEndSeconds: 1_767_268_200,
  threshold: 0.61803,
  samples: 7_320,
  limits: { keys: ['shop/cart', 'shop/till'] },
  knownHours: 144,
  alertBudgetPerDay: 4,
  expectedMessagesPerDay: 3.5,
  recentExceedingPerDay: 1.25,
  acceptedLevels: [],
} as unknown as Model;

export const TRAINED: TrainingState = {
  running: false,
  runs: 12,
  failures: 3,
  lastSucceeded: true,
  lastSuccessSeconds: 1_767_268_800.5,
  model: { origin: 'training', trainedSeconds: 1_767_268_800.5 },
  lastError: { message: 'Prometheus was away.', timeSeconds: 1_767_260_000 },
  lastDurationSeconds: 1.25,
  nextRun: new Date('2026-01-01T12:15:00Z'),
  missedRuns: 0,
};

export const UNTRAINED: TrainingState = {
  running: true,
  runs: 0,
  failures: 0,
  lastSucceeded: undefined,
  lastSuccessSeconds: undefined,
  model: undefined,
  lastError: undefined,
  lastDurationSeconds: undefined,
  nextRun: null,
  missedRuns: undefined,
};

export const SAVED: SnapshotState = {
  path: '/var/lib/k8s-anomaly-detector/model',
  lastSaveSucceeded: true,
  trainedSeconds: 1_767_268_800.5,
  sizeBytes: 123_456,
  lastError: undefined,
};

export const REMEMBERED: KeeperState = {
  days: 7,
  knownHours: 54,
  missingHours: 114,
  workloads: 80,
  sizeBytes: 345_678,
  reads: 11,
  failures: 2,
  lastError: { message: 'Prometheus was away.', timeSeconds: 1_767_260_000 },
  isFailing: false,
  file: {
    path: '/var/lib/k8s-anomaly-detector/model.history',
    lastSaveSucceeded: true,
    savedSeconds: 1_767_268_700,
    sizeBytes: 234_567,
    lastError: undefined,
  },
};

/** One finding of each severity. */
export const FINDINGS: FindingsState = {
  findings: (['ok', 'warning', 'error'] as const).map((severity, index) => ({
    finding: { check: ['clock', 'history', 'rate_window'][index] ?? '', severity, summary: 'It is so.' },
    timeSeconds: 1_767_268_801,
  })),
  lastSuccessSeconds: 1_767_268_801,
  lastError: undefined,
};

export const NO_FINDINGS: FindingsState = {
  findings: [],
  lastSuccessSeconds: undefined,
  lastError: undefined,
};

/** Names that Kubernetes does not allow, and a text format has to get right all the same. */
export const HOSTILE_PODS: readonly (readonly [namespace: string, pod: string])[] = [
  ['quo"tes', 'a"b"c'],
  ['new\nline', 'two\nlines\n'],
  ['back\\slash', 'c:\\temp\\new'],
  ['all', '\\"\n\\n"\\'],
  ['looks-like-a-label', '",pod="other'],
  ['braces', '{}} 1'],
  ['ünïcode', '🐢'],
];

export const ORDINARY_PODS: readonly (readonly [namespace: string, pod: string])[] = [
  ['shop', 'cart-6c9f7d8b5-x2x8p'],
  ['shop', 'till-0'],
];

/** Numbers that differ from cell to cell and are exact in binary. */
const eighths = (cells: number, first: number) => Float64Array.from({ length: cells }, (_, cell) => first + cell / 8);

/** A detection with scores from a seed; one spread is 2 of a feature's unit. */
export function detectionOf(pods: readonly (readonly [namespace: string, pod: string])[]): Detection {
  const random = createRandom(42);
  const cells = pods.length * FEATURES.length;
  return {
    timeSeconds: 1_767_268_860,
    model: MODEL,
    table: new FeatureTable({
      features: FEATURES.map(({ name }) => name),
      pods: pods.map(([namespace, pod]) => ({ namespace, pod, workload: pod })),
      timestampsSeconds: Float64Array.of(1_767_268_860),
      values: eighths(cells, 0),
    }),
    ...scoredAs(...pods.map(() => random() - 0.5)),
    releases: new Map(pods.map(([namespace, pod], index) => [podKey(namespace, pod), 1_767_268_000 + index])),
    expected: new Float64Array(cells).fill(1),
    deviations: eighths(cells, -1).map((distance) => distance / 2),
    comparisons: new Uint8Array(cells),
    inputs: new Float64Array(cells),
    unscored: new Map([
      ['missing_cpu', 4],
      ['completed', 9],
    ]),
    droppedSeries: new Map([['unlabelled', 2]]),
  };
}

/** A pass that came to this detection. */
export function passTo(detection: Detection): PassOutcome {
  return {
    kind: 'detection',
    detection,
    timeSeconds: detection.timeSeconds,
    durationSeconds: 0.125,
    queries: FEATURES.map(({ name }, index) => ({
      query: name,
      success: true,
      durationSeconds: 0.0625 * (index + 1),
    })),
    warnings: [],
    isPartial: false,
  };
}

/** A pass in which one query was answered and another was not. */
export const FAILED_PASS: PassOutcome = {
  kind: 'upstream_error',
  cause: 'unavailable',
  message: 'The disk is full.',
  timeSeconds: 1_767_268_860,
  durationSeconds: 0.5,
  queries: [
    { query: 'cpu', success: true, durationSeconds: 0.125 },
    { query: 'memory', success: false, durationSeconds: 0.5 },
  ],
  warnings: [],
  isPartial: false,
};

/** A pass before the first training. */
export const NO_MODEL_PASS: PassOutcome = {
  kind: 'no_model',
  message: 'The first training has not finished yet.',
  timeSeconds: 1_767_268_860,
  durationSeconds: 0,
  queries: [],
  warnings: [],
  isPartial: false,
};

/** One anomaly that lasts, and one that has ended, of the pod with ordinary names and of one with others. */
const EPISODES: EpisodesState = {
  timeSeconds: 1_767_268_860,
  open: new Map(
    ORDINARY_PODS.slice(0, 1).map(([namespace, pod]) => [
      podKey(namespace, pod),
      { namespace, pod, workload: pod, sinceSeconds: 1_767_268_260, quiet: undefined },
    ]),
  ),
  ended: [
    ['shop', 'till-0', 'till', 'recovered'],
    ['quo"tes', 'a"b"c', 'new\nline', 'accepted'],
  ].map(([namespace = '', pod = '', workload = '', reason]) => ({
    namespace,
    pod,
    workload,
    sinceSeconds: 1_767_266_000,
    endSeconds: 1_767_268_000,
    reason: reason as EndReason,
  })),
  endedTotal: { recovered: 3, gone: 2, accepted: 1, muted: 0 },
};

/** What is known of a pod with ordinary names, all of it, and of one with others, little. */
const CONTEXT: ContextState = {
  ...NO_CONTEXT,
  pods: new Map([
    [
      podKey('shop', 'till-0'),
      {
        node: 'node-7',
        createdSeconds: 1_767_260_000,
        images: ['registry.example.com/proxy:1.0', 'registry.example.com/till:2.1'],
        limits: { cpu: 2, memory: 1_073_741_824 },
        requests: { cpu: 0.5 },
        lastTermination: { container: 'till', reason: 'OOMKilled', exitCode: 137, timeSeconds: 1_767_268_500 },
        waiting: { container: 'proxy', reason: 'CrashLoopBackOff' },
        throttledRatio: 0.25,
        oomEvents: 1,
        pressure: { cpu: 0.5, io: 0.125 },
      },
    ],
    [
      podKey('quo"tes', 'a"b"c'),
      {
        images: [],
        limits: {},
        requests: {},
        lastTermination: { container: 'new\nline', reason: 'back\\slash' },
        pressure: {},
      },
    ],
  ]),
  nodeOf: new Map(HOSTILE_PODS.map(([namespace, pod]) => [podKey(namespace, pod), 'node-"7"'])),
  askedSeconds: 1_767_268_860,
  succeeded: true,
};

/** A pod whose memory runs full, and one that is not scored. */
const FORECAST: ForecastState = {
  pods: new Map(
    [
      ['shop', 'till-0', 'till'],
      ['gone', 'cart-0', 'cart'],
    ].map(([namespace = '', pod = '', workload = '']) => [
      podKey(namespace, pod),
      {
        namespace,
        pod,
        workload,
        bytes: 805_306_368,
        limitBytes: 1_073_741_824,
        fullSeconds: 1_767_268_860 + 5_400,
        forecastSeconds: 1_767_268_800,
      },
    ]),
  ),
  succeeded: true,
};

/** The state of an exporter with a model, except for what is replaced. */
export function stateWith(replaced: Partial<Omit<ScrapeState, 'outcome'>> = {}): Omit<ScrapeState, 'outcome'> {
  return {
    model: MODEL,
    training: TRAINED,
    snapshot: SAVED,
    history: REMEMBERED,
    episodes: EPISODES,
    context: CONTEXT,
    forecast: FORECAST,
    findings: FINDINGS,
    sharding: { shard: { ordinal: 1, total: 3 }, namespaces: 7 },
    prometheusRequests: new Map([
      ['200', 1_234],
      ['503', 5],
      ['error', 6],
    ]),
    tuningReload: { successful: false, lastSuccessSeconds: 1_767_268_600 },
    links: { page: 'https://anomalies.example.org', dashboard: 'https://grafana.example.org/d/x' },
    droppedLogLines: 3,
    webConfigReload: { successful: true, lastSuccessSeconds: 1_767_268_700 },
    explain: 'flagged',
    requestTimeoutSeconds: 5,
    version: '1.2.3',
    ...replaced,
  };
}
