/** Looks at what history there is, and tells what a replay of it will cost. */

import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import { podKey } from '../../exporter/features/table.js';
import { HISTORY_STEP_SECONDS, HOUR_SECONDS, LEAD_SECONDS } from '../../exporter/history/grid.js';
import { counted, formatBytes, formatDuration } from '../../lib/text/format.js';
import { DataError } from '../../lib/usage-error.js';
import { type Fetcher, POINTS_PER_REQUEST } from '../replay/fetch.js';
import { HOURS_PER_READ } from '../replay/past-hours.js';
import { type Chunk, gridStepSeconds, MINUTE_SECONDS } from '../replay/plan.js';
import { type Grid, gridBetween } from '../replay/range-matrix.js';
import type { BacktestPlan } from './plan.js';

export type Survey = Awaited<ReturnType<typeof surveyHistory>>;

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
) {
  // The last: of the built-in ones memory, which is cheaper to ask for than a rate.
  const feature = features.findLast(({ required, type }) => required && type === 'gauge') ?? features[0];
  if (feature === undefined) throw new DataError('Expected at least one feature, got none.');
  const coarse =
    Math.max(1, Math.ceil((endSeconds - startSeconds) / MINUTE_SECONDS / SURVEY_INSTANTS)) * MINUTE_SECONDS;
  const before = { ...fetcher.traffic };
  const counts = await podCounts(fetcher, feature, gridBetween(startSeconds, endSeconds, coarse), signal);
  const first = counts.findIndex((count) => count > 0);
  if (first < 0) {
    throw new DataError(
      `Expected Prometheus to have ${feature.name} of pods between ${new Date(startSeconds * 1000).toISOString()} and ` +
        `${new Date(endSeconds * 1000).toISOString()}, got no series for \`${feature.query}\`. Check NAMESPACE_REGEX and ` +
        'POD_LABEL, that Prometheus scrapes cAdvisor (the kubelet), and how long it keeps its data ' +
        '(--storage.tsdb.retention.time).',
    );
  }
  let firstSeconds = startSeconds + first * coarse;
  if (first > 0) {
    const from = firstSeconds - coarse;
    const minutes = gridBetween(from, firstSeconds, MINUTE_SECONDS);
    const fine = await podCounts(fetcher, feature, minutes, signal);
    firstSeconds = from + fine.findIndex((count) => count > 0) * MINUTE_SECONDS;
  }
  const present = counts.slice(first);
  const points = fetcher.traffic.points - before.points;
  return {
    /** First minute with data at or after the start that was asked for, Unix time. */
    firstSeconds,
    /** Whether there is no data before that: none at the start that was asked for. */
    isFirst: first > 0,
    /** Pods at the same time, at most. */
    pods: Math.max(...present),
    meanPods: present.reduce((sum, count) => sum + count, 0) / present.length,
    /** Of JSON. */
    bytesPerPoint: (fetcher.traffic.bytes - before.bytes) / Math.max(1, points),
  };
}

/** How many pods there are at each instant. */
async function podCounts(
  fetcher: Fetcher,
  { query, podLabel }: FeatureDefinition,
  grid: Grid,
  signal: AbortSignal,
): Promise<number[]> {
  const pods = Array.from({ length: grid.instants }, () => new Set<string>());
  for (const slab of await fetcher.fetch(query, grid, signal)) {
    const offset = Math.round((slab.grid.startSeconds - grid.startSeconds) / grid.stepSeconds);
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

/** What a replay costs: its size, and what was measured of it. */
export interface Cost {
  readonly plan: BacktestPlan;
  readonly chunks: readonly Chunk[];
  /** The chunks that are not done from an earlier run. */
  readonly toDo: readonly Chunk[];
  readonly trainings: number;
  /** Hours before the range that are read, because trainings remember them. */
  readonly hoursBefore: number;
  readonly threads: number;
  readonly writesMetrics: boolean;
  /** One point, from the request to the slab. */
  readonly fetchSecondsPerPoint: number;
  /** One minute of the range in one thread. */
  readonly replaySecondsPerMinute: number;
}

const OWNER_QUERIES = 3;

/** Text for a minute of a pod, flag and score: measured. */
const METRICS_BYTES = 300;

export function describeCost({ pods, meanPods, bytesPerPoint }: Survey, cost: Cost): string {
  const { plan, chunks, toDo, trainings, hoursBefore, threads } = cost;
  const features = plan.features.length;
  const seconds = toDo.reduce((sum, chunk) => sum + (chunk.endSeconds - chunk.startSeconds), 0);
  const instants = seconds / gridStepSeconds(plan.settings.queryStepSeconds);
  const readsBefore = Math.ceil(hoursBefore / HOURS_PER_READ);
  const instantsBefore = (readsBefore * (HOURS_PER_READ * HOUR_SECONDS + LEAD_SECONDS)) / HISTORY_STEP_SECONDS;
  const points = Math.round(meanPods * (instants + instantsBefore) * features);
  const perQuery = (meanPods * instants) / Math.max(1, toDo.length) / POINTS_PER_REQUEST;
  const perQueryBefore = (meanPods * instantsBefore) / Math.max(1, readsBefore) / POINTS_PER_REQUEST;
  const requests =
    toDo.length * (features * Math.ceil(perQuery) + OWNER_QUERIES) +
    readsBefore * features * Math.ceil(perQueryBefore) +
    hoursBefore * OWNER_QUERIES;
  const fetching = points * cost.fetchSecondsPerPoint;
  const replaying = ((seconds / MINUTE_SECONDS) * cost.replaySecondsPerMinute) / threads;
  // One goes on while the other does, as far as there are processors for both.
  const expected = Math.max(fetching, replaying) + 0.5 * Math.min(fetching, replaying);
  const before = hoursBefore > 0 ? ` and the ${formatDuration(hoursBefore * HOUR_SECONDS)} before` : '';
  const doneChunks = chunks.length - toDo.length;
  const done = doneChunks > 0 ? `${doneChunks} of ${chunks.length} pieces are done from an earlier run. ` : '';
  const metricsBytes = ((meanPods * seconds) / MINUTE_SECONDS) * METRICS_BYTES;
  const metrics = cost.writesMetrics ? `; to write: about ${formatBytes(metricsBytes)} of metrics` : '';
  return (
    `${done}Up to ${counted(pods, 'pod')} at a time, ${formatDuration(plan.endSeconds - plan.startSeconds)}${before}, ` +
    `${counted(trainings, 'training')}; to fetch: about ${counted(requests, 'request')}, ${counted(points, 'point')}, ` +
    `${formatBytes(points * bytesPerPoint)} of JSON${metrics}. Expected time: about ` +
    `${formatDuration(Math.max(1, expected))}.`
  );
}
