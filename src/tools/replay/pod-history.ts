/** Pods over all chunks of a replay, with the readings that were kept. */

import { podKey } from '../../exporter/features/table.js';
import type { Alert, PodFlags } from './alerts.js';
import {
  appendRuns,
  type ChunkResult,
  type FeatureName,
  READING_NUMBERS,
  type Reading,
} from './chunk-result.js';
import { MINUTE_SECONDS } from './plan.js';
import { readingSize } from './tracks.js';

/** A pod over the whole time. Minutes count from its start. */
export interface PodHistory {
  readonly namespace: string;
  readonly pod: string;
  /** The last one that is known. */
  readonly workload: string;
  readonly scored: readonly number[];
  /** For each sensitivity. */
  readonly flagged: readonly (readonly number[])[];
  /** The readings that were kept, by minute. */
  readonly readings: ReadonlyMap<number, Reading>;
}

interface GrowingHistory extends PodHistory {
  workload: string;
  readonly scored: number[];
  readonly flagged: number[][];
  readonly readings: Map<number, Reading>;
}

/** Joins the chunks of a time that begins at `startSeconds`, in order of time. */
export function joinChunks(chunks: readonly ChunkResult[], startSeconds: number): PodHistory[] {
  const pods = new Map<string, GrowingHistory>();
  for (const chunk of chunks) {
    const shift = Math.round((chunk.startSeconds - startSeconds) / MINUTE_SECONDS);
    const size = readingSize(chunk.features.length);
    for (const stretch of chunk.pods) {
      const key = podKey(stretch.namespace, stretch.pod);
      let pod = pods.get(key);
      if (pod === undefined) {
        const { namespace, pod: name, workload } = stretch;
        const flagged = stretch.flagged.map((): number[] => []);
        pod = { namespace, pod: name, workload, scored: [], flagged, readings: new Map() };
        pods.set(key, pod);
      }
      pod.workload = stretch.workload;
      appendRuns(pod.scored, stretch.scored, shift);
      for (const [index, runs] of stretch.flagged.entries()) {
        appendRuns(pod.flagged[index] as number[], runs, shift);
      }
      for (const [index, minute] of stretch.readMinutes.entries()) {
        pod.readings.set(minute + shift, stretch.readings.slice(index * size, (index + 1) * size));
      }
    }
  }
  return [...pods.values()];
}

/** What the rules read of pods at one of the sensitivities. */
export function flagsOf(pods: readonly PodHistory[], sensitivity: number): PodFlags[] {
  return pods.map((pod) => ({ ...pod, flagged: pod.flagged[sensitivity] ?? [] }));
}

/** A pod, and what was read of it. */
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
export function worstReading(
  alert: Alert,
  pods: readonly PodHistory[],
  sensitivity: number,
): PodReading | undefined {
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
export function concerns(
  alert: Alert,
  { namespace, pod, workload }: Omit<PodFlags, 'scored' | 'flagged'>,
): boolean {
  if (alert.namespace === '') return true;
  if (alert.namespace !== namespace) return false;
  return alert.pod === '' ? alert.workload === workload : alert.pod === pod;
}

function readingNear({ readings }: PodHistory, minute: number): Reading | undefined {
  for (let back = 0; back < NEAR_MINUTES; back++) {
    const reading = readings.get(minute - back);
    if (reading !== undefined) return reading;
  }
  return undefined;
}

/** A feature in a reading. */
export interface FeatureReading extends FeatureName {
  readonly actual: number;
  readonly expected: number;
  /** In usual spreads. */
  readonly deviation: number;
}

/** The features of a reading, the one that is furthest off first. */
export function featureReadings(reading: Reading, features: readonly FeatureName[]): FeatureReading[] {
  return features
    .flatMap((feature, column): FeatureReading[] => {
      const start = 1 + column * READING_NUMBERS;
      const [actual, expected, deviation] = reading.slice(start, start + READING_NUMBERS);
      if (actual == null || expected == null || deviation == null) return [];
      return [{ ...feature, actual, expected, deviation }];
    })
    .sort((a, b) => Math.abs(b.deviation) - Math.abs(a.deviation));
}
