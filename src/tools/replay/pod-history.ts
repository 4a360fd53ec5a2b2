/** Pods over all chunks of a replay, with the readings that were kept. */

import { COMPARISONS, type Comparison } from '../../exporter/detection/comparison.js';
import { type PodIdentity, podKey } from '../../exporter/features/table.js';
import { groupBy } from '../../lib/group-by.js';
import type { Alert, PodRuns } from './alerts.js';
import {
  type ChunkResult,
  type FeatureName,
  joinRuns,
  type PodStretch,
  READING_NUMBERS,
  type Reading,
  type Runs,
} from './chunk-result.js';
import { MINUTE_SECONDS } from './plan.js';
import { readingSize } from './tracks.js';

/** A pod over the whole time, with the last workload that is known. Minutes count from its start. */
export interface PodHistory extends PodIdentity {
  readonly scored: Runs;
  readonly muted: Runs;
  /** For each sensitivity. */
  readonly flagged: readonly Runs[];
  readonly lasting: readonly Runs[];
  /** The readings that were kept, by minute. */
  readonly readings: ReadonlyMap<number, Reading>;
}

/** Joins the chunks of a time that begins at `startSeconds`, in order of time. */
export function joinChunks(chunks: readonly ChunkResult[], startSeconds: number): PodHistory[] {
  const stretches = chunks.flatMap((chunk) => {
    const shift = Math.round((chunk.startSeconds - startSeconds) / MINUTE_SECONDS);
    const size = readingSize(chunk.features.length);
    return chunk.pods.map((stretch) => ({ stretch, shift, size }));
  });
  const pods = groupBy(stretches, ({ stretch }) => podKey(stretch.namespace, stretch.pod));
  return [...pods.values()].map((own): PodHistory => {
    const { namespace, pod, workload, flagged } = (own.at(-1) ?? own[0]).stretch;
    const join = (runsOf: (stretch: PodStretch) => Runs) =>
      joinRuns(own.map(({ stretch, shift }) => [runsOf(stretch), shift]));
    const readings = new Map<number, Reading>();
    for (const { stretch, shift, size } of own) {
      for (const [index, minute] of stretch.readMinutes.entries()) {
        readings.set(minute + shift, stretch.readings.slice(index * size, (index + 1) * size));
      }
    }
    return {
      namespace,
      pod,
      workload,
      scored: join((stretch) => stretch.scored),
      muted: join((stretch) => stretch.muted),
      flagged: flagged.map((_, index) => join((stretch) => stretch.flagged[index] ?? [])),
      lasting: flagged.map((_, index) => join((stretch) => stretch.lasting[index] ?? [])),
      readings,
    };
  });
}

/** What the rules read of pods at one of the sensitivities. */
export function podRunsAt(pods: readonly PodHistory[], sensitivity: number): PodRuns[] {
  return pods.map((pod) => ({ ...pod, lasting: pod.lasting[sensitivity] ?? [] }));
}

export interface PodReading {
  readonly pod: PodHistory;
  readonly reading: Reading;
}

/** Not every reading of a long run is kept. */
const NEAR_MINUTES = 10;

/**
 * The reading of an alert's pod at the minute at which the alert begins; of several pods that of the most anomalous one.
 *
 * @param sensitivity index of the one that the alert belongs to.
 */
export function worstReading(alert: Alert, pods: readonly PodHistory[], sensitivity: number): PodReading | undefined {
  const minute = Math.floor(alert.startSeconds / MINUTE_SECONDS);
  let worst: (PodReading & { readonly score: number }) | undefined;
  for (const pod of pods) {
    if (!concerns(alert, pod) || (pod.flagged[sensitivity] ?? []).length === 0) continue;
    const reading = readingNear(pod, minute);
    if (reading === undefined) continue;
    const score = reading[0] ?? Number.NEGATIVE_INFINITY;
    if (worst === undefined || score > worst.score) worst = { pod, reading, score };
  }
  return worst;
}

/** Whether an alert is about a pod: about itself, its workload, or the whole fleet. */
export function concerns(alert: Alert, { namespace, pod, workload }: PodIdentity): boolean {
  if (alert.namespace === '') return true;
  if (alert.namespace !== namespace) return false;
  if (alert.workload === '') return true;
  return alert.pod === '' ? alert.workload === workload : alert.pod === pod;
}

function readingNear({ readings }: PodHistory, minute: number): Reading | undefined {
  for (let back = 0; back < NEAR_MINUTES; back++) {
    const reading = readings.get(minute - back);
    if (reading !== undefined) return reading;
  }
  return undefined;
}

export interface FeatureReading extends FeatureName {
  readonly actual: number;
  readonly expected: number;
  /** In usual spreads. */
  readonly deviation: number;
  readonly comparison: Comparison;
}

/** The features of a reading, the one that is furthest off first. */
export function featureReadings(reading: Reading, features: readonly FeatureName[]): FeatureReading[] {
  return features
    .flatMap((feature, column): FeatureReading[] => {
      const start = 1 + column * READING_NUMBERS;
      const [actual, expected, deviation, position] = reading.slice(start, start + READING_NUMBERS);
      if (actual == null || expected == null || deviation == null || position == null) return [];
      return [{ ...feature, actual, expected, deviation, comparison: COMPARISONS[position] as Comparison }];
    })
    .sort((a, b) => Math.abs(b.deviation) - Math.abs(a.deviation));
}
