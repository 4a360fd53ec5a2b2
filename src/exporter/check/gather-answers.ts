/** Asks the query of each feature as a detection pass does: the last minutes, all features at the same time. */

import { RECENT_INSTANTS, RECENT_STEP_SECONDS } from '../detection/detect.js';
import type { FeatureDefinition } from '../features/catalog.js';
import type { QueryResult } from '../prometheus/api.js';
import type { Asker } from './asker.js';
import type { AnswerFacts } from './facts.js';

/** Instants from the last one back to the one five minutes before. */
const LASTING_INSTANTS = 300 / RECENT_STEP_SECONDS;

/** @param clock seconds of a clock that never goes back. */
export async function gatherAnswer(
  asker: Asker,
  feature: FeatureDefinition,
  clock: () => number,
): Promise<AnswerFacts> {
  const endSeconds = asker.nowSeconds;
  const startSeconds = endSeconds - (RECENT_INSTANTS - 1) * RECENT_STEP_SECONDS;
  const started = clock();
  const answer = await asker.range(feature.query, startSeconds, endSeconds, RECENT_STEP_SECONDS);
  return { durationSeconds: clock() - started, ...describeAnswer(answer, feature, endSeconds) };
}

/** @param endSeconds the last instant that was asked for. */
export function describeAnswer(
  { labels, offsets, timestampsSeconds }: QueryResult,
  { podLabel }: Pick<FeatureDefinition, 'podLabel'>,
  endSeconds: number,
): Omit<AnswerFacts, 'durationSeconds'> {
  const pods = new Set<string>();
  const lasting = new Set<string>();
  let unlabelled = 0;
  let samples = 0;
  let instants = 0;
  labels.forEach((own, index) => {
    const pod = own[podLabel];
    const first = offsets[index] as number;
    const last = (offsets[index + 1] as number) - 1;
    if (own.namespace === undefined || pod === undefined) unlabelled++;
    else if (last >= first) {
      const firstSeconds = timestampsSeconds[first] as number;
      const lastSeconds = timestampsSeconds[last] as number;
      samples += last - first + 1;
      instants += Math.round((lastSeconds - firstSeconds) / RECENT_STEP_SECONDS) + 1;
      if (endSeconds - lastSeconds > RECENT_STEP_SECONDS / 2) return;
      const key = `${own.namespace}/${pod}`;
      pods.add(key);
      if (endSeconds - firstSeconds >= (LASTING_INSTANTS - 0.5) * RECENT_STEP_SECONDS) lasting.add(key);
    }
  });
  const points = timestampsSeconds.length;
  const filled = instants === 0 ? 1 : samples / instants;
  return { series: labels.length, points, unlabelled, pods, lasting, filled };
}
