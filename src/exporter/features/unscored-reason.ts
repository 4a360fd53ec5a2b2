/** Why a pod that is there has no score: what it lacks, since when, and what Kubernetes says of it. */

import { SAME_INSTANT_SECONDS } from '../prometheus/answer/asked-instants.js';
import type { FeatureDefinition } from './catalog.js';
import type { IdleReason } from './pod-phase.js';
import { sourceSelectors } from './queries/selectors.js';

/** The reason of pods that Kubernetes reports as `Succeeded` or `Failed`. */
export const ENDED: IdleReason = 'completed';

/** For how long Prometheus shows the last value of a series, in seconds (`--query.lookback-delta`). */
const LOOKBACK_SECONDS = 300;

/** A detection looks at usage for ten minutes: what is missing for as long need not have been there before. */
const MOST_LINGER_SECONDS = 9 * 60;

/**
 * For how long a pod that has ended keeps some of its series, in seconds: memory for the lookback, and CPU for the window of
 * its rate, if that is longer.
 */
export function lingerSecondsOf(features: readonly FeatureDefinition[]): number {
  const windows = features
    .filter(({ required }) => required)
    .flatMap(({ query }) => sourceSelectors(query).map(({ rangeSeconds = 0 }) => rangeSeconds));
  return Math.min(MOST_LINGER_SECONDS, Math.max(LOOKBACK_SECONDS, ...windows));
}

/** What is known of a pod. */
export interface PodValues {
  readonly features: readonly FeatureDefinition[];
  readonly timestampsSeconds: Float64Array;
  /** instants × features; `NaN` where nothing is known. */
  readonly cells: Float64Array;
}

/** What Kubernetes says of the pod, how long a pod is young, and how long what has ended lingers, in seconds. */
export interface PodState {
  readonly idle: IdleReason | undefined;
  readonly warmUpSeconds: number;
  readonly lingerSeconds: number;
}

/**
 * The reason of a pod that has some value at the last instant, but not every required one.
 *
 * @param state without it, only what is missing counts.
 */
export function whyUnscored(pod: PodValues, state: PodState | undefined): string {
  const { features, timestampsSeconds } = pod;
  const required = features.flatMap((feature, column) => (feature.required ? [column] : []));
  const last = timestampsSeconds.length - 1;
  const missing = required.filter((column) => !has(pod, last, column));
  const hasUsage = missing.length < required.length;
  if (state !== undefined) {
    if (state.idle === ENDED) return ENDED;
    // kube-state-metrics may have known the pod for longer.
    const columns = hasUsage ? required : [...features.keys()];
    if (secondsSeen(pod, columns) < state.warmUpSeconds) return 'warmup';
    if (hasJustEnded(pod, required, state.lingerSeconds)) return 'ending';
    if (!hasUsage && state.idle !== undefined) return state.idle;
  }
  return hasUsage ? `missing_${features[missing[0] as number]?.name}` : 'no_usage';
}

function has({ features, cells }: PodValues, instant: number, column: number): boolean {
  return !Number.isNaN(cells[instant * features.length + column]);
}

/**
 * Whether a pod had every required feature up to some minutes ago, and without a gap: series with gaps are not those of a
 * pod that ends. One that lived for seconds never had them all. Pods that are deleted end for Kubernetes before their
 * series do.
 */
function hasJustEnded(pod: PodValues, required: readonly number[], lingerSeconds: number): boolean {
  const { timestampsSeconds } = pod;
  const instants = [...timestampsSeconds.keys()];
  const complete = instants.filter((instant) => required.every((column) => has(pod, instant, column)));
  const [first, last] = [complete[0], complete.at(-1)];
  if (first !== undefined && last !== undefined && complete.length < last - first + 1) return false;
  const end = last ?? instants.find((instant) => required.some((column) => has(pod, instant, column)));
  if (end === undefined) return false;
  const quietSeconds = (timestampsSeconds.at(-1) as number) - (timestampsSeconds[end] as number);
  return quietSeconds <= lingerSeconds + SAME_INSTANT_SECONDS;
}

/** For how long there have been values in some columns, one of them at the last instant; the first one counts as a step. */
function secondsSeen(pod: PodValues, columns: readonly number[]): number {
  let first = 0;
  while (!columns.some((column) => has(pod, first, column))) first++;
  const { length } = pod.timestampsSeconds;
  const [start = 0, second = start] = pod.timestampsSeconds;
  return length === 1 ? Number.POSITIVE_INFINITY : (length - first) * (second - start);
}
