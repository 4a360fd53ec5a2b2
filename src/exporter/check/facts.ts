/** What is known about an installation: plain data, gathered by `gather.ts` and judged by `rules`. */

import type { Settings } from '../config/settings.js';
import type { FeatureDefinition } from '../features/catalog.js';
import type { IdleReason } from '../features/pod-phase.js';
import type { SourceSelector } from '../features/queries/selectors.js';
import type { MemoryMetric, SourceNames } from '../features/queries/template.js';
import type { KeeperState } from '../keeper/keeper.js';
import type { Model } from '../model/model.js';
import type { BuildInfo, Labels } from '../prometheus/api.js';
import type { PrometheusError } from '../prometheus/errors.js';
import type { TrainingTimes } from '../training/plan.js';
import type { AnnotatedTuning } from '../tuning/annotations.js';
import type { TuningFile } from '../tuning/tuning-file.js';

/** A value, or why it could not be had. */
export type Fact<Value> =
  | { readonly known: true; readonly value: Value }
  | { readonly known: false; readonly because: string; readonly error?: PrometheusError };

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
  /** Pods with a sample in the last five minutes: what has ended keeps some of its series for that long. */
  readonly recent: ReadonlySet<string>;
  /** By how much values are older than asked for, at most, in seconds: less than the distance of two instants. */
  readonly shiftSeconds: number;
  /** Samples that belong to none of the instants that were asked for. */
  readonly strayed: number;
  /** Samples of each pod as a share of the instants between its first and its last; 1 without a pod. */
  readonly filled: number;
}

/** One feature and how it is answered. */
export interface FeatureFacts {
  readonly feature: FeatureDefinition;
  readonly answer: Fact<AnswerFacts>;
}

/** A selector with the names of the features that read it. */
export interface Source {
  readonly selector: SourceSelector;
  readonly features: readonly string[];
  /** Whether one of those features is required. */
  readonly required: boolean;
}

/** Where a selector that finds nothing would find something. */
export interface EmptinessFacts {
  /** Series of the metric without any matcher. */
  readonly seriesOfMetric: number;
  /** Matchers without any one of which there are series. */
  readonly blamed: readonly { readonly label: string; readonly text: string }[];
  /** Labels of one series of the metric. */
  readonly example: Labels | undefined;
  /** Where the metric has no series: another one of the same thing that has. */
  readonly instead?: MemoryMetric | undefined;
}

/** Things that are reported more than once. */
export interface DuplicateFacts {
  readonly things: number;
  /** The labels in which the series of some examples differ, each with at most ten values. */
  readonly differing: readonly { readonly label: string; readonly values: readonly string[] }[];
}

/** A label that tells clusters apart. */
export interface ClusterFacts {
  readonly label: string;
  /** At most ten; an empty text where the label is absent. */
  readonly values: readonly string[];
  /** Things that exist under the same name in more than one cluster. */
  readonly collisions: number;
}

/** The stored series that one selector reads. Without series, only their emptiness is looked at. */
export interface SourceFacts extends Source {
  readonly series: Fact<number>;
  readonly emptiness: Fact<EmptinessFacts> | undefined;
  /** Labels such as `exported_pod` (`ownLabels`): the label `pod` is that of what was scraped. */
  readonly exported: Fact<readonly string[]> | undefined;
  readonly duplicates: Fact<DuplicateFacts> | undefined;
  /** Labels with more than one value that tell clusters apart. */
  readonly clusters: Fact<readonly ClusterFacts[]> | undefined;
  /** Containers whose CPU is reported both as a whole and core by core. */
  readonly mixedCores: Fact<number> | undefined;
  /** Age of the newest sample that can be seen, in seconds. */
  readonly newestAgeSeconds: Fact<number> | undefined;
  /** The usual distance of two samples of a series, in seconds; `undefined` as a value if it is unknown. */
  readonly intervalSeconds: Fact<number | undefined> | undefined;
}

/** What there is of the metrics of memory. */
export interface MemoryFacts {
  /** Those that features read. */
  readonly used: readonly MemoryMetric[];
  /** Of all containers that these are about, in bytes; 0 where there are no series, or nobody asked. */
  readonly bytes: Readonly<Record<MemoryMetric, number>>;
}

/** A node with pods that last without any usage, though something may run in them. */
export interface NodeFacts {
  readonly name: string;
  /** Such as `Windows Server 2022 Datacenter`; empty where it is not known, and so is the next one. */
  readonly osImage: string;
  /** Such as `containerd://1.7.2`. */
  readonly runtime: string;
  /** Those pods (`namespace/pod`), and the number of its pods that have usage. */
  readonly unmeasuredPods: readonly string[];
  readonly measured: number;
}

/** By which names the CPU of containers is there. */
export interface NamesFacts {
  /**
   * What there is, by the names of the settings if it can be, where those find no series of a required feature, or no pods in
   * them; `undefined` where all is found, and where there is nothing by any name.
   */
  readonly found:
    | (Required<Pick<SourceNames, 'metricsSource' | 'otlpTranslation'>> & {
        readonly metric: string;
        readonly series: number;
        /** Labels of one series. */
        readonly example: Labels;
      })
    | undefined;
  /** Pods that `target_info` names, where something else is found of a Collector. */
  readonly podsOfTargetInfo: number;
  /** The share of the counters of a Collector that fall again and again, from 0 to 1. */
  readonly fallingShare: number;
}

/** Everything that is known. */
export interface Facts {
  /** Our clock and that of the server: `skewSeconds` is above 0 where the server is ahead. */
  readonly clock: Fact<{ readonly skewSeconds: number; readonly uncertaintySeconds: number }>;
  readonly server: Fact<BuildInfo | undefined>;
  readonly features: readonly FeatureFacts[];
  readonly sources: readonly SourceFacts[];
  readonly names: Fact<NamesFacts>;
  /** Numbers of series. */
  readonly kubeStateMetrics: Fact<{
    readonly podOwners: number;
    /** Pods by the kind of their owner: those of a Deployment have a ReplicaSet, those of a CronJob a Job. */
    readonly replicaSetPods: number;
    readonly jobPods: number;
    readonly replicaSetOwners: number;
    readonly jobOwners: number;
    readonly podPhases: number;
  }>;
  readonly memory: Fact<MemoryFacts>;
  /** Why nothing runs in pods (`namespace/pod`); empty where every pod has a required feature. */
  readonly idlePods: Fact<ReadonlyMap<string, IdleReason>>;
  /** The nodes of pods that last without usage, sorted by name; empty where nobody says which nodes these are. */
  readonly nodes: Fact<readonly NodeFacts[]>;
  /** How far back the first source of a required feature reaches. */
  readonly history: Fact<{
    /** Age of the oldest checked instant with series, in seconds; 0 without one. */
    readonly reachSeconds: number;
    /** Distance of two instants that were looked at, in seconds. */
    readonly stepSeconds: number;
    /** Instants of the training window that were looked at, and how many of them have no series. */
    readonly windowInstants: number;
    readonly windowGaps: number;
    /** The slices of earlier hours: the age of their beginning, in seconds, and whether they have series. */
    readonly slices: readonly { readonly ageSeconds: number; readonly present: boolean }[];
  }>;
  /**
   * How far back it reaches, up to the days of the history: the age of the oldest checked instant with series;
   * `undefined` without one.
   */
  readonly pastDays: Fact<{ readonly reachSeconds: number | undefined; readonly stepSeconds: number }>;
  /** What annotations and labels say; of no object where they do not count. */
  readonly tuningAnnotations: Fact<Pick<AnnotatedTuning, 'objects' | 'mistakes' | 'ends'>>;
  /** The places of the rules of the tuning file that match no pod that any feature knows now. */
  readonly idleRules: Fact<readonly string[]>;
  /** The warnings in all answers of the server, each once. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** What checks need to know of a model. */
export type ModelFacts = Pick<Model, 'remembers' | 'knownHours' | 'expectedMessagesPerDay' | 'recentExceedingPerDay'>;

/** The settings that facts are compared with. */
export interface Conditions
  extends Pick<
    Settings,
    | 'metricsSource'
    | 'otlpTranslation'
    | 'namespaceRegex'
    | 'podLabel'
    | 'namespaceLabel'
    | 'containerLabel'
    | 'matchers'
    | 'requestTimeoutSeconds'
    | 'explain'
    | 'alertBudgetPerDay'
  > {
  readonly training: Omit<TrainingTimes, 'nowSeconds'> & Pick<Settings, 'baseline' | 'maximumPods'>;
  /** How many days are to be remembered; 0 for none. */
  readonly historyDays: number;
  /** What a running service remembers; `undefined` for the command. */
  readonly keeper: KeeperState | undefined;
  /** The model of a running service; `undefined` for the command, and before the first training. */
  readonly model: ModelFacts | undefined;
  /** The rules that count, and why the tuning file was not taken over as it is; `undefined` without a file. */
  readonly tuningFile: { readonly file?: TuningFile; readonly failure: string | undefined } | undefined;
  /** Memory that this process may use. */
  readonly memoryLimitBytes: number;
  /** When the facts were gathered, Unix time. */
  readonly nowSeconds: number;
}
