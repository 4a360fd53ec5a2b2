/** Looks at what history there is, and tells what a replay of it will cost. */

import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import { podKey } from '../../exporter/features/table.js';
import { counted, formatBytes, formatDuration } from '../../lib/text/format.js';
import { DataError } from '../../lib/usage-error.js';
import { type Fetcher, POINTS_PER_REQUEST } from '../replay/fetch.js';
import { MINUTE_SECONDS } from '../replay/plan.js';
import { gridBetween } from '../replay/range-matrix.js';

/** What there is. */
export interface Survey {
  /** First minute with data at or after the start that was asked for, Unix time. */
  readonly firstSeconds: number;
  /** Pods at the same time, at most, and on average. */
  readonly pods: number;
  readonly meanPods: number;
  /** Bytes of JSON for a point. */
  readonly bytesPerPoint: number;
}

/** Instants at which the range is looked at. */
const SURVEY_INSTANTS = 60;

/**
 * Looks at a required feature at some instants of the range.
 *
 * @throws {DataError} when there is no data in the range.
 * @throws {PrometheusError} when Prometheus does not answer.
 */
export async function surveyHistory(
  fetcher: Fetcher,
  features: readonly FeatureDefinition[],
  startSeconds: number,
  endSeconds: number,
  signal: AbortSignal,
): Promise<Survey> {
  // The last: of the built-in ones memory, which is cheaper to ask for than a rate.
  const feature = features.findLast(({ required, type }) => required && type === 'gauge') ?? features[0];
  if (feature === undefined) throw new DataError('Expected at least one feature, got none.');
  const coarse =
    Math.max(1, Math.ceil((endSeconds - startSeconds) / MINUTE_SECONDS / SURVEY_INSTANTS)) * MINUTE_SECONDS;
  const before = { ...fetcher.traffic };
  const counts = await podCounts(fetcher, feature, startSeconds, endSeconds, coarse, signal);
  const first = counts.findIndex((count) => count > 0);
  if (first < 0) throw noData(feature, startSeconds, endSeconds);
  let firstSeconds = startSeconds + first * coarse;
  if (first > 0) {
    const from = firstSeconds - coarse;
    const fine = await podCounts(fetcher, feature, from, firstSeconds, MINUTE_SECONDS, signal);
    firstSeconds = from + fine.findIndex((count) => count > 0) * MINUTE_SECONDS;
  }
  const present = counts.slice(first);
  const points = fetcher.traffic.points - before.points;
  return {
    firstSeconds,
    pods: Math.max(...present),
    meanPods: present.reduce((sum, count) => sum + count, 0) / present.length,
    bytesPerPoint: (fetcher.traffic.bytes - before.bytes) / Math.max(1, points),
  };
}

/** How many pods there are at each instant. */
async function podCounts(
  fetcher: Fetcher,
  { query, podLabel }: FeatureDefinition,
  startSeconds: number,
  endSeconds: number,
  stepSeconds: number,
  signal: AbortSignal,
): Promise<number[]> {
  const grid = gridBetween(startSeconds, endSeconds, stepSeconds);
  const pods = Array.from({ length: grid.instants }, () => new Set<string>());
  for (const slab of await fetcher.fetch(query, grid, signal)) {
    const offset = Math.round((slab.grid.startSeconds - startSeconds) / stepSeconds);
    slab.labels.forEach((labels, series) => {
      const key = podKey(labels.namespace ?? '', labels[podLabel] ?? '');
      for (let instant = 0; instant < slab.grid.instants; instant++) {
        const value = slab.values[series * slab.grid.instants + instant];
        if (!Number.isNaN(value)) pods[offset + instant]?.add(key);
      }
    });
  }
  return pods.map(({ size }) => size);
}

function noData({ name, query }: FeatureDefinition, startSeconds: number, endSeconds: number): DataError {
  const from = new Date(startSeconds * 1000).toISOString();
  const to = new Date(endSeconds * 1000).toISOString();
  return new DataError(
    `Expected Prometheus to have ${name} of pods between ${from} and ${to}, got no series for \`${query}\`. Check ` +
      'NAMESPACE_REGEX and POD_LABEL, that Prometheus scrapes cAdvisor (the kubelet), and how long it keeps its data ' +
      '(--storage.tsdb.retention.time).',
  );
}

/** What a replay costs. */
export interface Estimate {
  readonly pods: number;
  /** Minutes to score. */
  readonly minutes: number;
  readonly trainings: number;
  readonly requests: number;
  readonly points: number;
  readonly bytes: number;
  /** Of OpenMetrics text to write. */
  readonly metricsBytes: number;
  /** Expected time, in seconds. */
  readonly seconds: number;
  /** Chunks that are done from an earlier run, of all. */
  readonly doneChunks: number;
  readonly chunks: number;
}

/** What the estimate is made of. */
export interface EstimateInput {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly gridStepSeconds: number;
  readonly features: number;
  readonly chunks: number;
  readonly doneChunks: number;
  /** Minutes of the chunks that are not done. */
  readonly minutesToDo: number;
  readonly trainings: number;
  readonly threads: number;
  readonly writesMetrics: boolean;
  /** Measured: one point, from the request to the slab. */
  readonly fetchSecondsPerPoint: number;
  /** Measured: one minute of the range in one thread. */
  readonly replaySecondsPerMinute: number;
}

/** Queries for owners. */
const OWNER_QUERIES = 3;

/** Text for a minute of a pod, flag and score: measured. */
const METRICS_BYTES = 300;

export function estimate(survey: Survey, input: EstimateInput): Estimate {
  const minutes = (input.endSeconds - input.startSeconds) / MINUTE_SECONDS;
  const chunksToDo = input.chunks - input.doneChunks;
  const instants = (input.minutesToDo * MINUTE_SECONDS) / input.gridStepSeconds;
  const points = Math.round(survey.meanPods * instants * input.features);
  const requestsOfChunk = Math.max(1, points / Math.max(1, input.features * chunksToDo) / POINTS_PER_REQUEST);
  const fetchSeconds = points * input.fetchSecondsPerPoint;
  const replaySeconds = (input.minutesToDo * input.replaySecondsPerMinute) / input.threads;
  return {
    pods: survey.pods,
    minutes,
    trainings: input.trainings,
    requests: Math.round(chunksToDo * (input.features * Math.ceil(requestsOfChunk) + OWNER_QUERIES)),
    points,
    bytes: Math.round(points * survey.bytesPerPoint),
    metricsBytes: input.writesMetrics ? survey.meanPods * input.minutesToDo * METRICS_BYTES : 0,
    // One goes on while the other does, as far as there are processors for both.
    seconds: Math.max(fetchSeconds, replaySeconds) + 0.5 * Math.min(fetchSeconds, replaySeconds),
    doneChunks: input.doneChunks,
    chunks: input.chunks,
  };
}

/** The estimate in words. */
export function describeEstimate(estimate: Estimate): string {
  const { pods, minutes, trainings, requests, points, bytes, metricsBytes, seconds, doneChunks, chunks } =
    estimate;
  const done = doneChunks > 0 ? `${doneChunks} of ${chunks} pieces are done from an earlier run. ` : '';
  const metrics = metricsBytes > 0 ? `; to write: about ${formatBytes(metricsBytes)} of metrics` : '';
  return (
    `${done}Up to ${counted(pods, 'pod')} at a time, ${formatDuration(60 * minutes)}, ${counted(trainings, 'training')}; to fetch: ` +
    `about ${counted(requests, 'request')}, ${counted(points, 'point')}, ${formatBytes(bytes)} of JSON${metrics}. Expected ` +
    `time: about ${formatDuration(Math.max(1, seconds))}.`
  );
}
