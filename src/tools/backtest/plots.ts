/** What the plots of the loudest pods are drawn from, gathered from the pieces of a backtest. */

import { podKey } from '../../exporter/features/table.js';
import { type ChunkResult, type FeatureName, joinRuns, type Reading, spansOf } from '../replay/chunk-result.js';
import { type Chunk, MINUTE_SECONDS } from '../replay/plan.js';
import type { ChunkStore } from './checkpoint.js';
import type { AlertStatement, BacktestReport } from './report.js';

/** One of the loudest pods. */
export type PodPlot = Awaited<ReturnType<typeof collectPlots>>[number];

const DRAWN_PODS = 8;

/** Points of a line: more than that, no screen shows. */
const MOST_POINTS = 500;

const BEFORE_SECONDS = 3600;
const AFTER_SECONDS = 1800;
const LONGEST_DETAIL_SECONDS = 6 * 3600;

export function featuresOf(results: readonly ChunkResult[]): readonly FeatureName[] {
  return results[0]?.features ?? [];
}

/** Reads the plots of the loudest pods of the chosen sensitivity from the store. */
export async function collectPlots(
  report: BacktestReport,
  chunks: readonly Chunk[],
  results: readonly ChunkResult[],
  store: ChunkStore,
) {
  const startSeconds = Date.parse(report.start) / 1000;
  const endSeconds = Date.parse(report.end) / 1000;
  const index = report.sensitivities.findIndex(({ sensitivity }) => sensitivity === report.chosen_sensitivity);
  const loudest = (report.sensitivities[index]?.loudest_pods ?? []).slice(0, DRAWN_PODS);
  const bucketSeconds = Math.max(60, Math.ceil((endSeconds - startSeconds) / MOST_POINTS / 60) * 60);
  const drafts = loudest.map(({ namespace, pod }) => {
    const alerts = report.alerts.filter((alert) => alert.pod === pod && alert.namespace === namespace);
    return {
      namespace,
      pod,
      alerts,
      flagged: flaggedSpans(results, index, namespace, pod, startSeconds),
      /** The highest score of each stretch of `bucketSeconds` from the start of the range; `null` without a score. */
      scores: new Array<number | null>(Math.ceil((endSeconds - startSeconds) / bucketSeconds)).fill(null),
      bucketSeconds,
      detail: emptyDetail(alerts, startSeconds, endSeconds),
    };
  });
  for (const chunk of chunks) {
    const plots = await store.loadPlots(chunk);
    if (plots === undefined) continue;
    for (const { namespace, pod, scores, detail } of drafts) {
      const key = podKey(namespace, pod);
      plots.overview[key]?.forEach((score, bucket) => {
        const time = plots.startSeconds + bucket * plots.bucketMinutes * MINUTE_SECONDS;
        const place = Math.floor((time - startSeconds) / bucketSeconds);
        if (score !== null) scores[place] = Math.max(scores[place] ?? Number.NEGATIVE_INFINITY, score);
      });
      const { minutes, readings } = plots.detail[key] ?? { minutes: [], readings: [] };
      const size = readings.length / Math.max(1, minutes.length);
      minutes.forEach((minute, index) => {
        const time = plots.startSeconds + minute * MINUTE_SECONDS;
        const reading = readings.slice(index * size, (index + 1) * size);
        // Where the range is short, the overview is as fine as the detail.
        const place = Math.floor((time - startSeconds) / bucketSeconds);
        const score = reading[0];
        if (score != null && bucketSeconds < plots.bucketMinutes * MINUTE_SECONDS) scores[place] = score;
        if (detail === undefined || time < detail.startSeconds || time >= detail.endSeconds) return;
        detail.readings[Math.round((time - detail.startSeconds) / MINUTE_SECONDS)] = reading;
      });
    }
  }
  return drafts;
}

function flaggedSpans(
  results: readonly ChunkResult[],
  sensitivity: number,
  namespace: string,
  pod: string,
  startSeconds: number,
): Chunk[] {
  const runs = results.flatMap(({ pods, startSeconds: chunkSeconds }) => {
    const own = pods.find((stretch) => stretch.pod === pod && stretch.namespace === namespace);
    const shift = Math.round((chunkSeconds - startSeconds) / MINUTE_SECONDS);
    return own === undefined ? [] : [[own.flagged[sensitivity] ?? [], shift] as const];
  });
  const at = (minute: number) => startSeconds + minute * MINUTE_SECONDS;
  return spansOf(joinRuns(runs)).map(([from, to]) => ({ startSeconds: at(from), endSeconds: at(to) }));
}

/** The longest alert of a pod, with some time before and after it. */
function emptyDetail(alerts: readonly AlertStatement[], startSeconds: number, endSeconds: number) {
  const [alert] = [...alerts].sort((a, b) => b.duration_seconds - a.duration_seconds);
  if (alert === undefined) return undefined;
  const begin = (Date.parse(alert.start) / 1000 - BEFORE_SECONDS) / MINUTE_SECONDS;
  const from = Math.max(startSeconds, Math.floor(begin) * MINUTE_SECONDS);
  const end = Date.parse(alert.end) / 1000 + AFTER_SECONDS;
  const to = Math.min(endSeconds, end, from + LONGEST_DETAIL_SECONDS);
  const minutes = Math.ceil((to - from) / MINUTE_SECONDS);
  return {
    alert,
    startSeconds: from,
    endSeconds: from + minutes * MINUTE_SECONDS,
    /** One for each minute from the start; `null` where it was not kept. */
    readings: new Array<Reading | null>(minutes).fill(null),
  };
}
