/** What a detection pass answers: the one source of the gauges and of the JSON views. */

import type { FeatureTable, PodIdentity } from '../features/table.js';
import type { Model } from '../model/model.js';
import type { Judgement } from '../model/views.js';
import type { PrometheusErrorKind } from '../prometheus/errors.js';
import type { PodTuning } from '../tuning/tuning.js';
import type { Compared } from './comparison.js';

/** A pod that is not scored, and who says so: `deployment shop/cart`. */
export interface OptedOutPod extends PodIdentity {
  readonly by: string;
}

/** Scores of all pods at one instant. Row `i` of each array belongs to `table.pods[i]`. */
export interface Detection extends Compared {
  /** The whole minute that was scored, Unix time in seconds. */
  readonly timeSeconds: number;
  readonly model: Model;
  /** One instant, and only pods that could be scored, sorted by namespace and pod. */
  readonly table: FeatureTable;
  /** pods: the score minus the threshold of the model; above 0 is anomalous. */
  readonly scores: Float64Array;
  /** pods: 1 where the pod is anomalous and not muted, otherwise 0. */
  readonly flags: Uint8Array;
  /** pods: 1 where the pod is flagged and its anomaly lasts, which is worth an alert, otherwise 0. */
  readonly lasting: Uint8Array;
  /** pods: 1 where the pod is muted now: scored, but never flagged. */
  readonly muted: Uint8Array;
  /** By row: what people said about the pods that somebody said something about. */
  readonly tunings: ReadonlyMap<number, PodTuning>;
  /** pods × features: what the forest saw of the deviations (`measure`). */
  readonly inputs: Float64Array;
  /** What the last days say of the same pods; absent while nothing is known of them. */
  readonly judgement?: Judgement;
  /** When workloads with a flagged pod were released within the last day, Unix time in seconds, by their keys (`podKey`). */
  readonly releases: ReadonlyMap<string, number>;
  /** The pods that are opted out of scores, by their keys, in the order of the table. */
  readonly optedOut: ReadonlyMap<string, OptedOutPod>;
  /**
   * Keys of the pods whose anomaly would last by the model before, and does not by this one, which is new: the boundaries have
   * moved, and not the pods.
   */
  readonly accepted: ReadonlySet<string>;
  /** How many pods were seen and not scored, by reason (`missing_cpu`, `no_usage`, `completed`, …). */
  readonly unscored: ReadonlyMap<string, number>;
  /** How many series were left out, by reason (`unlabelled`, `duplicate`, …). */
  readonly droppedSeries: ReadonlyMap<string, number>;
}

/** What a pass came to. A pass never rejects: that a scrape goes on without Prometheus is part of the contract. */
export type PassOutcome = PassReport &
  (
    | { readonly kind: 'detection'; readonly detection: Detection }
    /** Nothing was asked, because there is no model to score with; `message` says why. */
    | { readonly kind: 'no_model'; readonly message: string }
    /** The deadline passed first; `message` says where the time went. */
    | { readonly kind: 'timeout'; readonly message: string }
    /** Prometheus could not be asked, or what it answered could not be used. */
    | { readonly kind: 'upstream_error'; readonly message: string; readonly cause: PrometheusErrorKind }
    /** This program failed. `message` says so without details, which are in `error`: for the log only. */
    | { readonly kind: 'internal'; readonly message: string; readonly error: unknown }
  );

/** What every outcome tells. */
export interface PassReport {
  /** When it began, Unix time in seconds. */
  readonly timeSeconds: number;
  readonly durationSeconds: number;
  /**
   * How the query of each feature went, by the name of the feature: when it was last asked for the minute, which may have been
   * by an earlier pass.
   */
  readonly queries: readonly {
    readonly query: string;
    readonly success: boolean;
    readonly durationSeconds: number;
  }[];
  /** What Prometheus had to say about answers that it gave. */
  readonly warnings: readonly string[];
  /** Whether the answer for a feature lacked what some store knows: pods may be missing that are there. */
  readonly isPartial: boolean;
}
