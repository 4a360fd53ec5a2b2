/** Puts the samples of a range on the instants that were asked for, where a server answers on a grid of its own. */

import type { QueryResult, RangeQuery } from '../api.js';

/** Times that are less than this apart are one: Prometheus counts in milliseconds. */
export const SAME_INSTANT_SECONDS = 0.0015;

/**
 * Query frontends move a range to whole multiples of its step, so that they can keep the answer (Thanos by default, Mimir
 * and Cortex by a setting, VictoriaMetrics from 50 instants on, Trickster), and each instant comes by less than a step too
 * early. So a sample stands for the first instant at or after it; of two of a series, for the later one counts. What
 * comes within a step after the last instant was not asked for, and is left out. A sample that is further away keeps its
 * time: it belongs to no instant, as after a wrong clock.
 *
 * @param result is changed in place where a sample is not at its instant.
 */
export function onAskedInstants(
  result: QueryResult,
  { startSeconds, endSeconds, stepSeconds }: Pick<RangeQuery, 'startSeconds' | 'endSeconds' | 'stepSeconds'>,
): QueryResult {
  const { offsets, timestampsSeconds, values } = result;
  const last = Math.floor((endSeconds - startSeconds + SAME_INSTANT_SECONDS) / stepSeconds);
  let shiftSeconds = 0;
  let kept = 0;
  let end = 0;
  for (let series = 0; series + 1 < offsets.length; series++) {
    let sample = end;
    end = offsets[series + 1] as number;
    let occupied = -1;
    for (; sample < end; sample++) {
      const seconds = timestampsSeconds[sample] as number;
      const instant = Math.ceil((seconds - startSeconds - SAME_INSTANT_SECONDS) / stepSeconds);
      const asked = startSeconds + instant * stepSeconds;
      const early = asked - seconds;
      const isAt = early <= SAME_INSTANT_SECONDS;
      if (instant === last + 1 && !isAt) continue;
      const belongs = instant >= 0 && instant <= last;
      if (belongs && instant === occupied) kept--;
      if (belongs && !isAt) shiftSeconds = Math.max(shiftSeconds, early);
      occupied = belongs ? instant : -1;
      timestampsSeconds[kept] = belongs && !isAt ? asked : seconds;
      values[kept] = values[sample] as number;
      kept++;
    }
    offsets[series + 1] = kept;
  }
  if (shiftSeconds === 0 && kept === values.length) return result;
  return {
    ...result,
    timestampsSeconds: timestampsSeconds.subarray(0, kept),
    values: values.subarray(0, kept),
    shiftSeconds,
  };
}
