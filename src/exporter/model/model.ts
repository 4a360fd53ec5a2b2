/** What training leaves behind: an immutable value, swapped whole. */

import type { FeatureDefinition } from '../features/catalog.js';
import type { Baseline } from './baseline.js';
import type { Forest } from './forest.js';
import type { COLUMNS, Columns, LimitRows } from './rows.js';

/** A level of a workload that has become usual. */
export interface AcceptedLevel {
  /** Key of the workload. */
  readonly workload: string;
  readonly feature: string;
  /** About what the usual value is multiplied by. */
  readonly factor: number;
  /** When it began, and since when it is usual, Unix time in seconds. */
  readonly beganSeconds: number;
  readonly acceptedSeconds: number;
  /** Whether it began with a release. */
  readonly withRelease: boolean;
}

/** A fitted model: everything that scoring needs, and nothing of the training rows. */
export interface Model {
  /** Identifies queries, features and parameters; models with different ones are not interchangeable. */
  readonly fingerprint: string;
  /** The features that the model knows, in the order of its columns. */
  readonly features: readonly FeatureDefinition[];
  readonly baseline: Baseline;
  readonly forest: Forest;
  /** Whether it was trained with a history: what lasts is then judged by `limits`, as far as they are known. */
  readonly remembers: boolean;
  /** What workloads did during the last days makes their boundaries; without rows where nothing is known. */
  readonly limits: LimitRows;
  readonly fleet: Columns<typeof COLUMNS.fleet>;
  /** Hours that these boundaries rest on. */
  readonly knownHours: number;
  /** Messages a day that they let through when nothing is wrong; `NaN` where too little is known to say. */
  readonly expectedMessagesPerDay: number;
  /** Messages a day that they are made for (`ALERT_BUDGET_PER_DAY`). */
  readonly alertBudgetPerDay: number;
  /**
   * Workloads a day that were beyond these boundaries in CPU, memory or another gauge on the last three days, each day judged
   * by the other ones: false messages and incidents alike. `NaN` where too little is known to leave a day out.
   */
  readonly recentExceedingPerDay: number;
  /** The levels that were accepted on the last day, the newest first, at most 100. */
  readonly acceptedLevels: readonly AcceptedLevel[];
  /** The score, tail included, above which a pod is anomalous. */
  readonly threshold: number;
  /** What the largest input of a row must reach for a flag; `-Infinity` where any may do. */
  readonly minimumInput: number;
  /** Usual spreads from which on one feature alone is anomalous (`ANOMALY_SENSITIVITY`). */
  readonly sensitivity: number;
  /** First and last instant of the training window, Unix time in seconds. */
  readonly windowStartSeconds: number;
  readonly windowEndSeconds: number;
  /** Training rows (pod-instants) that were usable, and the pods of the training window. */
  readonly samples: number;
  readonly pods: number;
}

/** How many pods and workloads of a model have the usual values of an earlier training (`KnownBefore`). */
export function countKept({
  baseline: { pods, workloads },
  windowEndSeconds,
}: Pick<Model, 'baseline' | 'windowEndSeconds'>): {
  readonly pods: number;
  readonly workloads: number;
} {
  const count = (fitted: Float64Array) =>
    fitted.reduce((sum, time) => sum + Number(time > 0 && time < windowEndSeconds), 0);
  return { pods: count(pods.fittedSeconds), workloads: count(workloads.fittedSeconds) };
}
