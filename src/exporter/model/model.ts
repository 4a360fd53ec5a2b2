/** What training leaves behind: an immutable value, swapped whole. */

import type { FeatureDefinition } from '../features/catalog.js';
import { podKey } from '../features/table.js';
import type { Baseline } from './baseline.js';
import type { Forest } from './forest.js';
import { ABSENT, type COLUMNS, type Columns, type LimitRows } from './rows.js';

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

/** What of a model has the usual values of an earlier training (`KnownBefore`). */
export interface Kept {
  /** Pods that are there, of which the window has too little. */
  readonly pods: number;
  /** Pods that were not there at its end: they have ended, or Prometheus did not answer with all of its data. */
  readonly absent_pods: number;
  /** Workloads of which the window has too little. */
  readonly workloads: number;
}

/** The workload that a training found for a pod; `undefined` for a pod that the model does not know. */
export function knownWorkload(
  model: Pick<Model, 'baseline'> | undefined,
  namespace: string,
  pod: string,
): string | undefined {
  const { pods, workloads } = model?.baseline ?? {};
  const row = pods?.rows.get(podKey(namespace, pod));
  return row === undefined ? undefined : workloads?.names[pods?.workload[row] as number];
}

export function countKept({ baseline, windowEndSeconds }: Pick<Model, 'baseline' | 'windowEndSeconds'>): Kept {
  const { pods, workloads } = baseline;
  const isKept = (fitted: number) => fitted > 0 && fitted < windowEndSeconds;
  const counts = { pods: 0, absent_pods: 0, workloads: 0 };
  pods.fittedSeconds.forEach((fitted, row) => {
    if (((pods.flags[row] as number) & ABSENT) !== 0) counts.absent_pods++;
    else if (isKept(fitted)) counts.pods++;
  });
  for (const fitted of workloads.fittedSeconds) if (isKept(fitted)) counts.workloads++;
  return counts;
}
