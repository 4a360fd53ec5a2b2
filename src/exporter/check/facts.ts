/** What is known about an installation: plain data, gathered by `gather.ts` and judged by `rules`. */

import type { FeatureDefinition } from '../features/catalog.js';
import type { SourceSelector } from '../features/queries/selectors.js';
import type { BuildInfo, Labels } from '../prometheus/api.js';
import type { PrometheusError } from '../prometheus/errors.js';

/** A value, or why it could not be had. */
export type Fact<Value> =
  | { readonly known: true; readonly value: Value }
  | { readonly known: false; readonly because: string; readonly error?: PrometheusError };

/** How our clock and the one of the server compare. */
export interface ClockFacts {
  /** Above 0 where the server is ahead of us. */
  readonly skewSeconds: number;
  /** The error of the skew: half of the time that the answer took. */
  readonly uncertaintySeconds: number;
}

/** What the query of a feature answers when it is asked as a detection pass asks it. */
export interface AnswerFacts {
  readonly durationSeconds: number;
  readonly series: number;
  readonly points: number;
  /** Series without the labels namespace and pod. */
  readonly unlabelled: number;
  /** Pods (`namespace/pod`) with a sample at the last instant. */
  readonly pods: ReadonlySet<string>;
  /** Those of them that had a sample five minutes before as well. */
  readonly lasting: ReadonlySet<string>;
  /** Samples of each pod as a share of the instants between its first and its last; 1 without a pod. */
  readonly filled: number;
}

/** One feature and how it is answered. */
export interface FeatureFacts {
  readonly feature: FeatureDefinition;
  readonly answer: Fact<AnswerFacts>;
}

/** Where a selector that finds nothing would find something. */
export interface EmptinessFacts {
  /** Series of the metric without any matcher. */
  readonly seriesOfMetric: number;
  /** Matchers each of which alone is to blame: without it there are series. */
  readonly blamed: readonly { readonly label: string; readonly text: string }[];
  /** Labels of one series of the metric. */
  readonly example: Labels | undefined;
}

/** The same thing reported more than once. */
export interface DuplicateFacts {
  /** How many things are. */
  readonly things: number;
  /** Labels in which the series of one example differ, with the values. */
  readonly differing: readonly { readonly label: string; readonly values: readonly string[] }[];
}

/** A label that tells clusters apart, with more than one value. */
export interface ClusterFacts {
  readonly label: string;
  /** At most ten; an empty text where the label is absent. */
  readonly values: readonly string[];
  /** Things that exist under the same name in more than one cluster. */
  readonly collisions: number;
}

/** The stored series that one selector of a feature reads. */
export interface SourceFacts {
  readonly selector: SourceSelector;
  /** Names of the features that read them. */
  readonly features: readonly string[];
  /** Whether one of those features is required. */
  readonly required: boolean;
  readonly series: Fact<number>;
  /** Only where there are no series. */
  readonly emptiness: Fact<EmptinessFacts> | undefined;
  readonly duplicates: Fact<DuplicateFacts> | undefined;
  readonly clusters: Fact<readonly ClusterFacts[]> | undefined;
  /** Age of the newest sample that can be seen, in seconds. */
  readonly newestAgeSeconds: Fact<number> | undefined;
  /** The usual distance of two samples of a series, in seconds; `undefined` as a value if it is unknown. */
  readonly intervalSeconds: Fact<number | undefined> | undefined;
}

/** What kube-state-metrics has: numbers of series. */
export interface KubeStateMetricsFacts {
  readonly podOwners: number;
  readonly replicaSetOwners: number;
}

/** How far back the first source of a required feature reaches. */
export interface HistoryFacts {
  /** Age of the oldest checked instant with series, in seconds; 0 if there is none. */
  readonly reachSeconds: number;
  /** Distance of two instants that were looked at, in seconds. */
  readonly stepSeconds: number;
  /** Instants of the training window that were looked at, and how many of them have no series. */
  readonly windowInstants: number;
  readonly windowGaps: number;
  /** The slices of earlier hours: how long ago each begins, in seconds, and whether it has series. */
  readonly slices: readonly { readonly ageSeconds: number; readonly present: boolean }[];
}

/** Everything that is known. */
export interface Facts {
  readonly clock: Fact<ClockFacts>;
  readonly server: Fact<BuildInfo | undefined>;
  readonly features: readonly FeatureFacts[];
  readonly sources: readonly SourceFacts[];
  readonly kubeStateMetrics: Fact<KubeStateMetricsFacts>;
  readonly history: Fact<HistoryFacts>;
  /** The warnings in all answers of the server, each once. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** The settings that facts are compared with. */
export interface Conditions {
  readonly namespaceRegex: string;
  readonly podLabel: string;
  /** The limit of a scrape's queries. */
  readonly requestTimeoutSeconds: number;
  readonly training: {
    readonly baseline: 'pod' | 'workload' | 'cluster';
    readonly lookbackSeconds: number;
    readonly stepSeconds: number;
    readonly untilNextTrainingSeconds: number;
    /** Most pods that are kept (`MAX_PODS`). */
    readonly maximumPods: number;
  };
  readonly explain: 'flagged' | 'all' | 'off';
  /** What this process may use. */
  readonly memoryLimitBytes: number;
  /** When the facts were gathered, Unix time. */
  readonly nowSeconds: number;
}
