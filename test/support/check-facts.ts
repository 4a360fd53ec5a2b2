/** What is known about an installation in which all is well, with some of it replaced. */

import type { AnswerFacts, Conditions, Facts, FeatureFacts, SourceFacts } from '../../src/exporter/check/facts.js';
import { sourcesOf } from '../../src/exporter/check/gather.js';
import type { IdleReason } from '../../src/exporter/features/pod-phase.js';
import { FEATURES } from './small-cluster.js';

export const known = <Value>(value: Value) => ({ known: true as const, value });
export const unknown = (because = 'Prometheus was away.') => ({ known: false as const, because });

/** `shop/cart-0`, … */
export const podNames = (count: number): ReadonlySet<string> =>
  new Set(Array.from({ length: count }, (_, index) => `shop/cart-${index}`));

/** What a query answers for so many pods that have all been there for a while. */
export function answerOf(pods: number, replaced: Partial<AnswerFacts> = {}): AnswerFacts {
  return {
    durationSeconds: 0.1,
    series: pods,
    points: 11 * pods,
    unlabelled: 0,
    pods: podNames(pods),
    lasting: podNames(pods),
    recent: replaced.pods ?? podNames(pods),
    shiftSeconds: 0,
    strayed: 0,
    filled: 1,
    ...replaced,
  };
}

/** The features of the catalog; those that are named answer something else. */
export function featuresWith(answers: Readonly<Record<string, FeatureFacts['answer']>>): FeatureFacts[] {
  return FEATURES.map((feature) => ({ feature, answer: answers[feature.name] ?? known(answerOf(8)) }));
}

const fineSource = {
  series: known(16),
  emptiness: undefined,
  exported: known([]),
  duplicates: known({ things: 0, differing: [] }),
  clusters: known([]),
  mixedCores: known(0),
  newestAgeSeconds: known(12),
  intervalSeconds: known(15),
};

/** The sources of the catalog; those of a feature that is named are different. */
export function sourcesWith(replaced: Readonly<Record<string, Partial<SourceFacts>>>): SourceFacts[] {
  return sourcesOf(FEATURES).map((source) => ({
    ...source,
    ...fineSource,
    ...replaced[source.features[0] as string],
  }));
}

/** A source without series, whose metric may have some. */
export const emptySource = (seriesOfMetric = 0, blamed: readonly string[] = [], example = {}) => ({
  series: known(0),
  emptiness: known({
    seriesOfMetric,
    blamed: blamed.map((text) => ({ label: /^\w+/.exec(text)?.[0] ?? '', text })),
    example,
  }),
  exported: undefined,
  duplicates: undefined,
  clusters: undefined,
  mixedCores: undefined,
  newestAgeSeconds: undefined,
  intervalSeconds: undefined,
});

/** Of a Deployment with eight pods, of which two ReplicaSets are known, and without Jobs. */
export const KUBE_STATE_METRICS = {
  podOwners: 8,
  replicaSetPods: 8,
  jobPods: 0,
  replicaSetOwners: 2,
  jobOwners: 0,
  podPhases: 40,
};

export const FINE: Facts = {
  clock: known({ skewSeconds: 0.2, uncertaintySeconds: 0.05 }),
  server: known({ application: undefined, version: '2.42.0', revision: 'abc' }),
  features: featuresWith({}),
  sources: sourcesWith({}),
  names: known({ found: undefined, podsOfTargetInfo: 0, fallingShare: 0 }),
  memory: known({ used: ['usage'], bytes: { usage: 10 * 2 ** 30, working_set: 9 * 2 ** 30, rss: 7 * 2 ** 30 } }),
  kubeStateMetrics: known(KUBE_STATE_METRICS),
  idlePods: known(new Map<string, IdleReason>()),
  nodes: known([]),
  history: known({
    reachSeconds: 3600,
    stepSeconds: 60,
    windowInstants: 61,
    windowGaps: 0,
    slices: [
      { ageSeconds: 7260, present: true },
      { ageSeconds: 10860, present: true },
    ],
  }),
  pastDays: known({ reachSeconds: 7 * 86_400, stepSeconds: 21_600 }),
  tuningAnnotations: known({ objects: 3, mistakes: [], ends: [] }),
  idleRules: known([]),
  warnings: [],
  infos: [],
};

export const CONDITIONS: Conditions = {
  namespaceRegex: '.*',
  metricsSource: 'cadvisor',
  otlpTranslation: 'UnderscoreEscapingWithSuffixes',
  podLabel: 'pod',
  namespaceLabel: 'namespace',
  containerLabel: undefined,
  matchers: '',
  requestTimeoutSeconds: 5,
  training: {
    baseline: 'pod',
    lookbackSeconds: 3600,
    stepSeconds: 60,
    untilNextTrainingSeconds: 900,
    maximumPods: 100_000,
  },
  explain: 'flagged',
  alertBudgetPerDay: 4,
  historyDays: 7,
  keeper: undefined,
  tuningFile: undefined,
  model: {
    remembers: true,
    knownHours: 144,
    expectedMessagesPerDay: 3.5,
    recentExceedingPerDay: 1.25,
  },
  memoryLimitBytes: 2 ** 30,
  nowSeconds: 1_767_268_800,
};
