/** One recording of a cluster, minute by minute. */

import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import type { PodIdentity } from '../../exporter/features/table.js';
import type { Counts } from './counts.js';

/** What can be wrong with rows and values, and what becomes of them: words that follow a number. */
export const DEFECTS = Object.freeze({
  field_count: 'rows with another number of fields than the header, left out',
  bad_timestamp: 'rows whose timestamp is not a Unix time in seconds, left out',
  no_name: 'rows without a namespace or a pod, left out',
  bad_name: 'rows whose namespace or pod is no name, left out',
  overlong_line: 'lines longer than 64 Ki characters, left out',
  far_timestamp: 'rows more than a week away from the rest, left out',
  duplicate: 'second rows of a pod in the same second, left out',
  out_of_order: 'rows earlier than the one before of their pod, put in their place',
  empty_value: 'empty values, passed over',
  not_a_number: 'values that are no finite number, or larger than any measured one, passed over',
  negative_value: 'values below 0, passed over',
  unreadable_rest: 'files whose end cannot be decompressed, used up to there',
});
export type Defect = keyof typeof DEFECTS;

/** Seconds of a bin. The timestamp of a bin is its start; what is in it is known at its end. */
export const BIN_SECONDS = 60;

/** A pod from its first complete minute to its last. */
export interface PodMinutes {
  readonly identity: PodIdentity;
  /** Minutes from the start of the case to the first complete one. */
  readonly firstMinute: number;
  /** Minutes to the last complete one, including that one; at least 1. */
  readonly minutes: number;
  /** minutes × features, `NaN` where there is no sample. */
  readonly cells: Float64Array;
  /** minutes: 1 where every required feature has a value. */
  readonly complete: Uint8Array;
}

/** One file of the data, binned. */
export interface Case {
  /** Name of the file without its endings. */
  readonly name: string;
  readonly features: readonly FeatureDefinition[];
  /** Start of minute 0, Unix time in seconds, a multiple of 60. */
  readonly startSeconds: number;
  readonly minutes: number;
  /** Minutes at the start that are only learned from. */
  readonly learningMinutes: number;
  /** Sorted by namespace, then pod. */
  readonly pods: readonly PodMinutes[];
  /** Rows of the file, except blank lines and the header. */
  readonly rows: number;
  /** What was wrong with rows and values, by reason (`DEFECTS`). */
  readonly defects: Counts;
  /** Pod-minutes without a complete sample between a pod's first and its last. */
  readonly gapMinutes: number;
  /** Pod-minutes after the learning minutes that have some required features but not all, by reason (`missing_cpu`). */
  readonly incomplete: Counts;
  /** Columns that hold no value in any row and were passed over. */
  readonly emptyColumns: readonly string[];
}

/** When a minute of a case is known: its end, Unix time in seconds. A scrape at that time sees the minute. */
export function instantOf({ startSeconds }: Pick<Case, 'startSeconds'>, minute: number): number {
  return startSeconds + (minute + 1) * BIN_SECONDS;
}

/** The minute of a case that is known at an instant. */
export function minuteOf({ startSeconds }: Pick<Case, 'startSeconds'>, instantSeconds: number): number {
  return Math.round((instantSeconds - startSeconds) / BIN_SECONDS) - 1;
}
