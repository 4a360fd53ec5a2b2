/** The body of a thread (`ThreadPool`) that replays a piece of a recording. */

import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import { podKey } from '../../exporter/features/table.js';
import { History } from '../replay/history.js';
import type { ThreadInput } from '../replay/pool.js';
import { type ReplayParameters, replay } from '../replay/replay.js';
import { readingSize, type Tracks } from '../replay/tracks.js';
import { BIN_SECONDS } from './case.js';
import type { RecordedPiece } from './recorded-history.js';
import { fitRobustBaseline, robustScore } from './robust-z.js';

export interface EvaluationTask {
  readonly piece: RecordedPiece;
  readonly parameters: ReplayParameters;
}

export type EvaluatedPiece = Awaited<ReturnType<typeof run>>;

/** Minutes that the yardstick learns from. */
const ROBUST_MINUTES = 60;

/** Replays a piece, and scores it by the yardstick as well. */
export async function run({ task, progress }: ThreadInput<EvaluationTask>) {
  const { piece, parameters } = task;
  const history = new History(new Map(piece.slabs));
  const past = { history, hours: piece.hours };
  const { result, tracks } = await replay(past, piece.chunk, piece.trainingTimes, parameters, (share) =>
    progress.postMessage(share),
  );
  const robustZ = robustScores(history, piece, parameters.features);
  return { result, scores: { detector: detectorScores(tracks), robustZ } };
}

function detectorScores(tracks: Tracks): ReadonlyMap<string, Float64Array> {
  const size = readingSize(tracks.features.length);
  const pods = tracks.all().map(({ identity: { namespace, pod }, readings }) => {
    const scores = readings.filter((_, position) => position % size === 0);
    return [podKey(namespace, pod), scores] as const;
  });
  return new Map(pods);
}

/** The largest robust z-score of each pod and minute: the yardstick learns again whenever the detector does. */
function robustScores(
  history: History,
  { chunk, trainingTimes }: RecordedPiece,
  features: readonly FeatureDefinition[],
): ReadonlyMap<string, Float64Array> {
  const scores = new Map<string, Float64Array>();
  const minutes = Math.round((chunk.endSeconds - chunk.startSeconds) / BIN_SECONDS);
  const tableOf = (from: number, to: number) =>
    history.features(features, from, to, BIN_SECONDS).build((_, pod) => pod).table;
  trainingTimes.forEach((time, index) => {
    const window = tableOf(time - (ROBUST_MINUTES - 1) * BIN_SECONDS, time);
    const baseline = fitRobustBaseline(window, features);
    const from = Math.max(chunk.startSeconds, time + BIN_SECONDS);
    const next = trainingTimes[index + 1] ?? chunk.endSeconds;
    const table = tableOf(from, Math.min(next, chunk.endSeconds - BIN_SECONDS));
    const first = Math.round((from - chunk.startSeconds) / BIN_SECONDS);
    table.pods.forEach(({ namespace, pod }, row) => {
      const key = podKey(namespace, pod);
      const own = scores.get(key) ?? new Float64Array(minutes).fill(Number.NaN);
      scores.set(key, own);
      for (let instant = 0; instant < table.timestampsSeconds.length; instant++) {
        if (!table.isPresent(row, instant)) continue;
        own[first + instant] = robustScore(baseline, features, key, table.row(row, instant));
      }
    });
  });
  return scores;
}
