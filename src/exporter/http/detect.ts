/** `/detect`: the judgement on all pods as JSON. */

import type { RequestHandler } from 'express';
import { descendingInSteps } from '../../lib/descending.js';
import { SharedWork } from '../../lib/shared-work.js';
import { finishInTurns } from '../../lib/steps.js';
import { ownTurn } from '../../lib/turns.js';
import type { ContextState, PodContext } from '../context/pod-context.js';
import { OPTED_OUT } from '../detection/detect.js';
import type { Detection } from '../detection/detection.js';
import { explain, type FeatureExplanation } from '../detection/explain.js';
import { type EpisodesState, lastingSince } from '../episodes/episodes.js';
import { type PodIdentity, podKey } from '../features/table.js';
import { type ForecastState, secondsToLimit } from '../forecast/forecast-state.js';
import { UNTUNED } from '../tuning/tuning.js';
import type { AppDependencies } from './dependencies.js';
import { type DetectQuery, parseDetectQuery } from './detect-query.js';
import { sendError } from './errors.js';
import { type Packed, pack, sendShared } from './packed.js';
import type { ContextOfPod, DetectResponse, PodJudgement } from './schemas.js';
import { scrapeTimeoutSeconds } from './scrape-timeout.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** The kind of a pass that failed is also an error code. Those who ask for the same of the same pass share one rendering. */
export function detect({ exporter }: Pick<AppDependencies, 'exporter'>): RequestHandler {
  const renderings = new WeakMap<Detection, SharedWork<string, Packed>>();
  return async (request, response) => {
    const query = parseDetectQuery(request.query);
    if ('mistakes' in query) return sendError(response, 'bad_request', query.mistakes);
    const outcome = await exporter.detect(scrapeTimeoutSeconds(request));
    if (outcome.kind !== 'detection') return sendError(response, outcome.kind, outcome.message);
    if (request.method === 'HEAD') return void response.type('json').end();
    const { detection } = outcome;
    const shared = renderings.get(detection) ?? new SharedWork();
    renderings.set(detection, shared);
    await sendShared(request, response, shared, JSON.stringify(query.filters), (requireWanted) =>
      pack(JSON_TYPE, detectAnswer(detection, knownBeside(exporter), query.filters, requireWanted)),
    );
  };
}

/** What is known of pods beside their scores. */
export interface KnownBeside {
  readonly episodes: EpisodesState;
  readonly context: ContextState;
  readonly forecast: ForecastState;
}

export const knownBeside = (exporter: AppDependencies['exporter']): KnownBeside => ({
  episodes: exporter.episodes(),
  context: exporter.context(),
  forecast: exporter.forecast(),
});

/** Pods that are explained in one go: a few milliseconds of work. */
const PODS_PER_PIECE = 256;

/**
 * The text of a `DetectResponse`: the pods that pass the filters, most anomalous first. The event loop turns between
 * two pieces, also those of others, and a piece is only made when the one before it was taken. Only what is shown is
 * explained: that costs more than the scores did.
 *
 * @param requireWanted throws when nobody wants the rest.
 */
export async function* detectAnswer(
  detection: Detection,
  known: KnownBeside,
  filters: DetectQuery,
  requireWanted: () => void = () => {},
): AsyncGenerator<string> {
  await ownTurn();
  const matching = await finishInTurns(descendingInSteps(matchingRows(detection, filters), detection.scores), ownTurn);
  const { limit } = filters;
  const { timeSeconds: time, muted, unscored } = detection;
  const head = {
    time,
    matching: matching.length,
    muted: muted.reduce((sum, isMuted) => sum + isMuted, 0),
    opted_out: unscored.get(OPTED_OUT) ?? 0,
    limit,
    ended: endedEpisodes(known.episodes, filters),
    pods: [],
  };
  yield JSON.stringify(head satisfies DetectResponse).slice(0, -']}'.length);
  const rows = limit === 0 ? matching : matching.subarray(0, limit);
  for (let start = 0; start < rows.length; start += PODS_PER_PIECE) {
    await ownTurn();
    requireWanted();
    const some = [...rows.subarray(start, start + PODS_PER_PIECE)];
    const explanations = explain(detection, some);
    const pods = some.map((row, index) => JSON.stringify(toPod(detection, known, row, explanations[index] ?? [])));
    yield `${start === 0 ? '' : ','}${pods.join(',')}`;
  }
  yield ']}';
}

/** In the order of the table, which is by namespace and pod. */
function matchingRows({ table, flags }: Detection, { namespace, flagged }: DetectQuery): Uint32Array {
  const rows = new Uint32Array(table.pods.length);
  let count = 0;
  for (let row = 0; row < rows.length; row++) {
    if (namespace !== undefined && table.pods[row]?.namespace !== namespace) continue;
    if (flagged === undefined || (flags[row] === 1) === flagged) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/** Of all namespaces, or of one. */
function endedEpisodes({ ended }: EpisodesState, { namespace, limit }: DetectQuery): DetectResponse['ended'] {
  const matching = ended.filter((episode) => namespace === undefined || episode.namespace === namespace).reverse();
  return (limit === 0 ? matching : matching.slice(0, limit)).map(({ sinceSeconds, endSeconds, ...episode }) => ({
    ...episode,
    since: isoTime(sinceSeconds),
    end: isoTime(endSeconds),
  }));
}

const isoTime = (seconds: number) => new Date(seconds * 1000).toISOString();

const timeOrNull = (seconds: number | undefined) => (seconds === undefined ? null : isoTime(seconds));

function toPod(
  { model, table, scores, flags, releases, tunings, timeSeconds }: Detection,
  { episodes, context, forecast }: KnownBeside,
  row: number,
  explanations: readonly FeatureExplanation[],
): PodJudgement {
  const { namespace, pod, workload } = table.pods[row] as PodIdentity;
  const isFlagged = flags[row] === 1;
  const key = podKey(namespace, pod);
  const releaseSeconds = isFlagged ? releases.get(podKey(namespace, workload)) : undefined;
  const ofCluster = isFlagged ? context.pods.get(key) : undefined;
  const { mutedBy, mutedUntilSeconds, sensitivity } = tunings.get(row) ?? UNTUNED;
  const actual = (name: string) => explanations.find(({ feature }) => feature === name)?.actual ?? null;
  return {
    namespace,
    pod,
    workload,
    cpu: actual('cpu'),
    memory: actual('memory'),
    restarts: actual('restarts'),
    anomaly_flag: isFlagged ? 1 : 0,
    anomaly_score: scores[row] as number,
    since: timeOrNull(lastingSince(episodes, key)),
    release: timeOrNull(releaseSeconds),
    context: ofCluster === undefined ? null : contextAnswer(ofCluster),
    memory_seconds_to_limit: secondsToLimit(forecast.pods.get(key), timeSeconds) ?? null,
    muted_by: mutedBy ?? null,
    muted_until: timeOrNull(mutedUntilSeconds),
    sensitivity: sensitivity ?? model.sensitivity,
    features: explanations.map(({ contribution: _, ...judgement }) => judgement),
  };
}

function contextAnswer(context: PodContext): ContextOfPod {
  const { node, createdSeconds, images, limits, requests, lastTermination: last, waiting, pressure } = context;
  return {
    node: node ?? null,
    created: timeOrNull(createdSeconds),
    images: [...images],
    limits: { cpu: limits.cpu ?? null, memory: limits.memory ?? null },
    requests: { cpu: requests.cpu ?? null, memory: requests.memory ?? null },
    last_termination: last
      ? {
          container: last.container,
          reason: last.reason,
          exit_code: last.exitCode ?? null,
          time: timeOrNull(last.timeSeconds),
        }
      : null,
    waiting: waiting ?? null,
    throttled_ratio: context.throttledRatio ?? null,
    oom_events: context.oomEvents ?? null,
    pressure: { cpu: pressure.cpu ?? null, memory: pressure.memory ?? null, io: pressure.io ?? null },
  };
}
