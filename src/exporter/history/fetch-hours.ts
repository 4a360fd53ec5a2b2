/** Reads hours of the past from Prometheus, and makes a summary of each. */

import { withDeadline } from '../../lib/deadline.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { podKey } from '../features/table.js';
import { FeatureTableBuilder } from '../features/table-builder.js';
import { type OwnerQueries, type Owners, queryOwnersOver, workloadFromName } from '../features/workload.js';
import type { Labels, PrometheusApi, SeriesSet } from '../prometheus/api.js';
import { instantsPerRequest, RangeFetcher } from '../prometheus/range.js';
import { HISTORY_STEP_SECONDS, HOUR_SECONDS, LEAD_SECONDS } from './grid.js';
import { type HourSummary, summariseHour } from './hour-summary.js';

/** Which hours to read, and what of them. */
export interface HoursRequest {
  readonly features: readonly FeatureDefinition[];
  readonly ownerQueries: OwnerQueries;
  /** Most pods to look at, always the same ones of those that are there. Unlimited if unset. */
  readonly maximumPods?: number;
  /** About how many pods there are, so that the first requests are no larger than the others. */
  readonly expectedPods?: number | undefined;
  /** Numbers of the first and last hour (`hourOf`), both included. */
  readonly firstHour: number;
  readonly lastHour: number;
}

/** Points in one answer: about 7 MB of JSON, so that a server that is asked in passing is soon free again. */
const POINTS_PER_REQUEST = 200_000;

/** Longest time for one request, in seconds. */
const REQUEST_TIMEOUT_SECONDS = 60;

/** The instants that the summaries of some hours look at: first, last and how many. */
export function instantsOfHours({ firstHour, lastHour }: Pick<HoursRequest, 'firstHour' | 'lastHour'>) {
  const startSeconds = firstHour * HOUR_SECONDS - LEAD_SECONDS;
  const endSeconds = (lastHour + 1) * HOUR_SECONDS;
  return { startSeconds, endSeconds, instants: (endSeconds - startSeconds) / HISTORY_STEP_SECONDS + 1 };
}

/**
 * Summaries of consecutive hours, in order of time. Each is the same as if its hour were read alone: replicas that read
 * the past in other pieces agree. An hour of which Prometheus knows nothing has a summary without workloads. One query
 * after the other; only the hours that an answer is about are in memory.
 *
 * @throws {PrometheusError} when Prometheus cannot be asked.
 */
export async function fetchHours(
  api: PrometheusApi,
  { features, ownerQueries, maximumPods, expectedPods = 0, firstHour, lastHour }: HoursRequest,
  signal?: AbortSignal,
): Promise<HourSummary[]> {
  const ranges = new RangeFetcher(api, {
    pointsPerRequest: POINTS_PER_REQUEST,
    timeoutSeconds: REQUEST_TIMEOUT_SECONDS,
  });
  for (const { query } of features) ranges.expect(query, expectedPods);
  const hours = lastHour - firstHour + 1;
  const ends = { startSeconds: firstHour * HOUR_SECONDS, stepSeconds: HOUR_SECONDS, instants: hours + 1 };
  const owners = await queryOwnersOver(api, ownerQueries, ends, () => withDeadline(signal, REQUEST_TIMEOUT_SECONDS));
  const { startSeconds, instants } = instantsOfHours({ firstHour, lastHour });
  const perPiece = instantsPerRequest(expectedPods, POINTS_PER_REQUEST);
  const summaries: HourSummary[] = [];
  const open: OpenHour[] = [];
  let next = firstHour;
  for (let first = 0; first < instants; first += perPiece) {
    const piece = {
      startSeconds: startSeconds + first * HISTORY_STEP_SECONDS,
      stepSeconds: HISTORY_STEP_SECONDS,
      instants: Math.min(perPiece, instants - first),
    };
    const pieceEndSeconds = piece.startSeconds + (piece.instants - 1) * HISTORY_STEP_SECONDS;
    while (next <= lastHour && instantsOfHours({ firstHour: next, lastHour: next }).startSeconds <= pieceEndSeconds) {
      open.push(openHour(next++, features, maximumPods));
    }
    for (const feature of features) {
      for await (const { answer } of ranges.fetch(feature.query, piece, signal)) {
        for (const hour of open) hour.builder.add(feature, samplesBetween(answer, hour.startSeconds, hour.endSeconds));
      }
    }
    while (open[0] !== undefined && open[0].endSeconds <= pieceEndSeconds) {
      const { hour, builder } = open.shift() as OpenHour;
      const [before, after] = [owners[hour - firstHour] as Owners, owners[hour - firstHour + 1] as Owners];
      const workloadOf = (namespace: string, pod: string) => {
        const key = podKey(namespace, pod);
        // Of pods that were there in between only, the name has to do.
        return after.get(key) ?? before.get(key) ?? workloadFromName(pod);
      };
      // As for scoring: a pod that restarts all the time may have nothing but its restarts.
      const { table } = builder.build(workloadOf, { idleReasonOf: () => undefined, warmUpSeconds: 0 });
      summaries.push(summariseHour(table, features, hour));
    }
  }
  return summaries;
}

/** An hour of which not all has been read. */
interface OpenHour {
  readonly hour: number;
  /** First and last instant that its summary looks at. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Of its own for each hour: what fills a gap, and which pods are too many, depends on what else is in a table. */
  readonly builder: FeatureTableBuilder;
}

function openHour(hour: number, features: readonly FeatureDefinition[], maximumPods: number | undefined): OpenHour {
  const { startSeconds, endSeconds, instants } = instantsOfHours({ firstHour: hour, lastHour: hour });
  const grid = Float64Array.from({ length: instants }, (_, index) => startSeconds + index * HISTORY_STEP_SECONDS);
  return { hour, startSeconds, endSeconds, builder: new FeatureTableBuilder(features, grid, maximumPods) };
}

/** The samples from one time to another, both included, of the series that have some. */
function samplesBetween(series: SeriesSet, startSeconds: number, endSeconds: number): SeriesSet {
  const { labels, offsets, timestampsSeconds, values } = series;
  const kept: Labels[] = [];
  const keptOffsets = [0];
  const positions: number[] = [];
  labels.forEach((own, index) => {
    for (let sample = offsets[index] as number; sample < (offsets[index + 1] as number); sample++) {
      const seconds = timestampsSeconds[sample] as number;
      if (seconds >= startSeconds && seconds <= endSeconds) positions.push(sample);
    }
    if (positions.length === keptOffsets.at(-1)) return;
    kept.push(own);
    keptOffsets.push(positions.length);
  });
  return {
    labels: kept,
    offsets: Uint32Array.from(keptOffsets),
    timestampsSeconds: Float64Array.from(positions, (position) => timestampsSeconds[position] as number),
    values: Float64Array.from(positions, (position) => values[position] as number),
  };
}
