/** One recording of a cluster, minute by minute: what an evaluation walks through. */

import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import type { PodIdentity } from '../../exporter/features/table.js';
import type { Counts } from './counts.js';

/** Seconds of a bin. The timestamp of a bin is its start. */
export const BIN_SECONDS = 60;

/** Minutes at the start of a case, and of a training window, that are only learned from. */
export const TRAINING_MINUTES = 60;

/** A pod from its first complete minute to its last. */
export interface PodMinutes {
  readonly identity: PodIdentity;
  /** Minutes from the start of the case to the first complete one. */
  readonly firstMinute: number;
  /** Minutes to the last complete one, that one included; at least 1. */
  readonly minutes: number;
  /**
   * minutes × features, in the form of a `FeatureTable`: a minute is complete, or `NaN` in all its cells; gaps of a
   * feature that is not required are filled (`completeSeries`).
   */
  readonly cells: Float64Array;
}

/** One file of the data, binned. */
export interface Case {
  /** Name of the file without its endings. */
  readonly name: string;
  readonly features: readonly FeatureDefinition[];
  /** Start of minute 0, Unix time in seconds, a multiple of 60. */
  readonly startSeconds: number;
  /** Length of the case. */
  readonly minutes: number;
  /** Sorted by namespace, then pod, as in a `FeatureTable`. */
  readonly pods: readonly PodMinutes[];
  /** Rows of the file, blank lines and the header aside. */
  readonly rows: number;
  /** What was wrong with rows and values, by reason (`DEFECTS`). */
  readonly defects: Counts;
  /** Pod-minutes without a sample between a pod's first and its last. */
  readonly gapMinutes: number;
  /** Pod-minutes after the first hour that have some required features but not all, by reason (`missing_cpu`). */
  readonly incomplete: Counts;
  /** Columns that hold no value in any row and were passed over. */
  readonly emptyColumns: readonly string[];
}

/** Whether a pod has a complete row at a minute of the case. */
export function isPresent(pod: PodMinutes, features: number, minute: number): boolean {
  const offset = minute - pod.firstMinute;
  return offset >= 0 && offset < pod.minutes && !Number.isNaN(pod.cells[offset * features]);
}
